"""A small server of our own that speaks as much of Qdrant's REST as we use, comparing with all.

It is not Qdrant: it shows what we send over the wire and how we take answers and failures.
"""

import json
from typing import Any

import numpy as np
from aiohttp import web


class QdrantServer:
    """key: the API key that it asks for. metadata: False does as servers before 1.16 do."""

    def __init__(self, *, key: str = "", metadata: bool = True) -> None:
        self.key = key
        self.metadata = metadata
        self.failing = ""
        self.collections: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.add_routes([web.route("*", "/{path:.*}", self.answer)])
        return app

    async def answer(self, request: web.Request) -> web.Response:
        sent = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path_qs, sent))
        if self.key and request.headers.get("api-key") != self.key:
            return web.Response(status=401, text="Must provide an API key")
        if self.failing:
            return _failed(500, self.failing)
        _, *parts = request.path.strip("/").split("/")
        if not parts:
            names = [{"name": name} for name in sorted(self.collections)]
            return _done({"collections": names})
        name, verb = parts[0], (request.method, "/".join(parts[1:]))
        if name not in self.collections and verb not in {("GET", "exists"), ("PUT", "")}:
            return _failed(404, f"Not found: Collection `{name}` doesn't exist!")
        if name in self.collections and verb == ("PUT", ""):
            return _failed(409, f"Wrong input: Collection `{name}` already exists!")
        return _done(self._of_collections(name, verb, sent))

    def _of_collections(self, name: str, verb: tuple[str, str], sent: Any) -> Any:
        if verb == ("GET", "exists"):
            return {"exists": name in self.collections}
        if verb == ("PUT", ""):
            self.collections[name] = sent | {"points": {}}
            return True
        if verb == ("DELETE", ""):
            return self.collections.pop(name, None) is not None
        return self._of_points(verb, self.collections[name], sent)

    def _of_points(self, verb: tuple[str, str], kept: dict[str, Any], sent: Any) -> Any:
        points: dict[str, tuple[list[float], Any]] = kept["points"]
        if verb == ("GET", ""):
            return self._told(kept)
        if verb == ("PUT", "points"):
            batch = sent["batch"]
            for each, vector, payload in zip(
                batch["ids"], batch["vectors"], batch["payloads"], strict=True
            ):
                points[each] = (vector, payload)
            return {"operation_id": 1, "status": "completed"}
        if verb == ("POST", "points"):
            return [{"id": each} for each in sent["ids"] if each in points]
        if verb == ("POST", "points/delete"):
            for each in sent["points"]:
                points.pop(each, None)
            return {"operation_id": 2, "status": "completed"}
        if verb == ("POST", "points/count"):
            return {"count": len(points)}
        assert verb == ("POST", "points/query"), verb
        chosen = list(points)
        if sent.get("filter"):
            (condition,) = sent["filter"]["must"]
            chosen = [each for each in condition["has_id"] if each in points]
        query = np.array(sent["query"]["nearest"])
        scored = [
            {
                "id": each,
                "version": 0,
                "score": float(np.dot(points[each][0], query)),
                "payload": {key: points[each][1][key] for key in sent["with_payload"]},
            }
            for each in chosen
        ]
        return {"points": sorted(scored, key=lambda one: -one["score"])[: sent["limit"]]}

    def _told(self, kept: dict[str, Any]) -> dict[str, Any]:
        config = {
            "params": {"vectors": kept["vectors"]},
            "hnsw_config": {"full_scan_threshold": 10_000} | kept["hnsw_config"],
            "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5}
            | kept["optimizers_config"],
        }
        if self.metadata:
            config["metadata"] = kept["metadata"]
        return {
            "status": "green",
            "optimizer_status": "ok",
            "segments_count": 1,
            "payload_schema": {},
            "config": config,
        }


def _done(result: Any) -> web.Response:
    return web.json_response({"result": result, "status": "ok", "time": 0.0})


def _failed(status: int, message: str) -> web.Response:
    text = json.dumps({"status": {"error": message}, "time": 0.0})
    return web.Response(status=status, text=text, content_type="application/json")
