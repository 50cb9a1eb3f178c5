"""How much a job will be: counted where files are small, else taken from their beginnings and sizes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from engine.errors import InputError
from engine.models.session import usable_cores
from engine.pipelines.activity_detection.plan import ActivityPlan
from engine.pipelines.machine_state.plan import Plan
from engine.stream.scan import Table
from engine.stream.source import Source
from engine.stream.windows import count_windows

LOOKED_AT = 64  # files whose beginnings are read; the others count by their bytes
LONG_S = 3600.0  # a job of more than this is warned of
SHORT_S = 60.0  # and told which step would bring it below this
LARGEST_STEP = 1 << 20

# Of one core; the order of magnitude of what was measured.
_SETUP_S = 2.0
_CHANNEL_WINDOWS_PER_S = 500_000.0
_CHANNEL_ROWS_PER_S = 2_000_000.0
_WEIGHT_BYTES_PER_S = 4e10  # that a step reads, times the records that share it


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job is expected to be.

    Attributes
    ----------
    records : int
        Windows or lines.
    windows, channel_windows : int or None
        None where there are none.
    output_files : int
    seconds : float
        Of computing on this machine's processor, without waiting; the order of magnitude.
    exact : bool
        The counts are certain, unless an input fails.
    """

    records: int
    windows: int | None
    channel_windows: int | None
    output_files: int
    seconds: float
    exact: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Sized(Protocol):
    @property
    def num_bytes(self) -> int: ...


_Read = TypeVar("_Read", bound=_Sized)


def estimate_windows(plan: Plan) -> Estimate:
    """Estimate a job of machine-state classification. Reads the beginnings of at most `LOOKED_AT` files."""
    rows, exact = _measure([target.table for target in plan.targets], Table.estimate_rows)
    return _of_rows(plan, rows, plan.config.reader_config.step_size, exact=exact)


def shorter_step(plan: Plan, estimate: Estimate) -> int | None:
    """Return a step with which a job takes less than `SHORT_S`, None where none does that leaves enough examples."""
    reader = plan.config.reader_config
    windows, files = estimate.records, len(plan.targets)
    rows = [(windows * reader.step_size) // max(1, files) + reader.window_size - 1] * files
    shots, _ = _measure(
        [shot.recording for shot in plan.shots if isinstance(shot.recording, Table)], Table.estimate_rows
    )
    step = reader.step_size
    while step < LARGEST_STEP:
        step *= 2
        if (
            sum(count_windows(count, reader.window_size, step) for count in shots)
            < plan.config.classifier_config.n_neighbors
        ):
            return None
        if _of_rows(plan, rows, step, exact=False).seconds < SHORT_S:
            return step
    return None


def estimate_answers(plan: ActivityPlan) -> Estimate:
    """Estimate a job of activity detection. Reads the beginnings of at most `LOOKED_AT` files."""
    lines, exact = _measure([target.source for target in plan.targets], _count_lines)
    records, per_part = sum(lines), plan.config.lines_per_part
    files = sum(-(-count // per_part) if per_part else 1 for count in lines)
    weights = sum(path.stat().st_size for path in plan.model.folder.rglob("*") if path.is_file())
    steps = records * plan.config.generation.max_new_tokens
    seconds = _SETUP_S + steps * weights / _WEIGHT_BYTES_PER_S
    return Estimate(records, None, None, files, round(seconds, 1), exact)


def _of_rows(plan: Plan, rows: Sequence[int], step: int, *, exact: bool) -> Estimate:
    config = plan.config
    channels = len(config.reader_config.data_columns or ())
    windows = [count_windows(count, config.reader_config.window_size, step) for count in rows]
    total = sum(windows)
    work = total / _CHANNEL_WINDOWS_PER_S + sum(rows) / _CHANNEL_ROWS_PER_S
    files = sum(-(-count // config.rows_per_part) for count in windows)
    return Estimate(
        records=total,
        windows=total,
        channel_windows=total * channels,
        output_files=files * (2 if config.output.embeddings else 1),
        seconds=round(_SETUP_S + work * channels / usable_cores(), 1),
        exact=exact and config.gap_policy != "skip",
    )


def _measure(files: Sequence[_Read], count: Callable[[_Read], tuple[int, bool]]) -> tuple[list[int], bool]:
    """Return the rows or lines of each file, and whether all of them were counted."""
    found: list[int] = []
    exact = len(files) <= LOOKED_AT
    for file in files[:LOOKED_AT]:
        try:
            rows, certain = count(file)
        except InputError:  # it will fail, and say why
            rows, certain = 0, False
        found.append(rows)
        exact = exact and certain
    per_byte = sum(found) / max(1, sum(file.num_bytes for file in files[:LOOKED_AT]))
    return found + [round(per_byte * file.num_bytes) for file in files[LOOKED_AT:]], exact


def _count_lines(source: Source) -> tuple[int, bool]:
    """Count the lines of the first piece, and scale them to the size of the file if that has more."""
    seen_bytes = 0

    def progress(num_bytes: int) -> None:
        nonlocal seen_bytes
        seen_bytes = num_bytes

    pieces: Iterator[bytes] = source.pieces(progress)
    first = next(pieces, b"")
    first_bytes = seen_bytes
    if next(pieces, None) is None:
        text = first.rstrip()
        return (text.count(b"\n") + 1 if text else 0), True
    return round(first.count(b"\n") * source.num_bytes / max(1, first_bytes)), False
