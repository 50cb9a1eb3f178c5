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
from engine.server import bodies, parameters, shapes, wire
from engine.server.asking import Query, declared_bytes, read_object
from engine.server.description import told
from engine.server.errors import answer
from engine.server.forms import decode, receive_form
from engine.server.house import house_of
from engine.server.parameters import FilePath

router = APIRouter(prefix="/v0.5/files", tags=["files"])

BYTES = "application/octet-stream"
SHORT = "Delete a file, by the short path"
RANGE = {"Range": "Which bytes: `bytes=0-99`, `bytes=100-`."}

_CURSOR = (parameters.FILES_LIMIT, parameters.AFTER, parameters.BEFORE)


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
            size = {
                name: value for name, value in Headers(raw=refused[0]["headers"]).items() if name == "content-range"
            }
            await answer(refused[0]["status"], [problem], size)(scope, receive, send)


def send(path: Any, sha256: str, filename: str, media_type: str) -> Response:
    """Return a file's bytes, or the range that the request asks for."""
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private"}
    return Ranges(path, headers=headers, filename=filename, media_type=media_type)


@router.post("", openapi_extra=told(shapes.AcceptedFile, form=bodies.FormFile, errors=(413, 503)))
async def upload(request: Request) -> dict[str, Any]:
    """Upload a file. It is the part `file` of a multipart form. One of the same name is replaced."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    await run_in_threadpool(_check_room, request)
    return _accepted(await receive_form(request, house.files, org_id, encoded=False))


@router.post(
    "/base64",
    openapi_extra=told(shapes.AcceptedFile, body=bodies.Base64File, form=bodies.FormFile, errors=(413, 503)),
)
async def upload_base64(request: Request) -> dict[str, Any]:
    """Upload a file as base64 text. In a form, whose part `file` is the text, or in JSON."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    await run_in_threadpool(_check_room, request)
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


@router.get("", openapi_extra=told(shapes.FilePage, query=_CURSOR))
def list_files(request: Request) -> dict[str, Any]:
    """List files, newest first. A good call to try a key with."""
    house, query = house_of(request), Query(request)
    return _page(house.files, house.doorman.organisation(request), query, None)


@router.get("/info", openapi_extra=told(shapes.FileInfo))
def read_info(request: Request) -> dict[str, Any]:
    """Tell how many files there are, and their bytes."""
    house = house_of(request)
    info = house.files.info(house.doorman.organisation(request))
    updated = None if info.last_updated is None else datetime.fromisoformat(info.last_updated).timestamp()
    return {"num_files": info.num_files, "num_bytes": info.num_bytes, "num_ingested": 0, "last_updated": updated}


@router.get(
    "/metadata",
    openapi_extra=told(
        list[shapes.File] | shapes.FilePage,
        query=(*_CURSOR, parameters.FILE_TYPE, parameters.SHARD_INDEX, parameters.SHARD_ITEMS),
    ),
)
def list_metadata(request: Request) -> Response:
    """List files in one array, in shards or in pages. `limit`, `after` and `before` ask for a page, anything else for an array."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    file_type = query.text(parameters.FILE_TYPE)
    shard, most = query.number(parameters.SHARD_INDEX), query.number(parameters.SHARD_ITEMS)
    if most == 0:
        query.refuse("max_items_per_shard", "max_items_per_shard must be -1 or 1 to 1000; got 0.")
    if any(query.text(one) for one in _CURSOR):
        return JSONResponse(_page(house.files, org_id, query, file_type))
    query.check()
    files = house.files.page(org_id, limit=10**9, file_type=file_type).items
    chosen = files if most == -1 else files[shard * most : (shard + 1) * most]
    return JSONResponse([wire.file_object(file) for file in chosen])


@router.get("/metadata/{file}", openapi_extra=told(shapes.File, errors=(404,)))
def read_metadata(request: Request, file: FilePath) -> dict[str, Any]:
    """Return what is known of a file."""
    house = house_of(request)
    return wire.file_object(find_file(house.files, house.doorman.organisation(request), file))


@router.get(
    "/download/{file}",
    openapi_extra=told(BYTES, also={206: BYTES}, headers=RANGE, errors=(400, 404, 416), etag=True),
)
def download(request: Request, file: FilePath) -> Response:
    """Return a file's bytes, or a range of them."""
    house = house_of(request)
    found = find_file(house.files, house.doorman.organisation(request), file)
    return send(house.files.path(found), found.sha256, found.name, BYTES)


@router.delete("/delete/{file}", openapi_extra=told(shapes.AcceptedFile, errors=(404,)))
@router.delete("/{file}", name="delete_short", openapi_extra=told(shapes.AcceptedFile, errors=(404,), summary=SHORT))
def delete(request: Request, file: FilePath) -> dict[str, Any]:
    """Delete a file. Jobs that are bound to it keep its bytes until they end."""
    house = house_of(request)
    org_id = house.doorman.organisation(request)
    find_file(house.files, org_id, file)
    try:
        return _accepted(house.files.delete(org_id, file))
    except LookupError:  # another one was faster
        raise NotFound(f"File {file[:255]!a} not found.") from None


def _check_room(request: Request) -> None:
    """Refuse an upload that the disk has no room for, before it comes. Raises NoRoom."""
    house = house_of(request)
    if house.room is not None:
        house.room.check_upload(declared_bytes(request) or 0)  # without a length: there must be room for something


def _accepted(file: StoredFile) -> dict[str, Any]:
    return {"is_valid": True, "file_id": file.name, "file_uid": file.uid}


def _page(store: FileStore, org_id: str, query: Query, file_type: str | None) -> dict[str, Any]:
    limit = query.number(parameters.FILES_LIMIT)
    after, before = query.text(parameters.AFTER), query.text(parameters.BEFORE)
    if after and before:
        query.refuse("before", "after and before exclude each other.")
    query.check()
    page = store.page(org_id, limit=limit, after=after, before=before, file_type=file_type)
    return {
        "data": [wire.file_object(file) for file in page.items],
        "has_more": page.has_newer if before else page.has_older,
        "next_cursor": page.items[-1].uid if page.items and page.has_older else None,
        "prev_cursor": page.items[0].uid if page.items and page.has_newer else None,
    }
