"""Which shapes a graph runs on: the order of its axes, its channels, its batch and the lengths of its windows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import ModelError
from engine.models.manifest import LONGEST_WINDOW
from engine.models.probe import Axes, Hints, Probe

LENGTHS = (64, 128, 256, 512, 1024, 32, 16)  # tried in this order where the graph leaves the length open
MOST_CHANNELS = 64  # tried where the graph leaves the channels open


@dataclass(frozen=True, slots=True)
class Form:
    """One way to understand the signal's dimensions; None is a size that the graph leaves open."""

    axes: Axes
    batch: int | None
    channels: int | None
    length: int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A form that the graph runs in, and the sizes of one run of it.

    `form.channels` stays None where any number of channels goes through the graph together.
    """

    form: Form
    batch: int
    channels: int
    length: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """The windows that a graph takes.

    Attributes
    ----------
    fixed : int or None
        The only length that the graph runs on.
    multiple : int
        Where it is not fixed: the graph runs on multiples of so many rows.
    least, most : int
        The shortest and longest window.
    """

    fixed: int | None
    multiple: int
    least: int
    most: int


def find_shape(probe: Probe, hints: Hints) -> Shape:
    """Return the first shape on which the graph runs, likely ones first.

    Raises
    ------
    ModelError
        It runs on none, or its dimensions can be understood in two ways.
    """
    for form in _forms(probe, hints):
        for length in (form.length,) if form.length else LENGTHS:
            for batch in (form.batch,) if form.batch else (2, 1):
                found = _find_channels(probe, form, hints, batch, length)
                if found is None:
                    continue
                channels, free = found
                fixed_batch = form.batch or (1 if batch == 1 else None)
                known = replace(form, batch=fixed_batch, channels=None if free else channels)
                return Shape(known, batch, channels, length)
    raise ModelError(
        f"{probe.file} runs on no shape that was tried. {probe.reason}".rstrip(),
        cure="Say what it takes with --axes, --channels and --length.",
    )


def find_lengths(probe: Probe, shape: Shape, hints: Hints) -> Lengths:
    """Return which windows the graph takes, by running it on other lengths than the shape's."""
    if shape.form.length:
        most = min(shape.form.length, LONGEST_WINDOW)
        return Lengths(shape.form.length, 1, hints.min_window or min(2, most), hints.max_window or most)

    def runs(length: int) -> bool:
        return probe.runs(shape.form.axes, shape.batch, shape.channels, length)

    base = shape.length
    multiple = next((m for m in (1, 2, 4, 8, 16, 32, 64) if base % m == 0 and runs(base + m)), None)
    if multiple is None:  # it runs on this length alone, whatever it declares
        return Lengths(base, 1, hints.min_window or 2, hints.max_window or base)
    shortest = next(rows for rows in range(multiple, base + 1, multiple) if rows > 1 and runs(rows))
    return Lengths(
        None,
        multiple,
        hints.min_window or (shortest if multiple == 1 else max(2, shortest - multiple + 1)),
        hints.max_window or _bisect(runs, base, LONGEST_WINDOW, multiple),
    )


def _forms(probe: Probe, hints: Hints) -> list[Form]:
    """Return how the signal's dimensions can be understood, given their static sizes and the hints, likely ones first."""
    masked = probe.mask.shape[1] if probe.mask else None
    masked = masked if isinstance(masked, int) and masked > 0 else None
    batch, *dims = (size if isinstance(size, int) and size > 0 else None for size in probe.signal.shape)
    if len(dims) == 1:
        forms = [Form("NT", batch, 1, dims[0])]
    else:
        forms = _cube_forms(batch, dims[0], dims[1], free=hints.axes is not None or masked is not None)
        if dims[0] is not None and dims[0] == dims[1] and not hints.axes:
            raise ModelError(
                f"{probe.file}: '{probe.signal.name}' is {dims[0]} x {dims[1]}; which of both is time cannot be told.",
                cure="Give --axes NCT or --axes NTC.",
            )
    known = [
        replace(form, channels=form.channels or hints.channels, length=form.length or masked or hints.length)
        for form in forms
    ]
    return [
        form
        for form in known
        if hints.axes in (None, form.axes)
        and hints.channels in (None, form.channels)
        and hints.length in (None, form.length)
        and masked in (None, form.length)
        and not (hints.layout == "univariate" and form.channels not in (None, 1))
    ]


def _cube_forms(batch: int | None, second: int | None, third: int | None, *, free: bool) -> list[Form]:
    """Return the forms of three dimensions; `free` where something else than their sizes decides between them."""
    forms = [Form("NCT", batch, second, third), Form("NTC", batch, third, second)]
    if free or (second is None and third is None):
        return forms
    if second is not None and third is not None:  # the larger one is time
        return sorted(forms, key=lambda form: (form.channels or 0) > (form.length or 0))
    # A small size beside an open one is the number of channels, a large one the length.
    small = (second or third or 0) <= MOST_CHANNELS
    return [form for form in forms if (form.channels is not None) == small]


def _find_channels(probe: Probe, form: Form, hints: Hints, batch: int, length: int) -> tuple[int, bool] | None:
    """Return the number of channels on which the graph runs, and whether it takes any number of them together.

    1 where it takes each channel by itself, None where it runs on no number.
    """

    def runs(channels: int) -> bool:
        return probe.runs(form.axes, batch, channels, length)

    if form.channels:
        return (form.channels, False) if runs(form.channels) else None
    any_number = runs(2) and runs(3)
    if any_number and hints.layout == "multivariate":
        return 2, True
    if any_number or hints.layout == "univariate":
        return (1, False) if runs(1) else None
    # A graph for 9 channels may also run on one that is broadcast: one larger number alone is the truth.
    larger = [channels for channels in range(2, MOST_CHANNELS + 1) if runs(channels)]
    if len(larger) == 1:
        return larger[0], False
    return (1, False) if not larger and runs(1) else None


def _bisect(runs: Callable[[int], bool], low: int, high: int, multiple: int) -> int:
    """Return the largest length up to `high` that runs; `low` does."""
    if runs(high // multiple * multiple):
        return high
    below, above = low // multiple, high // multiple
    while above - below > 1:
        middle = (below + above) // 2
        if runs(middle * multiple):
            below = middle
        else:
            above = middle
    return below * multiple
