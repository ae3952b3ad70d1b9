"""Streams with filters on: what was sent cannot be taken back, so it is held a little."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec.structs import replace

from soullink.gateways.llm.port import ChatChunk, ChatRequest
from soullink.gateways.llm.response.filters import InjectionFilter, MaskFilter
from soullink.gateways.llm.response.masks import CONTEXT, Mask, half_width, without
from soullink.gateways.llm.response.port import ContentFilter
from soullink.gateways.llm.reuse.cache import chunks_of

LONGEST_RUN: Final = 4096
"""A run without a space is held whole up to so many characters: keys have no spaces."""

_RUN_END: Final = re.compile(r"[!-~]*\Z")


class HoldBack:
    """Lets text out only where nothing that `mask` looks for can still begin or be going on.

    So much of the end is kept as the mask can reach, and a run without a space is not cut.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = ""
        self._seen = 0
        """How many characters at the start of `_held` have been let out: context for the mask."""

    def push(self, text: str) -> str:
        """Return what may be let out now that `text` has come."""
        self._held += text
        cut = len(self._held) - self._mask.reach
        if cut <= self._seen:
            return ""
        run = _RUN_END.search(half_width(self._held[max(0, cut - LONGEST_RUN) : cut]))
        if run is not None and len(run[0]) < LONGEST_RUN:
            cut -= len(run[0])
        spans = self._spans()
        for start, end in spans:
            if start < cut <= end or end == len(self._held):
                cut = min(cut, start)
        return self._release(cut, spans)

    def finish(self) -> str:
        """Return the rest."""
        return self._release(len(self._held), self._spans())

    def _spans(self) -> list[tuple[int, int]]:
        return [span for span in self._mask.spans(self._held) if span[0] >= self._seen]

    def _release(self, cut: int, spans: list[tuple[int, int]]) -> str:
        if cut <= self._seen:
            return ""
        seen = self._seen
        inside = [(start - seen, end - seen) for start, end in spans if end <= cut]
        out = without(self._held[seen:cut], inside)
        keep = max(0, cut - CONTEXT)
        self._held = self._held[keep:]
        self._seen = cut - keep
        return out


async def held_back(
    filters: Sequence[ContentFilter], request: ChatRequest, chunks: AsyncIterator[ChatChunk]
) -> AsyncIterator[ChatChunk]:
    """Yield `chunks` as far as `filters` let them pass; the last carries the filtered reply.

    Filters that only mask let text out as it comes, held back by their reach. Tool calls, JSON
    and answers under a filter that is not ours come whole at the end. Raises what a filter raises.
    """
    masks = [each.mask for each in filters if isinstance(each, MaskFilter)]
    whole = (request.json_schema is not None and bool(filters)) or not all(
        isinstance(each, MaskFilter | InjectionFilter) for each in filters
    )
    holds = [HoldBack(mask) for mask in masks]
    async for chunk in chunks:
        if chunk.reply is not None:
            reply = chunk.reply
            for each in filters:
                reply = each.after(request, reply)
            rest = "" if whole else _flushed(holds)
            for piece in chunks_of(replace(reply, text=reply.text if whole else rest)):
                yield piece if piece.reply is None else ChatChunk("", reply)
        elif not whole:
            text = chunk.text
            for hold in holds:
                text = hold.push(text)
            if text:
                yield ChatChunk(text)


def _flushed(holds: Sequence[HoldBack]) -> str:
    rest = ""
    for hold in holds:
        rest = hold.push(rest) + hold.finish()
    return rest
