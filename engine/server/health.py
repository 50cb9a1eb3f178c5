"""Routes for those who watch the server: is it well, and how much is there."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

import engine
from engine.jobs.room import Room
from engine.server import shapes
from engine.server.description import told
from engine.server.house import house_of

router = APIRouter(tags=["health"])


@router.get("/healthz", openapi_extra=told(shapes.Health, public=True))
def read_health(request: Request) -> dict[str, Any]:
    """Tell that the server answers, and whether its disk has room. Where it has none, uploads are refused and jobs wait."""
    health: dict[str, Any] = {"status": "ok", "version": engine.__version__}
    room = house_of(request).room
    if room is not None:
        space = room.look()
        short = room.guarded and space.usable_bytes <= 0
        health["status"] = "disk_short" if short else "ok"
        health["disk"] = {
            "free_bytes": space.free_bytes,
            "reserve_bytes": space.reserve_bytes,
            "promised_bytes": space.promised_bytes,
        }
    return health


@router.get("/metrics", response_class=PlainTextResponse, openapi_extra=told("text/plain", public=True))
def read_metrics(request: Request) -> str:
    """Return counts in the text form of Prometheus. Jobs by status, waiting jobs, records, files."""
    house = house_of(request)
    with house.board.database.read() as sql:
        statuses = sql.execute("SELECT status, COUNT(*) FROM jobs GROUP BY 1 ORDER BY 1").fetchall()
        records = sql.execute(
            "SELECT COALESCE(SUM(records_total), 0), COALESCE(SUM(records_failed), 0) FROM jobs"
        ).fetchone()
        files = sql.execute(
            "SELECT COUNT(*), COALESCE(SUM(num_bytes), 0) FROM files WHERE deleted_at IS NULL"
        ).fetchone()
    lines = ["# HELP engine_jobs Jobs that are kept, by status.", "# TYPE engine_jobs gauge"]
    lines += [f'engine_jobs{{status="{status}"}} {count}' for status, count in statuses]
    lines += ["# HELP engine_queue_depth Jobs that wait.", "# TYPE engine_queue_depth gauge"]
    lines += [f'engine_queue_depth{{pipeline_type="{kind}"}} {depth}' for kind, depth in house.board.queue().items()]
    for name, text, value in (
        ("engine_records", "Windows and records of all jobs that are kept.", records[0]),
        ("engine_records_failed", "Those of them that failed.", records[1]),
        ("engine_files", "Uploaded files.", files[0]),
        ("engine_files_bytes", "Their bytes.", files[1]),
        *_disk(house.room),
    ):
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value}"]
    return "\n".join(lines) + "\n"


def _disk(room: Room | None) -> list[tuple[str, str, int]]:
    if room is None:
        return []
    space = room.look()
    return [
        ("engine_disk_free_bytes", "Free on the disk of the home.", space.free_bytes),
        ("engine_disk_reserve_bytes", "Of these, what stays in reserve.", space.reserve_bytes),
        ("engine_disk_promised_bytes", "What running jobs are expected to write still.", space.promised_bytes),
    ]
