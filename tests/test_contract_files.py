"""The contract of files: uploads of both kinds, lists, metadata, downloads, links, deleting."""

import base64
import hashlib
import struct
import time
import zlib
from urllib.parse import quote

import pytest
from contract import ID

FILES = "/v0.5/files"
RECORD = [
    "file_id",
    "file_uid",
    "is_valid",
    "file_type",
    "num_bytes",
    "file_status",
    "file_attributes",
    "ingested",
    "file_index",
    "file_tags",
]
TABLE = b"timestamp,speed\n1,2.5\n2,3.5\n"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 7, 5, 8, 2, 0, 0, 0) + b"\0" * 4


@pytest.fixture(scope="module")
def own(plant_service):
    """Seven files of this module, oldest first; they are deleted in the end."""
    names = [f"page_{n}.csv" for n in range(7)]
    uids = [plant_service.service.upload(name, TABLE)["file_uid"] for name in names]
    yield dict(zip(names, uids, strict=True))
    for name in names:
        plant_service.service.client.delete(f"{FILES}/{name}")


def send(plant, name, content=TABLE, kind="text/csv", status=200, path=FILES):
    return plant.call("POST", path, status, files={"file": (name, content, kind)}).json()


# Uploads


def test_an_upload_answers_name_and_uid_and_is_there(plant_service):
    before = plant_service.read("/files/info")
    told = send(plant_service, "one.csv")
    assert list(told) == ["is_valid", "file_id", "file_uid"]
    assert (told["is_valid"], told["file_id"]) == (True, "one.csv")
    record = plant_service.read("/files/metadata/one.csv")
    assert list(record) == RECORD
    assert record == plant_service.read(f"/files/metadata/{told['file_uid']}")
    assert (record["file_uid"], record["num_bytes"]) == (told["file_uid"], len(TABLE))
    assert record["file_status"] == "FILE_STATUS_REGISTERED"
    assert record["file_attributes"] == {
        "num_rows": None,
        "num_columns": 2,
        "column_headers": ["timestamp", "speed"],
    }
    after = plant_service.read("/files/info")
    assert list(after) == ["num_files", "num_bytes", "num_ingested", "last_updated"]
    assert after["num_files"] == before["num_files"] + 1
    assert after["num_bytes"] == before["num_bytes"] + len(TABLE)
    assert isinstance(after["last_updated"], float)
    assert abs(after["last_updated"] - time.time()) < 600
    again = send(plant_service, "one.csv", TABLE + b"3,4\n")
    assert again["file_uid"] != told["file_uid"]
    plant_service.call("GET", f"{FILES}/metadata/{told['file_uid']}", 404)
    assert plant_service.read("/files/info")["num_files"] == after["num_files"]
    plant_service.call("DELETE", f"{FILES}/delete/one.csv", 200)


def test_a_file_is_deleted_by_name_or_uid_on_both_paths_and_its_name_is_free(plant_service):
    for path, key in (
        ("delete/{}", "file_id"),
        ("delete/{}", "file_uid"),
        ("{}", "file_id"),
        ("{}", "file_uid"),
    ):
        told = send(plant_service, "free.csv")
        gone = plant_service.call("DELETE", f"{FILES}/{path.format(told[key])}", 200).json()
        assert gone == told
        for method, place in (
            ("GET", "metadata/free.csv"),
            ("GET", "download/free.csv"),
            ("DELETE", "delete/free.csv"),
            ("DELETE", told["file_uid"]),
        ):
            assert plant_service.refused(method, f"{FILES}/{place}", 404) == "NOT_FOUND"


@pytest.mark.parametrize(
    "name", ["a b.csv", "ä€𝄞.csv", "%41.csv", "q?x#&.csv", "a'b.csv", "n" * 251 + ".csv", "no_suffix"]
)
def test_a_name_stays_what_it_is(plant_service, name):
    told = send(plant_service, name)
    assert told["file_id"] == name
    place = quote(name, safe="")
    assert plant_service.read(f"/files/metadata/{place}")["file_id"] == name
    assert plant_service.call("GET", f"{FILES}/download/{place}", 200).content == TABLE
    assert plant_service.call("DELETE", f"{FILES}/{place}", 200).json()["file_id"] == name


@pytest.mark.parametrize("name", ["a/b.csv", "..", ".", "a\\b", "n" * 256, "tab\there", "line\nbreak", "del\x7f"])
def test_a_name_that_cannot_be_is_refused(plant_service, name):
    body = {"filename": name, "data": base64.b64encode(TABLE).decode()}
    assert plant_service.refused("POST", f"{FILES}/base64", 400, json=body) == "invalid_filename"
    asked = {"filename": name, "num_bytes": 5}
    assert plant_service.refused("POST", f"{FILES}/uploads/initiate", 400, json=asked) == "invalid_filename"


