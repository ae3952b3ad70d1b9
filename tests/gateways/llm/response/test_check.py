"""Answers mended, scored or refused."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.port import (
    ChatRequest,
    LlmOutputError,
    LlmRequestError,
    Message,
    Tool,
    ToolCall,
    Usage,
)
from soullink.gateways.llm.response.check import AnswerCheck
from soullink.gateways.llm.response.schema import Schemas
from tests.gateways.llm.conftest import SCHEMA, request
from tests.gateways.llm.reuse.replies import reply

GOOD = '{"words": "Come in, the tea is hot.", "act": "ask"}'
WEATHER = Tool(
    "weather",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)


def scores_of(asked: ChatRequest, text: str, **changes: object) -> dict[str, float]:
    return dict(AnswerCheck().check(asked, reply(text, **changes)).scores)


def test_an_answer_in_order_is_handed_over_as_it_came() -> None:
    given_reply = reply(GOOD)
    judged = AnswerCheck().check(request(json_schema=SCHEMA), given_reply)
    assert judged.reply.text is given_reply.text
    assert judged.reply.quality == judged.scores
    assert judged.scores == {
        "schema_valid": 1.0,
        "language": 1.0,
        "length": 1.0,
        "persona": 1.0,
        "repetition": 1.0,
    }
    assert (judged.reply.usage, judged.reply.cost_nano_usd) == (given_reply.usage, 1200)


@pytest.mark.parametrize(
    "broken",
    [
        GOOD[:-1],
        f"```json\n{GOOD}\n```",
        f"Sure, here it is: {GOOD} I hope that helps.",
        "{'words': 'Come in, the tea is hot.', 'act': 'ask',}",
        f"<think>Something like {{this}}?</think>{GOOD}",
        '{"note": 1} ' + GOOD,
        '{"words": "Come in, the tea is hot.", "act": "ask"',
    ],
)
def test_broken_json_is_mended_before_anything_is_asked_again(broken: str) -> None:
    judged = AnswerCheck().check(request(json_schema=SCHEMA), reply(broken))
    assert json.loads(judged.reply.text) == json.loads(GOOD)
    assert judged.scores["schema_valid"] == 0.5


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("I would rather not.", "no JSON"),
        ("", "no JSON"),
        ('{"words": "Come in.", "act": "sing"}', r"/act \(enum\)"),
        ('{"words": "Come in."}', r"/ \(required\)"),
        ('{"words": 3, "act": "ask"}', r"/words \(type\)"),
        ("[" * 100_000, "too long"),
        ("[" * 5_000, "cannot be mended"),
    ],
)
def test_an_answer_that_cannot_be_used_says_where_and_what_it_cost(text: str, where: str) -> None:
    with pytest.raises(LlmOutputError, match=where) as refused:
        AnswerCheck().check(request(json_schema=SCHEMA), reply(text, usage=Usage(9, 3)))
    assert refused.value.usage == Usage(9, 3)
    assert refused.value.cost_nano_usd == 1200
    assert "Come in" not in str(refused.value)


@pytest.mark.parametrize("text", ["I would rather not.", '{"words": "Come in.", "act": "sing"}'])
def test_a_lenient_request_takes_what_does_not_follow_its_schema(text: str) -> None:
    judged = AnswerCheck().check(request(json_schema=SCHEMA, lenient=True), reply(text))
    assert judged.reply.text == text
    assert judged.scores["schema_valid"] == 0.0


def test_a_lenient_request_is_mended_where_it_can_be() -> None:
    judged = AnswerCheck().check(request(json_schema=SCHEMA, lenient=True), reply(GOOD[:-1]))
    assert json.loads(judged.reply.text) == json.loads(GOOD)
    assert judged.scores["schema_valid"] == 0.5


def test_an_emoji_cut_in_half_can_still_be_sent() -> None:
    judged = AnswerCheck().check(
        request(json_schema=SCHEMA), reply('{"act": "ask", "words": "so nice \\ud83d')
    )
    judged.reply.text.encode()
    assert json.loads(judged.reply.text)["act"] == "ask"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"properties": {1: 2}, "enum": object()},
    ],
)
def test_a_schema_that_cannot_be_used_is_the_callers_fault(schema: dict[str, Any]) -> None:
    with pytest.raises(LlmRequestError, match="json_schema"):
        AnswerCheck().check(request(json_schema=schema), reply("{}"))


def test_a_pattern_that_could_take_forever_is_not_tried() -> None:
    schemas = Schemas()
    slow = {"type": "string", "pattern": "^(a+)+$"}
    assert schemas.fault(slow, "a" * 60 + "!") is None
    assert schemas.fault({"type": "string", "pattern": "^[a-z]+$"}, "A") == "/ (pattern)"
    assert schemas.fault({"properties": {"pattern": {"type": "string"}}}, {"pattern": 1}) == (
        "/pattern (type)"
    )
    closed = {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}
    assert schemas.fault(closed, {"b": 1}) is None


def test_a_schema_that_runs_in_circles_is_a_fault_and_no_crash() -> None:
    assert Schemas().fault({"$ref": "#"}, {}) == "/ (too deep)"


def test_arguments_of_tools_are_mended_and_held_against_their_parameters() -> None:
    asked = request(tools=(WEATHER,))
    check = AnswerCheck()

    def judged(arguments: str) -> tuple[str, float]:
        call = ToolCall("1", "weather", arguments)
        result = check.check(asked, reply("", finish_reason="tool_calls", tool_calls=(call,)))
        return result.reply.tool_calls[0].arguments, result.scores["schema_valid"]

    assert judged('{"city": "成都"}') == ('{"city": "成都"}', 1.0)
    assert judged("{'city': '成都'") == ('{"city": "成都"}', 0.5)
    assert judged('{"town": "x"}') == ('{"town": "x"}', 0.0)
    assert judged("") == ("{}", 0.0)
    for useless in ("no json", "[1]"):
        with pytest.raises(LlmOutputError, match="tool"):
            judged(useless)


def test_a_tool_call_needs_no_json_text_and_a_refusal_nothing() -> None:
    call = ToolCall("1", "weather", '{"city": "Leeds"}')
    asked = request(tools=(WEATHER,), json_schema=SCHEMA)
    assert scores_of(asked, "", finish_reason="tool_calls", tool_calls=(call,)) == {
        "schema_valid": 1.0
    }
    assert scores_of(asked, "I would rather not.", finish_reason="refusal") == {}


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
    )
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.sampled_from([None, 2]), st.booleans())
def test_valid_json_is_never_changed(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = f" {json.dumps(value, indent=indent, ensure_ascii=ascii_only)}\n"
    judged = AnswerCheck().check(request(json_schema={}), reply(text))
    assert judged.reply.text is text
    assert judged.scores["schema_valid"] == 1.0


@given(_JSON, st.integers(0, 200))
def test_whatever_is_cut_off_is_mended_into_json_or_refused(value: Any, at: int) -> None:
    text = json.dumps(value, ensure_ascii=False)[:at]
    try:
        judged = AnswerCheck().check(request(json_schema={}), reply(text))
    except LlmOutputError:
        return
    json.loads(judged.reply.text)
    judged.reply.text.encode()


def asking(user: str, *, system: str = "You are Ada, a gardener.") -> ChatRequest:
    return ChatRequest((Message("system", system), Message("user", user)))


@pytest.mark.parametrize(
    ("asked", "text", "score"),
    [
        ("How was it?", "Fine, the rain stopped.", 1.0),
        ("How was it?", "还不错，雨停了。", 0.0),
        ("怎么样？", "还不错，雨停了，我去了K歌。", 1.0),
        ("怎么样？", "Fine, the rain stopped.", 0.0),
        ("怎么样？", "とてもよかったです。", 0.3),
        ("怎么样？ Say it in English, please.", "Fine.", 1.0),
        ("How was it? 用中文说。", "Fine.", 0.0),
        ("How was it?", "Great 😀😀😀", 1.0),
        ("How was it?", "Всё хорошо, спасибо.", 0.0),
    ],
)
def test_language_is_that_of_the_question_or_the_one_it_names(
    asked: str, text: str, score: float
) -> None:
    found = scores_of(asking(asked), text)["language"]
    assert found == score if score in {0.0, 1.0} else found <= score


def test_a_language_named_by_the_system_counts_more_than_the_questions_script() -> None:
    asked = asking("How was it?", system="You are Ada. Always answer in Chinese.")
    assert scores_of(asked, "还不错。")["language"] == 1.0
    assert "language" not in scores_of(ChatRequest((Message("user", "???"),)), "Fine.")


@pytest.mark.parametrize(
    ("asked", "text", "score"),
    [
        ("Say it in 3 to 5 words.", "one two three four", 1.0),
        ("Say it in 4 to 8 words.", "one two", 0.5),
        ("Say it in 1-2 words.", "one two three four", 0.5),
        ("Use at most 2 words, please.", "one two three four", 0.5),
        ("用中文说，4 到 8 个字。", "好的", 0.5),
        ("用中文说，不超过 2 个字。", "好的好的", 0.5),
        ("请在2字以内回答", "好的", 1.0),
        ('10 to 20 words. The "words" are what you say; no characters, just words.', "one", 0.1),
        ("Anything you like.", "one", 1.0),
    ],
)
def test_length_is_held_against_the_bounds_in_the_question(
    asked: str, text: str, score: float
) -> None:
    assert scores_of(asking(asked), text)["length"] == score


def test_an_answer_cut_off_has_no_length_to_speak_of() -> None:
    assert (
        scores_of(asking("Say it in 1 to 5 words."), "one", finish_reason="length")["length"] == 0
    )


def test_bounds_speak_of_the_words_and_not_of_the_thought() -> None:
    asked = ChatRequest(
        (Message("user", "In 2 to 4 words."),),
        json_schema={"type": "object"},
    )
    text = json.dumps({"inner_thought": "I do not know what to say here.", "words": "Come in now"})
    assert scores_of(asked, text)["length"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I have no garden.",
        "I'm just an AI, so I cannot taste it.",
        "I can't assist with that request.",
        "How can I help you today?",
        "My instructions say that I like roses.",
        "Assistant: I like roses.",
        "作为一个AI，我没有花园。",
        "我只是一个语言模型。",
        "抱歉，我无法提供此类内容。",
        "请问有什么可以帮您？",
        "在这次角色扮演里我喜欢花。",
    ],
)
def test_speaking_as_an_assistant_breaks_the_persona(text: str) -> None:
    assert scores_of(asking("Hi."), text)["persona"] == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "I work as an assistant gardener, and I model for a painter on Sundays.",
        "I can't help it, I love your character.",
        "Listen: the rain stopped.",
        "She is a role model for me; her instructions were clear.",
        "我的助手明天来帮忙，你不能迟到。",
        "你要我帮什么忙？我的花开了。",
        "我妈妈是程序员，她说：好的。",
    ],
)
def test_words_that_only_sound_so_do_not(text: str) -> None:
    assert scores_of(asking("Hi."), text)["persona"] == 1.0


def test_whoever_is_asked_to_be_an_assistant_may_speak_as_one() -> None:
    asked = asking("Who are you?", system="You are a helpful assistant.")
    assert "persona" not in scores_of(asked, "I am an AI assistant.")


def test_repetition_counts_within_and_against_what_was_said() -> None:
    asked = asking("Go on.")
    fresh = "I walked along the river and thought of your garden."
    assert scores_of(asked, fresh)["repetition"] == 1.0
    assert scores_of(asked, "no no no no no no no no no")["repetition"] < 0.2
    assert scores_of(asked, "好的好的好的好的好的好的好的")["repetition"] < 0.5
    again = ChatRequest(
        (
            Message("user", "Hi."),
            Message("assistant", fresh),
            Message("assistant", "今天早上我沿着河边散步，想起了你的花园。"),
            Message("user", "Go on."),
        )
    )
    assert scores_of(again, fresh)["repetition"] == 0.0
    assert scores_of(again, "我沿着河边散步，想起了你的花园。")["repetition"] < 0.1
    assert scores_of(again, f"{fresh} And then I bought bread on my way home.")["repetition"] > 0.2


_TEXT = st.text(max_size=300) | st.text(alphabet="ab 好的，。AI", max_size=300)


@given(_TEXT, _TEXT, _TEXT)
def test_scores_stay_between_zero_and_one(system: str, user: str, text: str) -> None:
    asked = ChatRequest(
        (Message("system", system), Message("assistant", text[5:]), Message("user", user))
    )
    for score in scores_of(asked, text).values():
        assert 0.0 <= score <= 1.0


def test_the_schema_library_is_loaded_only_when_a_schema_is() -> None:
    script = (
        "import sys, soullink.gateways.llm.response.check as c; c.AnswerCheck(); "
        "sys.exit('jsonschema' in sys.modules or 'json_repair' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, env={"PYTHONPATH": "src"})
    assert done.returncode == 0
