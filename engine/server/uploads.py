"""Routes of uploads in parts."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from engine.errors import Problem, RequestError
from engine.jobs.uploads import PART_BYTES, Part, Upload
from engine.server import bodies, shapes
from engine.server.asking import declared_bytes, read_object
from engine.server.description import told
from engine.server.house import house_of
from engine.server.links import Links
from engine.server.parameters import SIGNATURE, NumberPath, UploadPath

router = APIRouter(prefix="/v0.5/files/uploads", tags=["uploads"])
parts_router = APIRouter(prefix="/blob", tags=["links"])

MOST_PARTS = 10_000  # of one request


@router.post("/initiate", openapi_extra=told(shapes.Upload, body=bodies.InitiateUpload, errors=(409, 413, 503)))
async def initiate(request: Request) -> dict[str, Any]:
    """Begin an upload in parts, or go on with one. Then put each part's bytes to its link, and complete it."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    asked = await read_object(request)
    name, kind, size, resume = _read_initiate(asked)
    upload, resumed = await run_in_threadpool(house.uploads.initiate, org_id, name, kind, size, resume=resume)
    links = house.links(request)
    wanted = [part for part in upload.parts() if str(part.number) not in upload.checkpointed]
    return {
        "upload_id": upload.id,
        "file_uid": upload.file_uid,
        "file_name": upload.name,
        "total_bytes": upload.num_bytes,
        "strategy": "simple" if upload.num_parts == 1 else "multipart",
        "num_parts": upload.num_parts,
        "part_size": PART_BYTES,
        "is_resume": resumed,
        "integrity_algorithm": "crc32c",
        "expires_at": upload.expires_at,
        "parts": [_part_object(upload, part, links) for part in wanted],
    }


@router.post(
    "/{upload_id}/parts/urls", openapi_extra=told(shapes.PartLinks, body=bodies.PartNumbers, errors=(404, 413))
)
async def renew(request: Request, upload_id: UploadPath) -> dict[str, Any]:
    """Return fresh links of parts."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    numbers = (await read_object(request)).get("part_numbers")
    upload = await run_in_threadpool(house.uploads.find, org_id, upload_id)
    if not isinstance(numbers, list) or len(numbers) > MOST_PARTS:
        raise _wrong(f"part_numbers must be a list of at most {MOST_PARTS:,} numbers.", "part_numbers")
    for number in numbers:
        if not _is_whole(number) or not 1 <= number <= upload.num_parts:
            raise RequestError(
                [
                    Problem(
                        "invalid_part", f"part_numbers must be 1 to {upload.num_parts}; got {number!a}.", "part_numbers"
                    )
                ]
            )
    links = house.links(request)
    return {"parts": [_part_object(upload, upload.part(number), links) for number in numbers]}


@router.post(
    "/{upload_id}/parts/checkpoint",
    openapi_extra=told(shapes.Checkpointed, body=bodies.PartTokens, errors=(404, 409, 413, 503)),
)
async def checkpoint(request: Request, upload_id: UploadPath) -> dict[str, Any]:
    """Note parts that are known to be there. They need not be listed again at the end."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    await run_in_threadpool(house.uploads.find, org_id, upload_id)
    tokens = _tokens(await read_object(request))
    count = await run_in_threadpool(house.uploads.checkpoint, org_id, upload_id, tokens)
    return {"num_checkpointed": count}


