"""Routes of signed links: an output's or an input file's bytes, for whoever has the link."""

from fastapi import APIRouter, Request, Response

from engine.jobs.ids import is_id
from engine.jobs.records import NotFound
from engine.server.files import send
from engine.server.house import house_of

router = APIRouter(prefix="/blob", tags=["links"])


@router.get("/{place}")
@router.head("/{place}", include_in_schema=False)
def read_blob(request: Request, place: str) -> Response:
    """Return the bytes of an object; ranges and HEAD are supported."""
    house = house_of(request)
    house.check_link(request, place)
    if is_id(place, "out"):
        output, path = house.board.output(place)
        sha256, name, kind = output.sha256, output.filename, output.file_type
    else:
        try:
            file = house.files.by_uid(place)
        except LookupError:
            raise NotFound("This object is not there any more.") from None
        path, sha256, name, kind = house.files.path(file), file.sha256, file.name, file.file_type
    if not path.is_file():
        raise NotFound("This object is not there any more.")
    return send(path, sha256, name, kind)
