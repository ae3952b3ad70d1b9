"""Token counts before a call: exact where the model's tokenizer is at hand, else an estimate."""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from soullink.gateways.llm.port import ChatRequest
from soullink.gateways.llm.usage import estimate_tokens

ESTIMATE: Final = "estimate"

OPENAI_MESSAGE_TOKENS: Final = 3
OPENAI_REPLY_TOKENS: Final = 3
"""What wraps each message and opens the reply: "How to count tokens with tiktoken", OpenAI
Cookbook, num_tokens_from_messages."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens, whether that is the model's own count, and who counted."""

    tokens: int
    exact: bool
    counter: str


Counted: TypeAlias = ChatRequest | Sequence[str]
"""A whole call, or single texts that nothing wraps, as for embeddings. Not a bare str."""


class TokenCounter(Protocol):
    """A model's own tokenizer, in this process and without I/O.

    message_tokens: added for every message of a call. reply_tokens: added once a call.
    """

    @property
    def name(self) -> str: ...

    @property
    def message_tokens(self) -> int: ...

    @property
    def reply_tokens(self) -> int: ...

    def count(self, text: str) -> int:
        """Return the tokens of `text`, control words taken as plain words."""
        ...


class TiktokenCounter:
    """Counts with a tiktoken.Encoding, and wraps messages as OpenAI's chat models do."""

    message_tokens = OPENAI_MESSAGE_TOKENS
    reply_tokens = OPENAI_REPLY_TOKENS

    def __init__(self, encoding: Any) -> None:
        self._encode = encoding.encode_ordinary
        self.name = f"tiktoken:{encoding.name}"

    def count(self, text: str) -> int:
        return len(self._encode(text))


@dataclass(frozen=True, slots=True)
class EncodingFile:
    """A file that tiktoken keeps: its name in the cache folder and its contents' SHA-256."""

    name: str
    sha256: str


_O200K = EncodingFile(
    "fb374d419588a4632f3f557e76b4b70aebbca790",
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
)
ENCODING_FILES: Final[Mapping[str, EncodingFile]] = {
    "o200k_base": _O200K,
    "o200k_harmony": _O200K,
    "cl100k_base": EncodingFile(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
"""What tiktoken would look for, and fetch where it is missing or spoilt: we look first."""


class TokenCounters:
    """Chooses who counts for a model: counters that were added, OpenAI's encodings, the estimate.

    Nothing is ever fetched: an encoding counts where tiktoken (extra `tokenizers`) is installed
    and its file lies in TIKTOKEN_CACHE_DIR already. The first count with an encoding loads it,
    which takes about a second for the large ones: where that hurts, `load` it in a thread before.
    """

    def __init__(self, files: Mapping[str, EncodingFile] = ENCODING_FILES) -> None:
        self._files = files
        self._added: list[tuple[str, TokenCounter]] = []
        self._found: dict[str, TokenCounter | None] = {}

    def add(self, models: str, counter: TokenCounter) -> None:
        """Count with `counter` where a model's name matches `models`, e.g. "llamacpp:*".

        What was added last is asked first.
        """
        self._added.insert(0, (models, counter))
        self._found.clear()

    def load(self, model: str) -> bool:
        """Return whether `model` is counted exactly, after loading what that needs."""
        return self._counter(model) is not None

    def count(self, model: str, counted: Counted) -> TokenCount:
        """Return the input tokens of a call or of texts.

        model: "provider:model" or a bare name of OpenAI's. A call with tools, calls of tools or
        a schema is an estimate, because providers do not say how they write those out.
        """
        counter = self._counter(model)
        if counter is None:
            texts = _texts(counted) if isinstance(counted, ChatRequest) else counted
            return TokenCount(sum(map(estimate_tokens, texts)), exact=False, counter=ESTIMATE)
        if not isinstance(counted, ChatRequest):
            return TokenCount(sum(map(counter.count, counted)), exact=True, counter=counter.name)
        tokens = counter.reply_tokens + counter.message_tokens * len(counted.messages)
        tokens += sum(map(counter.count, _texts(counted)))
        plain = not (counted.tools or counted.json_schema) and not any(
            message.tool_calls or message.role == "tool" for message in counted.messages
        )
        return TokenCount(tokens, exact=plain, counter=counter.name)

    def _counter(self, model: str) -> TokenCounter | None:
        if model not in self._found:
            if len(self._found) >= 1024:  # callers may name what they like
                self._found.clear()
            self._found[model] = self._find(model)
        return self._found[model]

    def _find(self, model: str) -> TokenCounter | None:
        for models, counter in self._added:
            if fnmatchcase(model, models):
                return counter
        provider, separator, name = model.partition(":")
        if separator and provider not in ("openai", "ft"):
            return None
        if importlib.util.find_spec("tiktoken") is None:
            return None
        # Here and not above: an optional dependency, and 50 ms of importing.
        import tiktoken  # noqa: PLC0415

        try:
            encoding = tiktoken.encoding_name_for_model(name if provider == "openai" else model)
        except KeyError:
            return None
        file = self._files.get(encoding)
        if file is None or not _at_hand(file):
            return None
        return TiktokenCounter(tiktoken.get_encoding(encoding))


_COUNTERS: Final = TokenCounters()


def count_tokens(model: str, counted: Counted) -> TokenCount:
    """Return the input tokens of a call or of texts, with the tokenizers that are at hand."""
    return _COUNTERS.count(model, counted)


def _texts(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield message.content
        for call in message.tool_calls:
            yield call.name
            yield call.arguments
    for tool in request.tools:
        yield tool.name
        yield tool.description
        yield msgspec.json.encode(tool.parameters).decode()
    if request.json_schema is not None:
        yield msgspec.json.encode(request.json_schema).decode()


def _at_hand(file: EncodingFile) -> bool:
    # The folders in tiktoken's own order; an empty name turns its cache off.
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = str(Path(tempfile.gettempdir(), "data-gym-cache"))
    if not folder:
        return False
    try:
        contents = Path(folder, file.name).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(contents).hexdigest() == file.sha256