@router.post(
    "/{upload_id}/complete",
    openapi_extra=told(shapes.CompletedFile, body=bodies.CompleteUpload, errors=(404, 409, 413, 503)),
)
async def complete(request: Request, upload_id: UploadPath) -> dict[str, Any]:
    """Make the parts a file. Parts that are noted or listed must cover it."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    await run_in_threadpool(house.uploads.find, org_id, upload_id)
    asked = await read_object(request)
    checksum = asked.get("integrity_checksum")
    if checksum is not None and not isinstance(checksum, str):
        raise _wrong("integrity_checksum must be a text.", "integrity_checksum")
    file = await run_in_threadpool(house.uploads.complete, org_id, upload_id, _tokens(asked), checksum)
    facts = file.attributes or {}
    columns: dict[str, Any] = {name: facts[name] for name in ("column_headers", "num_columns") if name in facts}
    return {
        "file_uid": file.uid,
        "file_name": file.name,
        "num_bytes": file.num_bytes,
        "file_status": "Registered",
        "file_attributes": columns or {"metadata_status": "not_extracted"},
    }


@router.post("/{upload_id}/abort", openapi_extra=told(shapes.AbortedUpload, errors=(404, 409)))
def abort(request: Request, upload_id: UploadPath) -> dict[str, Any]:
    """Give up an upload."""
    house = house_of(request)
    house.uploads.abort(house.doorman.organisation(request), upload_id)
    return {"upload_id": upload_id, "aborted": True}


@parts_router.put(
    "/{upload_id}/{number}",
    openapi_extra=told(
        None, query=SIGNATURE, body="application/octet-stream", errors=(400, 403, 404, 409, 503), etag=True, public=True
    ),
)
async def put_part(request: Request, upload_id: UploadPath, number: NumberPath) -> Response:
    """Take a part's bytes. The address is the link of the part."""
    house = house_of(request)
    await run_in_threadpool(house.check_link, request, f"{upload_id}/{number}")
    upload = await run_in_threadpool(house.uploads.find, None, upload_id)
    declared = declared_bytes(request)
    incoming = await run_in_threadpool(house.uploads.receive, upload, int(number), declared)  # signed: it is a number
    with incoming:
        async for piece in request.stream():
            if piece:
                await run_in_threadpool(incoming.write, piece)
        tag = await run_in_threadpool(incoming.finish)
    return Response(headers={"ETag": f'"{tag}"'})


def _part_object(upload: Upload, part: Part, links: Links) -> dict[str, Any]:
    link = links.to(f"{upload.id}/{part.number}", method="PUT")
    return {
        "part_number": part.number,
        "url": link.url,
        "offset": part.offset,
        "length": part.length,
        "expires_at": link.expires_at,
    }


def _read_initiate(asked: dict[str, Any]) -> tuple[str, str | None, int, bool]:
    problems = []
    name, kind, size = asked.get("filename"), asked.get("file_type"), asked.get("num_bytes")
    resume = asked.get("resume_if_started")
    if not isinstance(name, str):
        problems.append(Problem("missing_parameter", "filename is required and must be a text.", "filename"))
    if kind is not None and not isinstance(kind, str):
        problems.append(Problem("invalid_parameter", "file_type must be a text.", "file_type"))
    if not _is_whole(size):
        problems.append(Problem("missing_parameter", "num_bytes is required and must be a whole number.", "num_bytes"))
    if resume is not None and not isinstance(resume, bool):
        problems.append(Problem("invalid_parameter", "resume_if_started must be true or false.", "resume_if_started"))
    if problems:
        raise RequestError(problems)
    assert isinstance(name, str)
    assert isinstance(size, int)
    return name, kind, size, bool(resume)


def _tokens(asked: dict[str, Any]) -> dict[int, str]:
    """Return the tags that a body tells, by part number; quotes around them are the header's, not the tag's."""
    parts = asked.get("parts", [])
    if not isinstance(parts, list) or len(parts) > MOST_PARTS:
        raise _wrong(f"parts must be a list of at most {MOST_PARTS:,} objects.", "parts")
    tokens: dict[int, str] = {}
    for place, part in enumerate(parts):
        number = part.get("part_number") if isinstance(part, dict) else None
        token = part.get("part_token") if isinstance(part, dict) else None
        if not _is_whole(number) or not isinstance(token, str):
            raise _wrong(
                f"parts[{place}] needs part_number, a whole number, and part_token, a text.", f"parts[{place}]"
            )
        assert isinstance(number, int)
        tokens[number] = token.removeprefix("W/").strip('"')
    return tokens


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(message: str, where: str) -> RequestError:
    return RequestError([Problem("invalid_parameter", message, where)])