TYPES = {
    "t.csv": "text/csv",
    "t.txt": "text/plain",
    "t.json": "application/json",
    "t.jsonl": "application/x-ndjson",
    "t.parquet": "application/x-parquet",
    "t.csv.gz": "application/gzip",
    "t.csv.zst": "application/zstd",
    "t.jpg": "image/jpeg",
    "t.png": "image/png",
    "t.mp4": "video/mp4",
}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_taken_as_given_or_from_the_suffix(plant_service, name):
    for given, kept in (
        (TYPES[name], TYPES[name]),
        ("application/octet-stream", TYPES[name]),
        ("application/jsonl", "application/jsonl"),
        ("text/csv; charset=utf-8", "text/csv"),
    ):
        send(plant_service, name, b"content", given)
        assert plant_service.read(f"/files/metadata/{name}")["file_type"] == kept
    body = {"filename": name, "data": "YQ=="}
    plant_service.call("POST", f"{FILES}/base64", 200, json=body)
    assert plant_service.read(f"/files/metadata/{name}")["file_type"] == TYPES[name]
    assert send(plant_service, name, b"x", "application/x-sh", 400)["code"] == "invalid_file_type"
    plant_service.call("DELETE", f"{FILES}/{name}", 200)


def test_an_empty_file_and_a_form_without_one_are_refused(plant_service):
    assert send(plant_service, "e.csv", b"", status=400)["code"] == "invalid_file_size"
    assert send(plant_service, "e.csv", b"", status=400, path=f"{FILES}/base64")["code"] == "invalid_file_size"
    assert plant_service.refused("POST", FILES, 400, files={"other": ("e.csv", b"x")}) == "missing_parameter"
    assert plant_service.refused("POST", FILES, 400, data={"file": "x"}) == "INVALID_REQUEST"
    assert plant_service.refused("POST", FILES, 400, content=b"x") == "INVALID_REQUEST"
    torn = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n1,2'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert plant_service.refused("POST", FILES, 400, content=torn, headers=headers) == "INVALID_REQUEST"
    assert plant_service.refused("GET", f"{FILES}/metadata/t.csv", 404) == "NOT_FOUND"


def test_base64_comes_in_a_form_or_in_json_in_lines_or_without(plant_service):
    content = bytes(range(256)) * 300
    text = base64.b64encode(content)
    for body in (text, base64.encodebytes(content), text.replace(b"A", b"A\r\n ")):
        told = send(plant_service, "b.csv", body, path=f"{FILES}/base64")
        assert list(told) == ["is_valid", "file_id", "file_uid"]
        assert plant_service.call("GET", f"{FILES}/download/b.csv", 200).content == content
        asked = {"filename": "c.csv", "file_type": "text/csv", "data": body.decode(), "unknown": 1}
        plant_service.call("POST", f"{FILES}/base64", 200, json=asked)
        assert plant_service.call("GET", f"{FILES}/download/c.csv", 200).content == content
    for name in ("b.csv", "c.csv"):
        plant_service.call("DELETE", f"{FILES}/{name}", 200)


@pytest.mark.parametrize("text", ["YQ=", "Y", "Y$==", "ä", "YQ==YQ=="])
def test_what_is_not_base64_is_refused(plant_service, text):
    asked = {"filename": "c.csv", "data": text}
    assert plant_service.refused("POST", f"{FILES}/base64", 400, json=asked) == "INVALID_REQUEST"
    assert send(plant_service, "c.csv", text.encode(), status=400, path=f"{FILES}/base64")["code"] == "INVALID_REQUEST"
    assert plant_service.refused("GET", f"{FILES}/metadata/c.csv", 404) == "NOT_FOUND"


def test_every_missing_key_of_base64_in_json_is_told(plant_service):
    errors = plant_service.call("POST", f"{FILES}/base64", 400, json={"file_type": 3}).json()["errors"]
    assert [error["code"] for error in errors] == ["missing_parameter", "missing_parameter", "invalid_parameter"]


def test_a_picture_tells_its_size(plant_service):
    send(plant_service, "p.png", PNG + struct.pack(">I", zlib.crc32(PNG)), "image/png")
    attributes = plant_service.read("/files/metadata/p.png")["file_attributes"]
    assert attributes == {"width": 7, "height": 5, "num_channels": 3}
    plant_service.call("DELETE", f"{FILES}/p.png", 200)


# Lists


