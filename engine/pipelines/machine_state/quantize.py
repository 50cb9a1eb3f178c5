"""Make an encoder's int8 twin by a plan's shots, and say what it costs: how far its vectors are off, and what becomes of the votes.

Ranges come from the first two thirds of each shot; what is reported, from the last third, voted on by the first.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.models.catalog import Catalog
from engine.models.device import Device
from engine.models.encoder import load_encoder
from engine.models.manifest import ModelEntry, added_entry, read_manifest
from engine.models.quantize import Feed, Listener, check_quantizable, quantized
from engine.models.session import Session
from engine.models.warm import OpenSession
from engine.pipelines.machine_state.classifier import Classifier, Pass, Shot, open_library
from engine.pipelines.machine_state.plan import Plan

KNOWN = 2 / 3  # of a shot: the rest is asked about
CPU = Device("cpu", "cpu")
Vectors = npt.NDArray[np.float32]  # (windows, width)


@dataclass(frozen=True, slots=True)
class Quantized:
    """An int8 model and what it costs.

    Attributes
    ----------
    model : ModelEntry
        As it was added.
    error : float
        Root mean square of what the vectors of the last thirds are off, as a share of their spread.
    asked : int
        Windows of the last thirds; 0 where the shots are too short, and then `error` and the next three say nothing.
    agreement : float
        Share of them with the same label.
    accuracy, accuracy_before : float
        Share of them with their shot's label, now and with the model it was made from.
    times_as_fast : float
        Measured here, on one thread.
    """

    model: ModelEntry
    error: float
    asked: int
    agreement: float
    accuracy: float
    accuracy_before: float
    times_as_fast: float


def quantize(plan: Plan, catalog: Catalog, *, name: str, replace: bool = False) -> Quantized:
    """Add the int8 twin of a plan's model to the catalog.

    Parameters
    ----------
    plan : Plan
        Its shots and its configuration are used, not the files that it would classify.
    name : str
        Of the twin.
    replace : bool
        Take the place of a model that has this name already.

    Raises
    ------
    ModelError
        The model has no such twin, or the name is taken.
    InputError, RequestError
        The shots do not do.
    """
    check_quantizable(plan.model)
    catalog.check_name(name, replace=replace)
    before, seconds_before = _encode(plan, plan.model)
    with quantized(plan.model, _listen(plan)) as folder:
        twin = added_entry(name, folder, read_manifest(folder))
        after, seconds = _encode(plan, twin)
        costs = _compare(plan, before, after)
        entry = catalog.add(folder, name=name, replace=replace)  # last: what fails before it leaves nothing
    return Quantized(entry, *costs, times_as_fast=seconds_before / seconds)


def _compare(plan: Plan, before: Sequence[Vectors], after: Sequence[Vectors]) -> tuple[float, int, float, float, float]:
    """Return what a twin costs: error, windows asked about, agreement, accuracy, accuracy before."""
    firsts = [math.ceil(KNOWN * len(part)) for part in before]
    truth = [shot.label for shot, part, first in zip(plan.shots, before, firsts, strict=True) for _ in part[first:]]
    known = [_apart(plan, first) for first in firsts]
    voting = {shot.label for shot, count in zip(plan.shots, known, strict=True) if count}
    if not truth or voting < {shot.label for shot in plan.shots}:
        return 0.0, 0, 0.0, 0.0, 0.0
    old, new = (
        np.concatenate([part[first:] for part, first in zip(parts, firsts, strict=True)]) for parts in (before, after)
    )
    spread = float(np.square(old - old.mean(axis=0)).sum()) or 1.0
    labels_before, labels = _vote(plan, before, known, old), _vote(plan, after, known, new)
    return (
        float(np.square(new - old).sum() / spread) ** 0.5,
        len(truth),
        float(np.mean(labels == labels_before)),
        float(np.mean(labels == truth)),
        float(np.mean(labels_before == truth)),
    )


def _listen(plan: Plan) -> list[Feed]:
    """Return batches of the first parts of all shots, as the plan's graph is fed with them."""
    listener = Listener()
    feeds: list[Feed] = []
    with _open(plan, plan.model, listener.open) as classifier:
        for shot in plan.shots:
            listener.take()
            for _ in _vectors(classifier, shot):
                pass
            feeds += listener.take(KNOWN)
    return feeds


def _encode(plan: Plan, model: ModelEntry) -> tuple[list[Vectors], float]:
    """Return each shot's vectors, and the seconds that all of them took."""
    parts, seconds = [], 0.0
    with _open(plan, model) as classifier:
        for shot in plan.shots:
            found = list(_vectors(classifier, shot))
            parts.append(np.concatenate([vectors for vectors, _ in found]))
            seconds += sum(took for _, took in found)
    return parts, seconds


def _open(plan: Plan, model: ModelEntry, open_session: OpenSession = Session) -> Classifier:
    reader = plan.config.reader_config
    encoder = load_encoder(
        model,
        channels=len(reader.data_columns or ()),
        window=reader.window_size,
        step=reader.step_size,
        device=CPU,
        open_session=open_session,
    )
    return Classifier(plan.config, encoder, plan.shots, report=lambda *_: None)


def _vectors(classifier: Classifier, shot: Shot) -> Iterator[tuple[Vectors, float]]:
    """Yield a shot's vectors, a block at a time, and the seconds that it took."""
    scaling = classifier.scaling(shot.recording)
    for block in classifier.blocks(shot.recording, Pass(), "ffill"):
        begun = time.perf_counter()
        yield classifier.encode(block, scaling), time.perf_counter() - begun


def _apart(plan: Plan, first: int) -> int:
    """Return how many windows of a shot share no row with those from `first` on."""
    reader = plan.config.reader_config
    return max(0, (first * reader.step_size - reader.window_size) // reader.step_size + 1)


def _vote(plan: Plan, parts: Sequence[Vectors], known: Sequence[int], queries: Vectors) -> npt.NDArray[np.str_]:
    """Let the first windows of all shots vote."""
    vectors = np.concatenate([part[:count] for part, count in zip(parts, known, strict=True)])
    labels = [shot.label for shot, count in zip(plan.shots, known, strict=True) for _ in range(count)]
    config = plan.config.classifier_config
    config = config.model_copy(update={"n_neighbors": min(config.n_neighbors, len(labels))})
    library = open_library(config, vectors, labels)
    return np.array(library.classes)[library.vote(queries).codes]
