"""The contract of uploads in parts: initiate, put, renew, checkpoint, complete, abort."""

import base64
import hashlib
from datetime import datetime

import pytest
from google_crc32c import Checksum

UPLOADS = "/v0.5/files/uploads"
CONTENT = b"timestamp,speed\n" + b"1,2.5\n" * 50
PART = 419_430_400
ANSWER = "upload_id file_uid file_name total_bytes strategy num_parts part_size is_resume integrity_algorithm expires_at parts"


def initiate(plant, name, status=200, **more):
    asked = {"filename": name, "file_type": "text/csv", "num_bytes": len(CONTENT), **more}
    return plant.call("POST", f"{UPLOADS}/initiate", status, json=asked).json()


def put(plant, begun, content=CONTENT):
    answer = plant.anyone.put(begun["parts"][0]["url"], content=content)
    assert answer.status_code == 200, answer.text
    return {"part_number": begun["parts"][0]["part_number"], "part_token": answer.headers["etag"]}


def test_a_small_file_is_one_part(plant_service):
    begun = initiate(plant_service, "small.csv")
    assert list(begun) == ANSWER.split()
    assert begun["upload_id"].startswith("upl_")
    assert begun["file_uid"].startswith("fil_")
    assert (begun["file_name"], begun["total_bytes"], begun["part_size"]) == ("small.csv", len(CONTENT), PART)
    assert (begun["strategy"], begun["num_parts"]) == ("simple", 1)
    assert (begun["is_resume"], begun["integrity_algorithm"]) == (False, "crc32c")
    (part,) = begun["parts"]
    assert list(part) == ["part_number", "url", "offset", "length", "expires_at"]
    assert (part["part_number"], part["offset"], part["length"]) == (1, 0, len(CONTENT))
    assert part["url"].startswith(f"{plant_service.service.address}/blob/{begun['upload_id']}/1?")
    tag = put(plant_service, begun)["part_token"]
    assert tag == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    told = {"parts": [{"part_number": 1, "part_token": tag.strip('"')}]}
    done = plant_service.call("POST", f"{UPLOADS}/{begun['upload_id']}/complete", 200, json=told).json()
    assert done == {
        "file_uid": begun["file_uid"],
        "file_name": "small.csv",
        "num_bytes": len(CONTENT),
        "file_status": "Registered",
        "file_attributes": {"column_headers": ["timestamp", "speed"], "num_columns": 2},
    }
    record = plant_service.read("/files/metadata/small.csv")
    assert (record["file_uid"], record["num_bytes"]) == (begun["file_uid"], len(CONTENT))
    for again in ("complete", "abort", "parts/checkpoint"):
        assert plant_service.refused("POST", f"{UPLOADS}/{begun['upload_id']}/{again}", 409, json=told) == "conflict"
    late = plant_service.anyone.put(part["url"], content=CONTENT)
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    known = initiate(plant_service, "small.csv", 409)
    assert (known["code"], known["message"]) == ("conflict", "File already exists: small.csv")
    assert initiate(plant_service, "small.csv", 409, resume_if_started=True)["code"] == "conflict"
    plant_service.call("DELETE", "/v0.5/files/small.csv", 200)
    anew = initiate(plant_service, "small.csv")
    plant_service.call("POST", f"{UPLOADS}/{anew['upload_id']}/abort", 200)


def test_a_large_file_is_parts_that_touch(plant_service):
    size = 2 * PART + 5
    begun = initiate(plant_service, "large.csv", num_bytes=size)
    assert (begun["strategy"], begun["num_parts"]) == ("multipart", 3)
    assert [(one["part_number"], one["offset"], one["length"]) for one in begun["parts"]] == [
        (1, 0, PART),
        (2, PART, PART),
        (3, 2 * PART, 5),
    ]
    assert all(one["offset"] % (1 << 20) == 0 for one in begun["parts"])
    path = f"{UPLOADS}/{begun['upload_id']}"
    asked = plant_service.call("POST", f"{path}/parts/urls", 200, json={"part_numbers": [3, 1, 3]}).json()["parts"]
    assert [one["part_number"] for one in asked] == [3, 1, 3]
    assert asked[0]["length"] == 5
    part = put(plant_service, {"parts": asked}, b"1,2\n\n")
    noted = plant_service.call("POST", f"{path}/parts/checkpoint", 200, json={"parts": [part]}).json()
    assert noted == {"num_checkpointed": 1}
    again = initiate(plant_service, "large.csv", num_bytes=size, resume_if_started=True)
    assert (again["upload_id"], again["is_resume"], again["num_parts"]) == (begun["upload_id"], True, 3)
    assert again["total_bytes"] == size
    assert [one["part_number"] for one in again["parts"]] == [1, 2]
    for other in ({"num_bytes": size + 1}, {"num_bytes": size, "file_type": "text/plain"}):
        assert initiate(plant_service, "large.csv", 409, resume_if_started=True, **other)["code"] == "conflict"
    assert plant_service.refused("POST", f"{path}/complete", 400, json={"parts": []}) == "invalid_part"
    fresh = initiate(plant_service, "large.csv", num_bytes=size)
    assert fresh["upload_id"] != begun["upload_id"]
    assert plant_service.refused("POST", f"{path}/abort", 404) == "upload_not_found"
    gone = plant_service.call("POST", f"{UPLOADS}/{fresh['upload_id']}/abort", 200).json()
    assert gone == {"upload_id": fresh["upload_id"], "aborted": True}


