"""The conversation as each library has it: two agents, twenty utterances, the history sent anew.

A subject is opened with the server's port; what it returns lives one conversation to its end and
returns how many utterances it had. Every library is used as its own documentation shows, through
its own client, with nothing logged, traced or judged beside the conversation.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Conversation: TypeAlias = Callable[[int], Awaitable[int]]

UTTERANCES = 20
NAMES = ("Ann", "Bob")
MODEL = "plain"


def base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def told(name: str) -> str:
    return f"You are {name} on a first date. Speak as {name} alone, two sentences at most."


def messages(said: list[str]) -> list[dict[str, str]]:
    """Return what the one who speaks next is told."""
    me = len(said) % 2
    turns = [
        {"role": "assistant" if index % 2 == me else "user", "content": words}
        for index, words in enumerate(said)
    ]
    start = [] if turns else [{"role": "user", "content": "Begin."}]
    return [{"role": "system", "content": told(NAMES[me])}, *turns, *start]


async def aiohttp(port: int) -> Conversation:
    """The floor: a loop around a socket, with nothing kept, checked or written."""
    import json

    import aiohttp as library

    session = library.ClientSession(connector=library.TCPConnector(limit=0))
    url, headers = base_url(port) + "/chat/completions", {"Content-Type": "application/json"}

    async def conversation(_: int) -> int:
        said: list[str] = []
        while len(said) < UTTERANCES:
            body = json.dumps({"model": MODEL, "messages": messages(said)}).encode()
            async with session.post(url, data=body, headers=headers) as response:
                answer = json.loads(await response.read())
            said.append(answer["choices"][0]["message"]["content"])
        return len(said)

    return conversation


async def langgraph(port: int) -> Conversation:
    """Two nodes that call each other, every step kept by the saver in memory."""
    import operator
    from typing import Annotated, TypedDict

    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph

    model = ChatOpenAI(model=MODEL, base_url=base_url(port), api_key="key", max_retries=0)
    kinds = {"system": SystemMessage, "assistant": AIMessage, "user": HumanMessage}

    class Talk(TypedDict):
        said: Annotated[list[str], operator.add]

    async def speak(state: Any) -> dict[str, list[str]]:
        asked = [kinds[m["role"]](m["content"]) for m in messages(state["said"])]
        return {"said": [(await model.ainvoke(asked)).content]}

    def after(other: str) -> Callable[[Any], str]:
        return lambda state: END if len(state["said"]) >= UTTERANCES else other

    graph = StateGraph(Talk)
    graph.add_node("first", speak)
    graph.add_node("second", speak)
    graph.add_edge(START, "first")
    graph.add_conditional_edges("first", after("second"), ["second", END])
    graph.add_conditional_edges("second", after("first"), ["first", END])
    app = graph.compile(checkpointer=InMemorySaver())

    async def conversation(number: int) -> int:
        config = {"configurable": {"thread_id": str(number)}, "recursion_limit": 3 * UTTERANCES}
        return len((await app.ainvoke({"said": []}, config))["said"])

    return conversation


async def autogen(port: int) -> Conversation:
    """Two assistants in a round-robin group chat."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_agentchat.conditions import MaxMessageTermination
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    can: Any = {
        "vision": False,
        "function_calling": False,
        "json_output": False,
        "family": "unknown",
        "structured_output": False,
    }
    client = OpenAIChatCompletionClient(
        model=MODEL, base_url=base_url(port), api_key="key", model_info=can
    )

    async def conversation(_: int) -> int:
        agents = [AssistantAgent(name, client, system_message=told(name)) for name in NAMES]
        ending = MaxMessageTermination(UTTERANCES + 1)
        result = await RoundRobinGroupChat(agents, termination_condition=ending).run(task="Begin.")
        return len(result.messages) - 1

    return conversation


