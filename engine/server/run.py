"""Running the server: one process with the index and the web, workers beside it, all on one home."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from engine.errors import OutputError, Problem, RequestError
from engine.jobs.access import Access
from engine.jobs.board import Board
from engine.jobs.database import Database
from engine.jobs.files import FileStore
from engine.jobs.home import Home
from engine.jobs.signing import Signer
from engine.jobs.supervisor import Supervisor
from engine.jobs.uploads import Uploads
from engine.models.catalog import Catalog
from engine.models.session import resolve_device
from engine.server.app import create_app
from engine.server.asking import Doorman
from engine.server.house import House
from engine.server.patience import PatientProtocol

GRACE_S = 10  # for requests that are being answered when the server stops
BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that takes requests. `key` is there only when it was just made."""

    address: str
    key: str | None
    home: Path


class _Server(uvicorn.Server):
    """Tells when it takes requests."""

    on_started: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM for a wish to stop, and nothing else: the library would raise them again afterwards."""
        wishes = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
        before = {number: signal.signal(number, self.handle_exit) for number in wishes}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        if self.started:
            self.on_started()


def serve(
    home: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    threads: int | None = None,
    device: str = "auto",
    public_url: str | None = None,
    no_auth: bool = False,
    on_ready: Callable[[Ready], None] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM; running jobs finish their flush and go on at the next start.

    Parameters
    ----------
    home : Path or None
        Where everything is kept; None: $ENGINE_HOME, or the user's data folder.
    port : int
        0 takes a free one.
    workers : int
        Jobs at a time. Each is a process of its own.
    public_url : str or None
        What links begin with; None: the host that a request came to.
    no_auth : bool
        Take any key, or none; only on this machine's own address.
    on_ready : callable
        Told when requests are taken.

    Raises
    ------
    OutputError
        Another server has this home; it cannot be written; the port is taken.
    DeviceError
        The asked device is not there.
    RequestError
        `no_auth` on an address that others can reach.
    """
    if no_auth and host not in ("127.0.0.1", "localhost", "::1"):
        message = f"--no-auth is for this machine alone, but {host} can be reached from others."
        raise RequestError([Problem("invalid_parameter", message, "host", "Leave --host out, or --no-auth.")])
    resolve_device(device)
    place = Home.open(home)
    with place.hold(), contextlib.closing(_listen(host, port)) as listener:
        database = Database(place.database)
        try:
            access, files = Access(place), FileStore(place, database)
            board = Board(place, database, files, Catalog(place.path))
            files.rebuild()
            board.recover()
            files.sweep(leftovers=True)
            uploads = Uploads(place, files)
            uploads.sweep()
            key = None
            if not no_auth and not any(one.revoked_at is None for one in access.all_keys()):
                _, key = access.create_key("first")
            supervisor = Supervisor(board, place.path, place.jobs, workers=workers, device=device, threads=threads)
            app = create_app(House(board, files, uploads, Signer(access), Doorman(access, no_auth), public_url))
            address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
            supervisor.start()
            try:
                _run(app, listener, lambda: on_ready(Ready(address, key, place.path)))
            finally:
                supervisor.stop()
        finally:
            database.close()


def _run(app: object, listener: socket.socket, on_started: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=PatientProtocol,
        access_log=False,  # its lines would hold signed links
        log_level=logging.WARNING,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    server = _Server(config)
    server.on_started = on_started
    server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OutputError(
            f"Port {port} of {host} cannot be taken: {error.strerror or error}.",
            code="port_taken",
            cure="Choose another --port; 0 takes a free one.",
        ) from error
    # Connections inherit it. Without it the body of an answer waits for the client to acknowledge the head: 40 ms each.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
