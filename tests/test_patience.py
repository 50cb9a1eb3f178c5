"""Deadlines on half-sent requests, over a real socket."""

import contextlib
import json
import select
import socket
import threading
import time

import pytest
import uvicorn

from engine.server.patience import PatientProtocol
from engine.server.run import _listen

LONG_S = 3600.0


async def echo(scope, receive, send):
    """Answer with the number of bytes of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(str(size)))]})
    await send({"type": "http.response.body", "body": str(size).encode()})


@contextlib.contextmanager
def listening(**deadlines):
    protocol = type("Protocol", (PatientProtocol,), deadlines)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(echo, http=protocol, lifespan="off", log_level="critical", timeout_keep_alive=3600)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = server.force_exit = True
            thread.join(60)


def read_all(client):
    client.settimeout(60)
    said = b""
    while piece := client.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le"])
def test_a_head_that_does_not_come_ends_the_connection(sent):
    with listening(head_s=0.1, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(sent)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert json.loads(body)["code"] == "request_timeout"


def test_a_body_that_does_not_come_ends_the_connection():
    with listening(head_s=LONG_S, body_s=0.1, body_rate=1e9) as address, socket.create_connection(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\na")
        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_drops_of_a_head_do_not_keep_a_connection():
    with listening(head_s=0.2, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for _ in range(6000):
                client.sendall(b"a: b\r\n")
                time.sleep(0.01)
            pytest.fail("The connection is still open.")


def test_bytes_of_a_body_give_it_time():
    with listening(head_s=LONG_S, body_s=0.1, body_rate=1e-3) as address, socket.create_connection(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\na")
        time.sleep(0.5)
        client.sendall(b"b")
        assert read_all(client).endswith(b"\r\n\r\n2")


def test_what_is_sent_whole_is_answered_again_and_again():
    asked = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.settimeout(60)
        for _ in range(3):
            client.sendall(asked)
            said = b""
            while not said.endswith(b"\r\n\r\n3"):
                said += client.recv(65536)
            assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",  # a path without end
        b"GET / HTTP/1.1\r\nHost: x\r\na: ",  # a header without end
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 1000,
    ],
)
def test_a_head_without_end_is_refused(begin):
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(begin)
        with contextlib.suppress(OSError):
            for _ in range(2000):
                client.sendall((b"a" if b"\r" not in begin[-2:] else b"a: b\r\n") * 10_000)
            pytest.fail("The connection is still open.")


def test_a_large_head_is_answered_before_the_end():
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\na: ")
        while not select.select([client], [], [], 0.001)[0]:
            client.sendall(b"b" * 5000)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 431 ")
        assert json.loads(body)["errors"][0]["code"] == "payload_too_large"


def test_trailers_without_end_are_cut_off():
    begin = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(begin)
        with contextlib.suppress(OSError):
            for _ in range(2000):
                client.sendall(b"a: b\r\n" * 10_000)
            pytest.fail("The connection is still open.")


def test_small_chunks_may_be_many():
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            client.sendall(b"8\r\nabcdefgh\r\n" * 1000)
        client.sendall(b"0\r\n\r\n")
        assert read_all(client).endswith(b"\r\n\r\n800000")


def test_bodies_of_answers_do_not_wait_for_their_heads_to_be_confirmed():
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_the_form_of_every_error(sent):
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(sent)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/json" in head
        assert json.loads(body)["errors"][0]["code"] == json.loads(body)["code"] == "INVALID_REQUEST"


def test_a_request_behind_the_end_of_a_long_body_has_a_head_of_its_own():
    long = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000
    short = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    with listening(head_s=LONG_S, body_s=LONG_S) as address, socket.create_connection(address) as client:
        client.sendall(long[:-190_000])
        client.sendall(long[-190_000:] + short)
        answers = read_all(client)
        assert answers.count(b"HTTP/1.1 200 ") == 2
        assert answers.endswith(b"\r\n\r\n3")
