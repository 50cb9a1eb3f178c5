"""The application: routes, errors, and paths as clients write them."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from fastapi import FastAPI

import engine
from engine.server import blobs, errors, events, files, health, jobs, page, registry, uploads
from engine.server.description import describe
from engine.server.house import House

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DESCRIPTION = """Batch jobs on sensor data: a machine state per sliding window of CSVs, an answer per prompt of a JSONL file.
Every call but `/healthz`, `/metrics` and signed links takes `Authorization: Bearer KEY`."""

_SLASHES = re.compile("//+")


class Paths:
    """Takes paths as clients write them: repeated slashes count as one, `/api/...` stands for `/v0.5/...`."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            path = _SLASHES.sub("/", scope["path"])
            if path.startswith("/api/"):
                path = "/v0.5" + path.removeprefix("/api")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


def create_app(house: House) -> FastAPI:
    """Return the application on a house."""
    app = FastAPI(
        title="Sensor state engine",
        version=engine.__version__,
        description=DESCRIPTION,
        redirect_slashes=False,
        docs_url=None,  # the library's page loads its parts from the internet
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.house = house
    for room in (jobs, events, registry, uploads, files, blobs, health, page):
        app.include_router(room.router)
    app.include_router(uploads.parts_router)
    app.openapi = cache(lambda: describe(app))  # type: ignore[method-assign]
    errors.install(app)
    app.add_middleware(Paths)
    return app
