"""What the routes of the server work with, in one object on the application."""

import time
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from engine.jobs.board import Board
from engine.jobs.files import FileStore
from engine.jobs.room import Room
from engine.jobs.signing import Signer
from engine.jobs.uploads import Uploads
from engine.server.asking import Doorman
from engine.server.links import Links


@dataclass(frozen=True, slots=True)
class House:
    """The rooms behind the routes."""

    board: Board
    files: FileStore
    uploads: Uploads
    signer: Signer
    doorman: Doorman
    public_url: str | None = None
    room: Room | None = None

    def links(self, request: Request) -> Links:
        """Return what makes links for a request."""
        return Links.of(request, self.signer, self.public_url)

    def check_link(self, request: Request, place: str) -> None:
        """Let a request pass that has a signed link to a place. Raises SignatureRefused."""
        self.signer.check(request.method, place, request.query_params, time.time())


def house_of(request: Request) -> House:
    """Return the house of the application that a request came to."""
    return cast("House", request.app.state.house)
