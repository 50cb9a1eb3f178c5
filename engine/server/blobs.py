"""Routes of signed links: an output's or an input file's bytes, for whoever has the link."""

from fastapi import APIRouter, Request, Response

from engine.jobs.ids import is_id
from engine.jobs.records import NotFound
from engine.server.description import told
from engine.server.files import BYTES, RANGE, send
from engine.server.house import house_of
from engine.server.parameters import SIGNATURE, PlacePath

router = APIRouter(prefix="/blob", tags=["links"])


@router.get(
    "/{place}",
    openapi_extra=told(
        BYTES,
        also={206: BYTES},
        query=SIGNATURE,
        headers=RANGE,
        errors=(400, 403, 404, 416),
        etag=True,
        public=True,
    ),
)
@router.head(
    "/{place}",
    name="look_at_blob",
    openapi_extra=told(
        None, query=SIGNATURE, errors=(403, 404), etag=True, public=True, summary="Look at an object without its bytes"
    ),
)
def read_blob(request: Request, place: PlacePath) -> Response:
    """Return an object's bytes, or a range of them. The address is a link of an output or an input."""
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
