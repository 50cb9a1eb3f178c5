"""Routes of files: simple uploads, lists, downloads, deleting."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import Headers

from engine.errors import Problem, RequestError
from engine.jobs.files import FileStore, StoredFile
from engine.jobs.records import NotFound
from engine.server import wire
from engine.server.asking import Query, read_object
from engine.server.errors import answer
from engine.server.forms import decode, receive_form
from engine.server.house import house_of

router = APIRouter(prefix="/v0.5/files", tags=["files"])

MOST = 1000  # files of one page


def find_file(store: FileStore, org_id: str, name_or_uid: str) -> StoredFile:
    """Return a file. Raises NotFound."""
    try:
        return store.find(org_id, name_or_uid)
    except LookupError:
        raise NotFound(f"File {name_or_uid[:255]!a} not found.", cure="GET /v0.5/files lists what there is.") from None


class Ranges(FileResponse):
    """A file's bytes; a range that cannot be is refused in the form that every error has here."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        refused: list[Any] = []

        async def pass_on(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused.append(message)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, pass_on)
        if refused:
            problem = Problem("invalid_parameter", "This file does not have the bytes of the header Range.", "Range")
            size = {name: value for name, value in Headers(raw=refused[0]["headers"]).items() if name == "content-range"}
            await answer(refused[0]["status"], [problem], size)(scope, receive, send)


def send(path: Any, sha256: str, filename: str, media_type: str) -> Response:
    """Return a file's bytes, or the range that the request asks for."""
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private"}
    return Ranges(path, headers=headers, filename=filename, media_type=media_type)


@router.post("")
async def upload(request: Request) -> dict[str, Any]:
    """Upload a file: the part `file` of a multipart form. One of the same name is replaced."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    return _accepted(await receive_form(request, house.files, org_id, encoded=False))


@router.post("/base64")
async def upload_base64(request: Request) -> dict[str, Any]:
    """Upload a file as base64 text: in a form as above, or as JSON `{filename, file_type, data}`."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return _accepted(await receive_form(request, house.files, org_id, encoded=True))
    document = await read_object(request)
    problems = [
        Problem("missing_parameter", f"{name} is required and must be a text.", name)
        for name in ("filename", "data")
        if not isinstance(document.get(name), str)
    ]
    kind = document.get("file_type")
    if kind is not None and not isinstance(kind, str):
        problems.append(Problem("invalid_parameter", "file_type must be a text.", "file_type"))
    if problems:
        raise RequestError(problems)

    def keep() -> StoredFile:
        with house.files.receive(org_id, document["filename"], kind) as incoming:
            incoming.write(decode("".join(document["data"].split()).encode("ascii", "replace")))
            return incoming.finish()

    return _accepted(await run_in_threadpool(keep))


@router.get("")
def list_files(request: Request) -> dict[str, Any]:
    """List files, newest first, a page at a time."""
    house, query = house_of(request), Query(request)
    return _page(house.files, house.doorman.organisation(request), query, None)


@router.get("/info")
def read_info(request: Request) -> dict[str, Any]:
    """Tell how many files there are, and their bytes."""
    house = house_of(request)
    info = house.files.info(house.doorman.organisation(request))
    updated = None if info.last_updated is None else datetime.fromisoformat(info.last_updated).timestamp()
    return {"num_files": info.num_files, "num_bytes": info.num_bytes, "num_ingested": 0, "last_updated": updated}


@router.get("/metadata")
def list_metadata(request: Request) -> Response:
    """List files: a page with `limit`, `after` or `before`, else a bare array, or one shard of it."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    file_type = query.text("file_type")
    if any(query.text(name) for name in ("limit", "after", "before")):
        return JSONResponse(_page(house.files, org_id, query, file_type))
    shard = query.whole("shard_index", 0, 10**9, 0)
    most = query.whole("max_items_per_shard", -1, MOST, -1)
    if most == 0:
        query.refuse("max_items_per_shard", f"max_items_per_shard must be -1 or 1 to {MOST}; got 0.")
    query.check()
    assert shard is not None
    assert most is not None
    files = house.files.page(org_id, limit=10**9, file_type=file_type).items
    chosen = files if most == -1 else files[shard * most : (shard + 1) * most]
    return JSONResponse([wire.file_object(file) for file in chosen])


@router.get("/metadata/{file}")
def read_metadata(request: Request, file: str) -> dict[str, Any]:
    """Return what is known of a file."""
    house = house_of(request)
    return wire.file_object(find_file(house.files, house.doorman.organisation(request), file))


@router.get("/download/{file}")
def download(request: Request, file: str) -> Response:
    """Return a file's bytes; ranges are supported."""
    house = house_of(request)
    found = find_file(house.files, house.doorman.organisation(request), file)
    return send(house.files.path(found), found.sha256, found.name, "application/octet-stream")


@router.delete("/delete/{file}")
@router.delete("/{file}")
def delete(request: Request, file: str) -> dict[str, Any]:
    """Delete a file; jobs that are bound to it keep its bytes until they end."""
    house = house_of(request)
    org_id = house.doorman.organisation(request)
    find_file(house.files, org_id, file)
    try:
        return _accepted(house.files.delete(org_id, file))
    except LookupError:  # another one was faster
        raise NotFound(f"File {file[:255]!a} not found.") from None


def _accepted(file: StoredFile) -> dict[str, Any]:
    return {"is_valid": True, "file_id": file.name, "file_uid": file.uid}


def _page(store: FileStore, org_id: str, query: Query, file_type: str | None) -> dict[str, Any]:
    limit = query.whole("limit", 1, MOST, 100)
    after, before = query.text("after"), query.text("before")
    if after and before:
        query.refuse("before", "after and before exclude each other.")
    query.check()
    assert limit is not None
    page = store.page(org_id, limit=limit, after=after, before=before, file_type=file_type)
    return {
        "data": [wire.file_object(file) for file in page.items],
        "has_more": page.has_newer if before else page.has_older,
        "next_cursor": page.items[-1].uid if page.items and page.has_older else None,
        "prev_cursor": page.items[0].uid if page.items and page.has_newer else None,
    }