def test_a_part_has_its_length_its_link_and_may_be_put_again(plant_service):
    begun = initiate(plant_service, "part.csv", file_type=None)
    url, path = begun["parts"][0]["url"], f"{UPLOADS}/{begun['upload_id']}"
    for content in (CONTENT[:-1], CONTENT + b"x", b""):
        wrong = plant_service.anyone.put(url, content=content)
        assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "invalid_part")
    for forged in (url.replace("/1?", "/2?"), url.replace("sig=", "sig=0"), url.replace("exp=", "exp=9")):
        refused = plant_service.anyone.put(forged, content=CONTENT)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "forbidden")
    first = put(plant_service, begun, CONTENT[::-1])
    second = plant_service.anyone.put(
        url, content=CONTENT, headers={"Content-Type": "text/weird", "Expect": "100-continue"}
    )
    assert second.headers["etag"] != first["part_token"]
    told = {"parts": [first]}
    assert plant_service.refused("POST", f"{path}/parts/checkpoint", 400, json=told) == "invalid_part"
    assert plant_service.refused("POST", f"{path}/complete", 400, json=told) == "invalid_part"
    told = {"parts": [{"part_number": 1, "part_token": second.headers["etag"]}]}
    plant_service.call("POST", f"{path}/parts/checkpoint", 200, json=told)
    checksum = base64.b64encode(Checksum(CONTENT).digest()).decode()
    plant_service.call("POST", f"{path}/complete", 200, json={"parts": [], "integrity_checksum": checksum})
    assert plant_service.call("GET", "/v0.5/files/download/part.csv", 200).content == CONTENT
    plant_service.call("DELETE", "/v0.5/files/part.csv", 200)


def test_what_is_no_table_says_so(plant_service):
    begun = initiate(plant_service, "words.txt", file_type="text/plain")
    done = plant_service.call(
        "POST", f"{UPLOADS}/{begun['upload_id']}/complete", 200, json={"parts": [put(plant_service, begun)]}
    ).json()
    assert done["file_attributes"] == {"metadata_status": "not_extracted"}
    plant_service.call("DELETE", "/v0.5/files/words.txt", 200)


def test_another_checksum_spoils_the_upload_and_frees_the_name(plant_service):
    begun = initiate(plant_service, "torn.csv")
    told = {"parts": [put(plant_service, begun)], "integrity_checksum": "AAAAAA=="}
    path = f"{UPLOADS}/{begun['upload_id']}"
    assert plant_service.refused("POST", f"{path}/complete", 400, json=told) == "integrity_check_failed"
    assert plant_service.refused("POST", f"{path}/complete", 409, json=told) == "conflict"
    assert plant_service.refused("GET", "/v0.5/files/metadata/torn.csv", 404) == "NOT_FOUND"
    plant_service.call("POST", f"{path}/abort", 200)
    plant_service.call("POST", f"{UPLOADS}/{initiate(plant_service, 'torn.csv')['upload_id']}/abort", 200)


def test_links_of_parts_say_until_when(plant_service):
    begun = initiate(plant_service, "until.csv")
    (part,) = begun["parts"]
    until = datetime.fromisoformat(part["expires_at"])
    assert f"exp={int(until.timestamp())}" in part["url"]
    assert datetime.fromisoformat(begun["expires_at"]) >= until
    plant_service.call("POST", f"{UPLOADS}/{begun['upload_id']}/abort", 200)


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({}, ["missing_parameter", "missing_parameter"]),
        ({"filename": 1, "file_type": 2, "num_bytes": "3", "resume_if_started": 4}, None),
        ({"filename": "x.csv", "num_bytes": 0}, ["invalid_file_size"]),
        ({"filename": "x.csv", "num_bytes": -1}, ["invalid_file_size"]),
        ({"filename": "x.csv", "num_bytes": True}, ["missing_parameter"]),
        ({"filename": "x.csv", "num_bytes": 5, "file_type": "application/x-sh"}, ["invalid_file_type"]),
    ],
)
def test_an_initiate_that_cannot_be(plant_service, asked, codes):
    errors = plant_service.call("POST", f"{UPLOADS}/initiate", 400, json=asked).json()["errors"]
    assert len(errors) == 4 if codes is None else [error["code"] for error in errors] == codes


def test_more_than_the_largest_file_is_413(plant_service):
    error = initiate(plant_service, "huge.csv", 413, num_bytes=250_000_000_001)
    assert [one["code"] for one in error["errors"]] == ["invalid_file_size"]


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        ("parts/urls", {}, "invalid_parameter"),
        ("parts/urls", {"part_numbers": "1"}, "invalid_parameter"),
        ("parts/urls", {"part_numbers": [0]}, "invalid_part"),
        ("parts/urls", {"part_numbers": [2]}, "invalid_part"),
        ("parts/urls", {"part_numbers": [1.0]}, "invalid_part"),
        ("parts/checkpoint", {"parts": [{}]}, "invalid_parameter"),
        ("parts/checkpoint", {"parts": [{"part_number": 1, "part_token": "x"}]}, "invalid_part"),
        ("parts/checkpoint", {"parts": [{"part_number": 9, "part_token": "x"}]}, "invalid_part"),
        ("complete", {"parts": 3}, "invalid_parameter"),
        ("complete", {"parts": []}, "invalid_part"),
        ("complete", {"parts": [], "integrity_checksum": 1}, "invalid_parameter"),
    ],
)
def test_calls_on_an_upload_that_are_wrong(plant_service, path, asked, code):
    begun = initiate(plant_service, "wrong.csv", resume_if_started=True)
    assert plant_service.refused("POST", f"{UPLOADS}/{begun['upload_id']}/{path}", 400, json=asked) == code
