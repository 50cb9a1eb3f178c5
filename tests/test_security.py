"""Who does not belong here, against a real server: keys, other organisations' ids, links, names, and bodies that mean harm."""

import base64
import gzip
import io
import json
import re
import socket
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import polars as pl
import pytest
import zstandard
from fastapi.routing import APIRoute
from recordings import request
from service import FINAL, serving

from engine.jobs.access import Access
from engine.jobs.home import Home
from engine.jobs.ids import new_id
from engine.jobs.signing import Signer
from engine.server.app import create_app

SMALL = {"batch_size": 10, "flush_every_n_iteration": 1}
OPEN = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/healthz", "/metrics"}  # by intent, for anybody
SIGNED = {"/blob/{place}", "/blob/{upload_id}/{number}"}
OF_NOBODY = {"pipeline"}  # parameters whose objects belong to all organisations
MB = 1 << 20


def walk(routes):
    for route in routes:
        if hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)
        else:
            yield route


ROUTES = list(walk(create_app(None).routes))  # type: ignore[arg-type]
KEYED = sorted(
    (method, route.path)
    for route in ROUTES
    if isinstance(route, APIRoute) and route.path not in OPEN | SIGNED
    for method in route.methods
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home")) as running:
        running.upload_plant(tmp_path_factory.mktemp("plant"))
        yield running


@pytest.fixture(scope="module")
def done(service):
    return service.wait(service.create(request(**SMALL)))


@pytest.fixture(scope="module")
def places(service, done):
    """An id of the first organisation for each parameter of a path."""
    file = service.upload("mine.csv", b"x\n1\n")
    begun = service.post("/files/uploads/initiate", {"filename": "begun.csv", "num_bytes": 3})
    return {
        "job_id": done["id"],
        "file": file["file_uid"],
        "upload_id": begun["upload_id"],
        "pipeline": "activity-detection",
    }


@pytest.fixture(scope="module")
def nobody(service):
    """A client without a key."""
    with httpx.Client(base_url=service.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def access(service):
    return Access(Home(service.home))


@pytest.fixture(scope="module")
def stranger(service, access):
    """A client of another organisation, with a good key."""
    _, key = access.create_key("stranger", "org_00000000000000000000000009")
    with httpx.Client(base_url=service.address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        yield client


def fill(path, places):
    """Put ids into a path; a parameter that this test does not know has to be given one here."""
    return re.sub(r"{(\w+)}", lambda found: places[found[1]], path)


def without_uid(answer):
    return re.sub(r"err_[0-9a-z]{26}", "err", answer.text)


def process_memory(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) << 10


# Keys


def test_every_route_is_keyed_signed_or_open_by_intent():
    assert {route.path for route in ROUTES} >= {"/healthz", "/metrics"} | SIGNED
    assert len(KEYED) >= 34
    assert all(path.startswith(("/v0.5/", "/v0.6/")) for _, path in KEYED)
    others = {route.path for route in ROUTES if not isinstance(route, APIRoute)}
    assert others <= OPEN, "a route that this test cannot ask"


@pytest.fixture(scope="module")
def revoked(nobody, access):
    key, text = access.create_key("gone")
    assert nobody.get("/v0.5/files", headers={"Authorization": f"bearer  {text}"}).status_code == 200
    access.revoke(key.id)
    return text


@pytest.mark.parametrize("place", KEYED, ids=" ".join)
def test_no_endpoint_answers_without_a_good_key(service, nobody, places, revoked, place):
    method, path = place[0], fill(place[1], places)
    said = set()
    wrong = (
        "Bearer",
        "Bearer wrong",
        f"Bearer {revoked}",
        f"Bearer {service.key[:-1]}",
        service.key,
        f"Basic {service.key}",
    )
    for headers in ({}, *({"Authorization": text} for text in wrong)):
        answer = nobody.request(method, path, headers=headers)
        assert answer.status_code == 401, headers
        assert answer.json()["errors"][0]["code"] == "unauthorized"
        said.add(without_uid(answer))
    assert len(said) == 1


# Other organisations


@pytest.mark.parametrize("place", [place for place in KEYED if "{" in place[1]], ids=" ".join)
def test_ids_of_others_are_as_unknown_as_those_of_nobody(service, stranger, places, place):
    method, path = place
    if set(re.findall(r"{(\w+)}", path)) <= OF_NOBODY:
        return
    unknown = {name: new_id(known.split("_")[0]) for name, known in places.items() if "_" in known}
    bodies = [None, {"part_numbers": [1], "parts": [{"part_number": 1, "part_token": "x"}]}]
    for body in bodies if method == "POST" else bodies[:1]:
        theirs = stranger.request(method, fill(path, places), json=body)
        nobodys = stranger.request(method, fill(path, unknown), json=body)
        assert theirs.status_code == nobodys.status_code == 404, theirs.text
        ids = "|".join([*places.values(), *unknown.values()])
        assert re.sub(ids, "ID", without_uid(theirs)) == re.sub(ids, "ID", without_uid(nobodys))
        assert {name: value for name, value in theirs.headers.items() if name not in ("date", "content-length")} == {
            name: value for name, value in nobodys.headers.items() if name not in ("date", "content-length")
        }


def test_what_is_anothers_is_not_listed_named_or_taken(service, stranger, places, done):
    assert stranger.get("/v0.5/batch/jobs").json()["total"] == 0
    assert stranger.get("/v0.5/batch/jobs", params={"q": done["id"]}).json()["total"] == 0
    assert stranger.get("/v0.5/files").json()["data"] == stranger.get("/v0.5/files/metadata").json() == []
    assert stranger.get("/v0.5/files/info").json()["num_files"] == 0
    assert stranger.get("/v0.5/files", params={"after": places["file"]}).json()["data"] == []
    for name in (places["file"], "line7.csv"):
        body = request(**SMALL)
        body["inputs"]["worker.inference"] = [{"file_id": name}]
        told = stranger.post("/v0.5/batch/jobs", json=body).json()
        assert (
            told["errors"][0]["message"]
            == f"Failed to resolve file inputs: worker.inference[0] {name!r} is not uploaded."
        )
    resumed = {"filename": "begun.csv", "num_bytes": 3, "resume_if_started": True}
    own = stranger.post("/v0.5/files/uploads/initiate", json=resumed).json()
    assert (own["is_resume"], own["upload_id"] != places["upload_id"]) == (False, True)
    stranger.post("/v0.5/files", files={"file": ("mine.csv", b"theirs\n", "text/csv")})
    assert service.client.get("/v0.5/files/download/mine.csv").content == b"x\n1\n"
    assert stranger.get("/v0.5/files/download/mine.csv").content == b"theirs\n"
    keyed = {"json": request(**SMALL), "headers": {"Idempotency-Key": "shared"}}
    mine = service.client.post("/v0.5/batch/jobs", **keyed)
    assert (mine.status_code, stranger.post("/v0.5/batch/jobs", **keyed).status_code) == (201, 400)
    service.wait(mine.json()["id"])
    assert service.get(f"/batch/jobs/{done['id']}")["status"] == "COMPLETED", "no call of a stranger did anything"
    again = service.post("/files/uploads/initiate", resumed)
    assert (again["upload_id"], again["is_resume"]) == (places["upload_id"], True)


def test_ids_that_are_none_are_unknown(service):
    for text in (
        "%00",
        "%ED%A0%80",
        "%2e%2e%2f",
        "..%5c",
        "%0d%0aX:%20y",
        "'%20OR%201=1--",
        "%F0%9F%98%80",
        "x" * 5000,
    ):
        for path in (
            f"/batch/jobs/{text}",
            f"/batch/jobs/{text}/outputs",
            f"/files/metadata/{text}",
            f"/files/download/{text}",
        ):
            answer = service.client.get(f"/v0.5{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), path
            assert "x" not in answer.headers
    for name in ("q", "status", "pipeline_key"):
        assert service.client.get(f"/v0.5/batch/jobs?{name}=%00%ED%A0%80'%25").json()["total"] == 0
    body = json.dumps(request(**SMALL)).encode()
    for key in (b"\xff\xfe", b"a" * 5000, b"'; DROP TABLE jobs; --"):
        made = service.client.post("/v0.5/batch/jobs", content=body, headers={b"Idempotency-Key": key})
        assert made.status_code == 201, made.text
        service.wait(made.json()["id"])


# Links


def split_link(link):
    parts = urlsplit(link)
    return parts.path.removeprefix("/blob/"), {name: values[0] for name, values in parse_qs(parts.query).items()}


def test_a_link_is_good_for_one_object_one_way_and_its_time(service, done, access):
    outputs = service.get(f"/batch/jobs/{done['id']}/outputs")["outputs"]
    place, query = split_link(outputs[0]["data"]["ref"])
    other = split_link(outputs[1]["data"]["ref"])[0]
    file = split_link(service.get(f"/batch/jobs/{done['id']}/inputs")["inputs"][0]["data"]["ref"])[0]
    begun = service.post("/files/uploads/initiate", {"filename": "signed.csv", "num_bytes": 4})
    part, part_query = split_link(begun["parts"][0]["url"])
    signer = Signer(access)
    past, future = int(time.time()) - 1, int(time.time()) + 600

    def signed(method, place, expires):
        return dict(pair.split("=") for pair in signer.sign(method, place, expires).split("&"))

    def ask(method, place, query):
        return httpx.request(
            method, f"{service.address}/blob/{place}", params=query, content=b"abcd" if method == "PUT" else None
        )

    assert ask("GET", place, query).status_code == 200
    assert ask("GET", place, signed("GET", place, future)).status_code == 200  # what the test signs is good
    refused = {
        "expired": ("GET", place, signed("GET", place, past)),
        "for another output": ("GET", other, query),
        "for an input": ("GET", file, query),
        "longer": ("GET", place, query | {"exp": str(int(query["exp"]) + 1)}),
        "as another number": ("GET", place, query | {"exp": f"0{query['exp']}"}),
        "no key id": ("GET", place, query | {"kid": ""}),
        "another key id": ("GET", place, query | {"kid": new_id("sec")}),
        "no signature": ("GET", place, query | {"sig": ""}),
        "a signature that is no hexadecimal": ("GET", place, query | {"sig": "é" * 64}),
        "nothing": ("GET", place, {}),
        "for writing": ("GET", part.split("/")[0], part_query),
        "for reading, to write": ("PUT", part, signed("GET", part, future)),
        "of another part": ("PUT", f"{part[:-1]}2", part_query),
        "of another upload": ("PUT", f"{new_id('upl')}/1", part_query),
        "expired, to write": ("PUT", part, signed("PUT", part, past)),
        "an output's, to write": ("PUT", f"{place}/1", query),
    }
    for what, (method, where, given) in refused.items():
        answer = ask(method, where, given)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), what
        assert re.search(r"This link (is not valid|has expired)\.", answer.json()["message"])
    for method in ("POST", "DELETE", "PATCH", "PUT"):
        assert ask(method, place, query).status_code == 405
    assert ask("PUT", f"{part}/x", part_query).status_code == 404
    tag = ask("PUT", part, part_query).headers["etag"]
    told = {"parts": [{"part_number": 1, "part_token": tag}]}
    assert service.post(f"/files/uploads/{begun['upload_id']}/complete", told)["num_bytes"] == 4
    assert ask("PUT", part, part_query).status_code == 409, "a finished upload is not written to"


def test_a_new_secret_leaves_links_good_once(service, done, access):
    path = f"/batch/jobs/{done['id']}/outputs"
    old = service.get(path)["outputs"][0]["data"]["ref"]
    access.rotate()
    between = service.get(path)["outputs"][0]["data"]["ref"]
    assert split_link(old)[1]["kid"] != split_link(between)[1]["kid"]
    assert [httpx.get(link).status_code for link in (old, between)] == [200, 200]
    access.rotate()
    assert [httpx.get(link).status_code for link in (old, between)] == [403, 200]


# Names

BAD_NAMES = [
    "../x.csv",
    "..\\x.csv",
    "/etc/passwd",
    "a/../b",
    ".",
    "..",
    "a\0.csv",
    "a\nb.csv",
    "x" * 300 + ".csv",
    "é" * 128,
    "\x7f",
    "\x9bm",
]
ODD_NAMES = [
    "\u202egnp.csv",  # written from right to left
    "..\uff0f..\uff0fetc\uff0fpasswd.csv",  # slashes that are none
    "\u2024\u2024\u2215x.csv",
    "…",
    "%2e%2e%2fx.csv",
    'quote".csv',
    "a;filename=b.csv",
    "COM1",
    " .csv",
    "-rf",
    "\U0001f600.csv",
    "ﬁle.csv",  # not to be taken for file.csv
    "x" * 251 + ".csv",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_names_that_lead_elsewhere_are_refused_on_every_way_in(service, name):
    encoded = base64.b64encode(b"x\n1\n").decode()
    for answer in (
        service.client.post("/v0.5/files/base64", json={"filename": name, "data": encoded}),
        service.client.post("/v0.5/files/uploads/initiate", json={"filename": name, "num_bytes": 3}),
        service.client.post(
            "/v0.5/files", content=form(name), headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
    ):
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] in ("invalid_filename", "INVALID_REQUEST", "missing_parameter")


def form(name):
    """A form whose file name is sent as it is, as a client that means harm does."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name.encode().replace(
        b"\\", b"\\\\"
    )
    return head + b"x\n1\n\r\n--b--\r\n"


def test_half_a_character_is_no_name(service):
    for path, rest in (("/base64", '"data": "eDEK"'), ("/uploads/initiate", '"num_bytes": 3')):
        body = b'{"filename": "\\ud800.csv", %s}' % rest.encode()
        answer = service.client.post(f"/v0.5/files{path}", content=body)
        assert (answer.status_code, answer.json()["code"]) in ((400, "INVALID_REQUEST"), (400, "invalid_filename"))


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_odd_names_are_only_names(service, name):
    before = sorted(path for path in service.home.rglob("*") if path.is_dir())
    data = base64.b64encode(f"x\n{name}\n".encode()).decode()
    made = service.post("/files/base64", {"filename": name, "data": data})
    assert made["file_id"] == name
    assert service.get(f"/files/metadata/{quote(name, safe='')}")["file_uid"] == made["file_uid"]
    assert service.get("/files", limit=1)["data"][0]["file_id"] == name
    found = service.client.get(f"/v0.5/files/download/{made['file_uid']}")
    assert found.text == f"x\n{name}\n"
    assert not re.search(r'filename="[^"]*(\.\./|/|\\)', found.headers["content-disposition"])
    folders = sorted(path for path in service.home.rglob("*") if path.is_dir())
    assert {path.parent.name for path in set(folders) - set(before)} <= {"content"}
    assert service.client.delete(f"/v0.5/files/delete/{quote(name, safe='')}").status_code == 200


def test_results_of_files_with_odd_names_stay_in_their_folder(service, tmp_path):
    plant = service.client.get("/v0.5/files/download/line7.csv").content
    names = ["..\uff0f..\uff0fx.csv", "\u202egnp.csv", "y" * 251 + ".csv", 'a";b.csv']
    for name in names:
        service.post("/files/base64", {"filename": name, "data": base64.b64encode(plant).decode()})
    body = request(**SMALL)
    body["inputs"]["worker.inference"] = [{"file_id": name} for name in names]
    job = service.wait(service.create(body))
    assert (job["status"], job["input_progress"]["completed"]) == ("COMPLETED", len(names)), job["error"]
    outputs = service.get(f"/batch/jobs/{job['id']}/outputs", limit=1000)["outputs"]
    assert {one["input_file_id"] for one in outputs} == set(names)
    for one in outputs:
        assert len(one["data"]["filename"].encode()) <= 255
        assert not set(one["data"]["filename"]) & set("/\\\0")
    assert len(httpx.get(outputs[0]["data"]["ref"]).content) == outputs[0]["data"]["num_bytes"]


# Senders that promise and do not keep it


def connect(service):
    parts = urlsplit(service.address)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def head(path, length, *lines):
    return "\r\n".join([f"PUT {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *lines, "", ""]).encode()


def test_a_part_that_is_promised_and_does_not_come_leaves_nothing(service):
    begun = service.post(
        "/files/uploads/initiate", {"filename": "ten.bin", "num_bytes": 10**10, "file_type": "text/plain"}
    )
    parts = urlsplit(begun["parts"][0]["url"])
    length = begun["parts"][0]["length"]
    folder = service.home / "uploads" / begun["upload_id"]
    target = f"{parts.path}?{parts.query}"
    with connect(service) as wrong:  # another length than the part's is refused before a byte of it came
        wrong.sendall(head(target, 10**10) + b"a")
        assert wrong.recv(65536).startswith(b"HTTP/1.1 400 ")
    with connect(service) as endless:
        endless.sendall(head(target, "9" * 30) + b"a")
        assert endless.recv(65536).startswith(b"HTTP/1.1 400 ")
    with connect(service) as stalled, connect(service) as gone:
        for line in (stalled, gone):
            line.sendall(head(target, length) + b"a")
        wait(lambda: len(list(folder.glob(".*.tmp"))) == 2)
        gone.close()
        wait(lambda: len(list(folder.glob(".*.tmp"))) == 1)
        assert service.get("/files/info")["num_files"] > 0  # others are served meanwhile
    wait(lambda: not list(folder.glob(".*.tmp")))
    assert [path.name for path in folder.iterdir()] == ["upload.json"]
    path = f"/files/uploads/{begun['upload_id']}"
    assert (
        service.post(f"{path}/complete", {"parts": [{"part_number": 1, "part_token": "x"}]}, 400)["code"]
        == "invalid_part"
    )
    assert service.post(f"{path}/abort")["aborted"] is True


def test_uploads_that_break_off_leave_nothing(service):
    for sent in (b"", b"--b\r\n", form("broken.csv")[:-20]):
        with connect(service) as line:
            told = [f"Authorization: Bearer {service.key}", "Content-Type: multipart/form-data; boundary=b"]
            line.sendall(head("/v0.5/files", 10**8, *told).replace(b"PUT", b"POST") + sent)
    wait(lambda: not list((service.home / "incoming").iterdir()))
    assert service.client.get("/v0.5/files/metadata/broken.csv").status_code == 404


def wait(check):
    pause = threading.Event()
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline
        pause.wait(0.01)


# Bodies

BODIES = {
    "nested lists": b"[" * 200_000,
    "nested objects": b'{"a":' * 200_000,
    "nested and closed": b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number of many digits": b'{"name": ' + b"9" * 1_000_000 + b"}",
    "no end": b'{"name": "',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a list": b"[]",
    "a NUL": b"\0",
    "UTF-16 without a mark, and half a character": '{"name": "\\ud800"}'.encode("utf-16-le"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/batch/jobs", "/files/base64", "/files/uploads/initiate", "/batch/jobs/{job}/retry"])
def test_bodies_that_mean_harm_are_refused_at_once(service, done, path, body):
    answer = service.client.post(f"/v0.5{path}".replace("{job}", done["id"]), content=BODIES[body])
    assert answer.status_code == 400, answer.text
    assert len(answer.content) < 8192


def test_a_body_of_100_mb_is_refused_before_it_comes(service):
    for path in ("/batch/jobs", "/files/base64", "/files/uploads/initiate"):
        with connect(service) as line:
            head_only = head(f"/v0.5{path}", 100 * MB, f"Authorization: Bearer {service.key}").replace(b"PUT", b"POST")
            line.sendall(head_only)
            assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_cut_off_where_it_is_too_long(service):
    memory = process_memory(service.process.pid)

    def pieces():
        for _ in range(100):
            yield b" " * MB

    answer = service.client.post("/v0.5/batch/jobs", content=pieces())
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert len(answer.json()["errors"]) == 1
    assert process_memory(service.process.pid) - memory < 250 * MB


def test_of_keys_that_are_given_twice_the_last_one_counts_everywhere(service):
    text = json.dumps(request(**SMALL)).replace('"name": "line7-states"', '"name": "first", "name": "last"')
    made = service.client.post("/v0.5/batch/jobs", content=text)
    assert (made.status_code, made.json()["name"]) == (201, "last")
    service.wait(made.json()["id"])


@pytest.mark.parametrize("name", ["../../engine.db", "/etc/passwd", "..", "a\0", "models/../x", "\u202e", "x" * 10_000])
def test_names_of_models_lead_nowhere_else(service, name):
    asked = prompts("line7.csv")
    asked["parameters"]["worker"]["config"] |= {"model_variant": name}
    for body in (request(model_type=name), asked):
        told = service.post("/batch/jobs", body, 400)
        assert told["code"] == "invalid_parameter"
        assert str(service.home) not in json.dumps(told)


HUGE = [2**31, 2**53, 2**63 - 1, 2**63, 10**30]


@pytest.mark.parametrize("number", HUGE)
def test_huge_numbers_are_refused_or_mean_what_they_say(service, number):
    config = {"batch_size": number, "flush_every_n_iteration": number, "neighbours": number}
    body = request(**config)
    body["parameters"]["worker"]["parallelism"] = number
    made = service.client.post("/v0.5/batch/jobs", json=body)
    assert made.status_code in (201, 400), made.text
    if made.status_code == 201:
        job = service.wait(made.json()["id"])
        assert (job["status"], job["engine"]["records"]["total"]) == ("COMPLETED", 137), job["error"]
    for part in ({"step_size": number}, {"window_size": number}):
        answer = service.client.post("/v0.5/batch/jobs", json=request(reader_config=part))
        assert answer.status_code == 400
    assert (
        service.client.post("/v0.5/batch/jobs", json=request(classifier_config={"n_neighbors": number})).status_code
        == 400
    )
    for query in (f"offset={number}", f"limit={number}", f"offset=-{number}"):
        assert service.client.get(f"/v0.5/batch/jobs?{query}").status_code in (200, 400)
    begun = service.client.post(
        "/v0.5/files/uploads/initiate", json={"filename": "n.csv", "num_bytes": 10**12 + number}
    )
    assert (begun.status_code, begun.json()["code"]) == (413, "invalid_file_size")
    assert service.get("/batch/jobs", limit=5)["jobs"]


# Small files that become large ones

HEADER = b"timestamp,speed,current,flow\n"
BOMB = 256  # times a megabyte


def bomb(kind, begin, piece):
    """A small file that becomes a quarter of a gigabyte: `begin`, and then `piece` again and again."""
    pack = gzip.compress if kind == "gz" else zstandard.compress
    return pack(begin) + pack(piece * (MB // len(piece))) * BOMB


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_files_that_grow_a_thousandfold_are_looked_at_in_bounded_memory_and_time(service, kind):
    files = {
        f"rows.csv.{kind}": bomb(kind, HEADER, b"1,2,3,4\n"),
        f"line.csv.{kind}": bomb(kind, HEADER, b"1"),
        f"head.csv.{kind}": bomb(kind, b"timestamp", b","),
        f"name.csv.{kind}": bomb(kind, b"timestamp,", b"x"),
        f"line.jsonl.{kind}": bomb(kind, b'{"prompt": "', b"a"),
        f"blank.jsonl.{kind}": bomb(kind, b'{"prompt": "a"}', b"\n"),
    }
    pid = service.process.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    memory = process_memory(pid)
    for name, content in files.items():
        assert len(content) < MB
        service.upload(name, content, "application/gzip")
        columns = service.get(f"/files/metadata/{name}")["file_attributes"]
        assert columns is None or columns["num_columns"] == 4
    job = service.post("/batch/jobs?dry_run=true", inference(f"rows.csv.{kind}"))
    assert job["estimate"]["windows"] == pytest.approx(BOMB * MB // 8, rel=0.5)
    shots = inference("line7.csv")
    shots["inputs"]["worker.n_shots"][0]["file_id"] = f"line.csv.{kind}"
    assert service.post("/batch/jobs", shots, 400)["code"] == "not_enough_shots"
    for name in ("head", "name"):
        told = service.post("/batch/jobs", inference(f"{name}.csv.{kind}"), 400)
        assert "a row of more than 16777216 bytes" in told["message"]
    assert service.post("/batch/jobs?dry_run=true", prompts(f"blank.jsonl.{kind}"))["valid"] is True
    assert process_memory(pid) - memory < 250 * MB
    failed = service.wait(service.create(inference(f"line.csv.{kind}")))
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "malformed_row")
    failed = service.wait(service.create(prompts(f"line.jsonl.{kind}")))
    assert (failed["status"], failed["engine"]["records"]["failed"]) == ("FAILED", 1)
    assert max(map(process_memory, service.workers())) < 1200 * MB


def inference(name):
    body = request()
    body["inputs"]["worker.inference"] = [{"file_id": name}]
    return body


def prompts(name):
    generation = {"max_new_tokens": 1, "do_sample": False}
    return {
        "name": "prompts",
        "pipeline_type": "batch",
        "pipeline_key": "activity-detection",
        "inputs": {"worker.data": [{"file_id": name}]},
        "parameters": {"worker": {"config": {"generation": generation}}},
    }


# Parquet that lies


def parquet():
    out = io.BytesIO()
    pl.DataFrame(
        {"timestamp": range(300), **{name: [float(n % 7) for n in range(300)] for name in ("speed", "current", "flow")}}
    ).write_parquet(out)
    return out.getvalue()


def hostile_parquet():
    data = parquet()
    length = int.from_bytes(data[-8:-4], "little")
    body, footer = data[: -8 - length], data[-8 - length : -8]

    def rows(count):
        """The file with another number of rows in its footer, where Thrift has it as a zigzag number of seven bits a byte."""
        number, written = count << 1, b""
        while number > 127:
            number, written = number >> 7, written + bytes((number & 127 | 128,))
        changed = footer.replace(b"\xd8\x04", written + bytes((number,)))
        return body + changed + len(changed).to_bytes(4, "little") + b"PAR1"

    return {
        "cut in the footer": data[:-20],
        "no footer": body,
        "a footer of 4 GB": data[:-8] + b"\xff\xff\xff\xffPAR1",
        "a footer of nothing": data[:-8] + b"\0\0\0\0PAR1",
        "the footer is the file": data[:-8] + (len(data) - 8).to_bytes(4, "little") + b"PAR1",
        "only a head": b"PAR1\x15\x04\x15",
        "rows beyond all measure": rows(2**62),
        "more rows than there are": rows(400),
    }


@pytest.mark.parametrize("case", hostile_parquet())
def test_parquet_with_hostile_metadata_fails_with_a_sentence(service, case):
    service.upload("hostile.parquet", hostile_parquet()[case], "application/x-parquet")
    answer = service.client.post("/v0.5/batch/jobs", json=inference("hostile.parquet"))
    assert answer.status_code in (201, 400), answer.text
    text = answer.text
    if answer.status_code == 201:
        job = service.wait(answer.json()["id"])
        text = json.dumps(job["error"])
        assert job["status"] == "FAILED"
    assert "is a damaged or truncated Parquet file" in text
    assert "/content/" not in text


def test_whole_parquet_is_read(service):
    service.upload("whole.parquet", parquet(), "application/x-parquet")
    assert service.wait(service.create(inference("whole.parquet")))["engine"]["records"]["total"] == 237


def test_the_server_is_still_the_one_that_it_was(service):
    assert service.process.poll() is None
    assert {job["status"] for job in service.get("/batch/jobs", limit=1000)["jobs"]} <= set(FINAL)
    assert httpx.get(f"{service.address}/healthz").json()["status"] == "ok"