async def sotopia(port: int) -> Conversation:
    """An episode of two agents, taking turns, without the judge at its end."""
    os.environ["SOTOPIA_STORAGE_BACKEND"] = "local"
    os.environ["CUSTOM_API_KEY"] = "key"
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from sotopia.agents import LLMAgent
    from sotopia.database import AgentProfile, EnvironmentProfile
    from sotopia.envs.evaluators import RuleBasedTerminatedEvaluator
    from sotopia.envs.parallel import ParallelSotopiaEnv
    from sotopia.server import arun_one_episode

    model = f"custom/sotopia@{base_url(port)}"

    class Unjudged(RuleBasedTerminatedEvaluator):  # type: ignore[misc]
        prompt = ""

        async def __acall__(self, *_: Any, **__: Any) -> Any:
            return [(f"agent_{number}", (("overall_score", 0), "")) for number in (1, 2)]

    def person(number: int) -> Any:
        return AgentProfile(
            pk=f"agent{number}",
            first_name=NAMES[number],
            last_name="Lee",
            age=30,
            occupation="nurse",
            gender="Woman",
            public_info="likes walking",
            big_five="high O",
            personality_and_values="kind",
            secret="none",  # noqa: S106 - a profile's field
        )

    async def conversation(_: int) -> int:
        place = EnvironmentProfile(
            codename="date",
            scenario="A first date in a quiet cafe.",
            agent_goals=["Find out whether you share values", "Find out whether the other is kind"],
            relationship=0,
            age_constraint="[(18,70),(18,70)]",
            occupation_constraint="",
            source="bench",
        )
        env = ParallelSotopiaEnv(
            env_profile=place,
            model_name=model,
            action_order="round-robin",
            evaluators=[RuleBasedTerminatedEvaluator(max_turn_number=UTTERANCES, max_stale_turn=2)],
            terminal_evaluators=[Unjudged(max_turn_number=UTTERANCES)],
        )
        agents = [LLMAgent(agent_profile=person(n), model_name=model) for n in (0, 1)]
        lived = await arun_one_episode(
            env=env, agent_list=agents, omniscient=False, script_like=False, push_to_db=False
        )
        return sum(
            to == "Environment" and getattr(message, "action_type", "") == "speak"
            for _, to, message in lived
        )

    return conversation


async def concordia(port: int) -> Conversation:
    """Two minimal entities under the dialogic game master, in a fixed order, in threads."""
    import hashlib
    import io
    import sys
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import openai
    from absl import logging
    from concordia.environment.engines import sequential
    from concordia.language_model.base_gpt_model import BaseGPTModel
    from concordia.prefabs.entity import minimal
    from concordia.prefabs.game_master import dialogic
    from concordia.prefabs.simulation import generic
    from concordia.typing import prefab

    class Nowhere(io.TextIOBase):
        def write(self, text: str) -> int:
            return len(text)

    sys.stdout = Nowhere()  # it prints what it does; a terminal would be measured
    logging.set_verbosity(logging.ERROR)
    model = BaseGPTModel(MODEL, openai.OpenAI(base_url=base_url(port), api_key="key"))

    def embedded(text: str) -> Any:
        digest = hashlib.sha512(text.encode()).digest()
        vector = np.frombuffer(digest, dtype=np.uint8).astype(np.float32) - 127
        return vector / np.linalg.norm(vector)

    def talk() -> int:
        entity = [
            prefab.InstanceConfig(
                prefab="entity", role=prefab.Role.ENTITY, params={"name": name, "goal": told(name)}
            )
            for name in NAMES
        ]
        master = prefab.InstanceConfig(
            prefab="master",
            role=prefab.Role.GAME_MASTER,
            params={
                "name": "rules",
                "acting_order": "fixed",
                "can_terminate_simulation": False,
                "next_game_master_name": "rules",
            },
        )
        config = prefab.Config(
            default_premise="A first date in a quiet cafe.",
            default_max_steps=UTTERANCES,
            prefabs={"entity": minimal.Entity(), "master": dialogic.GameMaster()},
            instances=[*entity, master],
        )
        simulation = generic.Simulation(
            config=config, model=model, embedder=embedded, engine=sequential.Sequential()
        )
        simulation.play(max_steps=UTTERANCES)
        return UTTERANCES

    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(1_000)

    async def conversation(_: int) -> int:
        return await loop.run_in_executor(threads, talk)

    return conversation


async def soullink(port: int) -> Conversation:
    """State, memory, checks, ledger and journal on; DATABASE_URL says where they are kept."""
    from benchmarks.turns.ours import open_conversations

    return await open_conversations(port, os.environ["DATABASE_URL"])


SUBJECTS: dict[str, Callable[[int], Awaitable[Conversation]]] = {
    "aiohttp": aiohttp,
    "langgraph": langgraph,
    "autogen": autogen,
    "sotopia": sotopia,
    "concordia": concordia,
    "soullink": soullink,
}