def test_files_come_newest_first_and_pages_go_both_ways(plant_service, own):
    whole = plant_service.read("/files", limit=1000)
    assert list(whole) == ["data", "has_more", "next_cursor", "prev_cursor"]
    assert (whole["has_more"], whole["next_cursor"], whole["prev_cursor"]) == (False, None, None)
    names = [file["file_id"] for file in whole["data"]]
    assert names[:7] == list(own)[::-1]
    assert all(list(file) == RECORD for file in whole["data"])
    walked, query = [], {}
    while True:
        page = plant_service.read("/files", limit=3, **query)
        walked.append(page)
        if not page["has_more"]:
            break
        assert page["next_cursor"] == page["data"][-1]["file_uid"]
        query = {"after": page["next_cursor"]}
    assert [file["file_id"] for page in walked for file in page["data"]] == names
    assert (walked[0]["prev_cursor"], walked[-1]["next_cursor"]) == (None, None)
    back = plant_service.read("/files", limit=3, before=walked[1]["prev_cursor"])
    assert back["data"] == walked[0]["data"]
    assert (back["has_more"], back["prev_cursor"]) == (False, None)
    assert back["next_cursor"] == walked[0]["next_cursor"]
    last = whole["data"][-1]["file_uid"]
    assert plant_service.read("/files", after=last)["data"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=a&before=b", "limit=-1"])
@pytest.mark.parametrize("path", ["", "/metadata"])
def test_cursor_pages_have_bounds(plant_service, path, query):
    assert plant_service.refused("GET", f"{FILES}{path}?{query}", 400) == "invalid_parameter"


def test_metadata_is_an_array_in_shards_or_a_page(plant_service, own):
    whole = plant_service.read("/files/metadata")
    assert [file["file_id"] for file in whole[:7]] == list(own)[::-1]
    assert len(whole) == plant_service.read("/files/info")["num_files"]
    assert plant_service.read("/files/metadata", max_items_per_shard=-1) == whole
    shards = []
    while shard := plant_service.read("/files/metadata", shard_index=len(shards), max_items_per_shard=4):
        shards.append(shard)
    assert [file for shard in shards for file in shard] == whole
    assert {len(shard) for shard in shards[:-1]} == {4}
    page = plant_service.read("/files/metadata", limit=2)
    assert page == plant_service.read("/files", limit=2)
    assert plant_service.read("/files/metadata", after=page["next_cursor"], limit=1000)["data"] == whole[2:]
    assert plant_service.read("/files/metadata", before=whole[2]["file_uid"])["data"] == whole[:2]
    for query in (
        "max_items_per_shard=0",
        "max_items_per_shard=1001",
        "max_items_per_shard=-2",
        "shard_index=-1",
        "limit=1&shard_index=x",
    ):
        assert plant_service.refused("GET", f"{FILES}/metadata?{query}", 400) == "invalid_parameter"


def test_metadata_can_be_of_one_type(plant_service, own):
    send(plant_service, "typed.txt", b"x", "text/plain")
    typed = plant_service.read("/files/metadata", file_type="text/plain")
    assert [file["file_id"] for file in typed] == ["typed.txt"]
    assert plant_service.read("/files/metadata", file_type="text/plain", limit=5)["data"] == typed
    assert plant_service.read("/files/metadata", file_type="video/mp4") == []
    plant_service.call("DELETE", f"{FILES}/typed.txt", 200)


# Bytes


def test_downloads_and_links_give_whole_files_and_ranges(plant_service):
    content = (plant_service.service.home.parent / "line7.csv").read_bytes()
    inputs = plant_service.read(f"/batch/jobs/{plant_service.partial['id']}/inputs")["inputs"]
    link = inputs[0]["data"]["ref"]
    linked = plant_service.anyone.get(link).content
    for url, whole in ((f"{FILES}/download/line7.csv", content), (link, linked)):
        answer = plant_service.call("GET", url, 200)
        assert answer.content == whole
        assert answer.headers["etag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
        assert answer.headers["accept-ranges"] == "bytes"
        for asked, piece in (
            ("bytes=0-0", whole[:1]),
            ("bytes=10-19", whole[10:20]),
            ("bytes=-7", whole[-7:]),
            ("bytes=5-", whole[5:]),
            ("bytes=5-99999999", whole[5:]),
        ):
            part = plant_service.call("GET", url, 206, headers={"Range": asked})
            assert part.content == piece
            first = len(whole) - 7 if asked == "bytes=-7" else int(asked[6:].partition("-")[0])
            assert part.headers["content-range"] == f"bytes {first}-{first + len(piece) - 1}/{len(whole)}"
        beyond = plant_service.call("GET", url, 416, headers={"Range": f"bytes={len(whole)}-"})
        assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
        assert beyond.json()["code"] == "invalid_parameter"
        assert plant_service.refused("GET", url, 400, headers={"Range": "bytes=x"}) == "invalid_parameter"
    assert plant_service.call("GET", f"{FILES}/download/line7.csv", 200).headers["content-type"] == BYTES
    seen = plant_service.anyone.head(link)
    assert (seen.status_code, seen.content) == (200, b"")
    assert seen.headers["content-length"] == str(len(linked))


BYTES = "application/octet-stream"


def test_a_link_is_for_what_it_was_made_for_and_for_its_time(plant_service):
    outputs = plant_service.read(f"/batch/jobs/{plant_service.partial['id']}/outputs", limit=2)["outputs"]
    link, other = (one["data"]["ref"] for one in outputs)
    own = link.partition("/blob/")[2].partition("?")[0]
    assert ID.match(own)
    query = link.partition("?")[2]
    for forged in (
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace("exp=1", "exp=9"),
        f"{other.partition('?')[0]}?{query}",
        link.partition("?")[0],
        link.replace("kid=", "kid=x"),
        f"{link.partition('/blob/')[0]}/blob/fil_00000000000000000000000000?{query}",
    ):
        assert plant_service.refused("GET", forged, 403) == "forbidden"
        assert plant_service.anyone.head(forged).status_code == 403
    assert plant_service.anyone.get(link, headers={"Authorization": "Bearer nonsense"}).status_code == 200
    assert plant_service.anyone.put(link, content=b"x").status_code == 405
