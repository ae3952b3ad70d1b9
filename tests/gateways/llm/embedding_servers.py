"""Scripted servers of embeddings: the vector of a text is its length and its place."""

import base64
import struct
from typing import Any

from tests.gateways.llm.native_servers import ScriptedGeminiServer
from tests.gateways.llm.server import Received, Say, ScriptedOpenAiServer


def vector_of(text: str, place: int, size: int) -> list[float]:
    return [float(len(text)), place + 0.5, *([0.25] * (size - 2))]


class OpenAiEmbeddingServer(ScriptedOpenAiServer):
    """POST /v1/embeddings, vectors out of order as the format allows."""

    dimensions = 4

    def problem(self, received: Received) -> str | None:
        if received.path != "/v1/embeddings" or not received.json.get("input"):
            return f"no such path {received.path}"
        return None

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        body = received.json
        size = body.get("dimensions", self.dimensions)
        data = []
        for place, text in enumerate(body["input"]):
            numbers = vector_of(text, place, size)
            shown: Any = numbers
            if body.get("encoding_format") == "base64":
                shown = base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode()
            data.append({"object": "embedding", "index": place, "embedding": shown})
        answer: dict[str, Any] = {"object": "list", "data": data[::-1], "model": body["model"]}
        if say.usage:
            answer["usage"] = {"prompt_tokens": 12, "total_tokens": 12}
        return answer


class GeminiEmbeddingServer(ScriptedGeminiServer):
    """POST /v1beta/models/MODEL:batchEmbedContents."""

    def problem(self, received: Received) -> str | None:
        if not received.path.endswith(":batchEmbedContents"):
            return f"no such path {received.path}"
        model = received.path.removeprefix("/v1beta/").partition(":")[0]
        if any(one["model"] != model for one in received.json["requests"]):
            return "requests[].model must match the path"
        return None

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        embeddings = [
            {
                "values": vector_of(
                    one["content"]["parts"][0]["text"], place, one.get("outputDimensionality", 4)
                )
            }
            for place, one in enumerate(received.json["requests"])
        ]
        answer: dict[str, Any] = {"embeddings": embeddings}
        if say.usage:
            answer["usageMetadata"] = {"promptTokenCount": 12}
        return answer
