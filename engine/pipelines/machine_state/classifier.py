"""What is learned from labelled shots, and how it classifies a recording: shots -> scaling and library -> votes.

This is the whole pipeline between reading and writing. It knows recordings, arrays and the configuration, but neither jobs nor
folders, so that the library's own faces and the batch job share it.
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError, ModelError, OutOfMemory, Problem, RequestError
from engine.models.encoder import Encoder
from engine.models.language.memory import free_bytes
from engine.models.library import Library, Search
from engine.models.scaling import Scaling
from engine.output.predictions import Predictions
from engine.pipelines.machine_state.config import ClassifierConfig, MachineStateConfig, Normalization
from engine.stream.clock import HEAD_ROWS, Clock, Gaps, LateClock, peek
from engine.stream.flow import Stopwatch, run_ahead
from engine.stream.repair import Findings, Recording, repair_rows
from engine.stream.windows import Block, Cut, cut_blocks
from kernels.scaling import CONSTANT, add_moments

LANES_CUDA = 2  # one gathers while the other runs
AHEAD = 6  # blocks that wait or are done, beyond one for each lane: neither a long parse nor a flush to the disk leaves a lane idle
_COPIES = 4  # of a reference window's vector while the library is made


class Report(Protocol):
    """Takes warnings: a code, a sentence, and the numbers behind it."""

    def __call__(self, code: str, message: str, payload: dict[str, object] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Shot:
    """A recording that shows one class throughout."""

    label: str
    recording: Recording


@dataclass(frozen=True, slots=True)
class Moments:
    """Per-channel statistics: mean and population deviation, (channels,) float64."""

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Where a channel's deviation is nothing but rounding."""
        return self.deviation <= CONSTANT * np.maximum(1e-12, np.abs(self.mean))


@dataclass(frozen=True, slots=True)
class Learned:
    """What the shots showed: enough to vote without them.

    Attributes
    ----------
    moments : Moments
        Of their readings.
    vectors : (references, width) float32
        Of their windows, in reference order.
    labels : tuple of str
        One for each vector.
    """

    moments: Moments
    vectors: npt.NDArray[np.float32]
    labels: tuple[str, ...]


@dataclass(slots=True)
class Pass:
    """One pass over a recording: what was found, and where to resume."""

    first_row: int = 0
    blind: str | None = None  # the first timestamp, where gaps were to be found and the timestamps are no times
    skipped: int = 0  # windows that were left out because they cross a gap
    unusable: int = 0  # windows whose vector is not finite: the encoder could make nothing of them
    findings: Findings = field(default_factory=Findings)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


class Classifier:
    """Classifies every window of a recording by the labelled windows that lie nearest.

    Parameters
    ----------
    config
        The resolved configuration.
    encoder
        Made for the configuration's window, step and channels; closed with the classifier.
    shots
        In reference order; or what was learned from them before, with the same configuration and encoder.
    search, threads
        How the library is searched.
    report
        Told about constant channels and a single class.

    Raises
    ------
    RequestError
        `not_enough_shots`: a shot without a window, or fewer windows than neighbours.
    InputError
        A shot cannot be read.
    ModelError
        The encoder gives vectors that are not finite for a shot.
    """

    def __init__(
        self,
        config: MachineStateConfig,
        encoder: Encoder,
        shots: Sequence[Shot] | Learned,
        *,
        search: Search = "auto",
        threads: int = 1,
        report: Report,
    ) -> None:
        self._config = config
        self.encoder = encoder
        reader = config.reader_config
        self._cut = Cut(
            reader.window_size,
            reader.step_size,
            encoder.block_rows,
            config.evaluation.label_rule,
            config.missing_values == "invalid",
            config.gap_policy,
        )
        self._moments = shots.moments if isinstance(shots, Learned) else measure([shot.recording for shot in shots])
        self._lanes = threads if encoder.device.kind == "cpu" else LANES_CUDA
        self._pool = ThreadPoolExecutor(self._lanes, thread_name_prefix="windows")
        try:
            self.learned = shots if isinstance(shots, Learned) else self._learn(shots, report)
            self.library = self._make_library(search, report)
        except BaseException:
            self._pool.shutdown(wait=True)
            raise
        self.classes = self.library.classes

    def classify(self, recording: Recording, run: Pass) -> Iterator[Predictions]:
        """Yield the predictions of a recording's windows, in row order, blocks side by side in threads. Several may pass at a time.

        Parameters
        ----------
        run : Pass
            Where to start; filled with what was found.

        Raises
        ------
        InputError
            After the predictions of the windows that were whole before what is wrong.
        """
        scaling = self.scaling(recording)

        def predict(block: Block) -> tuple[Predictions, int]:
            with run.stopwatch.time("encode"):
                vectors = self.encode(block, scaling)
            with run.stopwatch.time("vote"):
                return self._vote(block, vectors, run.first_row)

        windows = 0
        blocks = self.blocks(recording, run, self._config.missing_values)
        predicted = run_ahead(("scan", blocks), predict, self._pool, run.stopwatch, self._lanes + AHEAD)
        with closing(predicted):
            for predictions, unusable in predicted:
                windows += len(predictions)
                run.unusable += unusable
                if predictions.truth is not None:  # here, in order: later ones know at least as many
                    predictions = replace(predictions, truth_classes=tuple(run.findings.labels))  # noqa: PLW2901
                yield predictions
        if windows == 0 and run.first_row == 0:
            rows, size = run.findings.rows, self._cut.window
            if rows >= size:
                message = f"{recording.name}: every window crosses a time gap, and gap_policy is 'skip'."
                cure = "Let gap_policy be 'mark' or 'ignore', or raise max_gap."
            else:
                message = f"{recording.name} has {rows} rows, fewer than window_size {size}."
                cure = "Give more rows or lower window_size."
            raise InputError(message, code="no_windows", file=recording.name, cure=cure)

    def blocks(self, recording: Recording, run: Pass, missing: str) -> Iterator[Block]:
        """Yield a recording's blocks, repaired and cut."""
        config = self._config
        chunks = recording.chunks()
        clock: Gaps | None
        if config.gap_policy == "ignore":
            clock = LateClock(config.max_gap)
        else:
            head, chunks = peek(chunks, HEAD_ROWS)
            clock = Clock.for_file(head, config.max_gap)
            if clock is None:
                run.blind = str(head[0]) if head is not None and len(head) else ""
        rows = repair_rows(
            recording,
            chunks,
            run.findings,
            fill=self._moments.mean,
            fail_on_missing=missing == "fail",
            clock=clock,
        )
        return cut_blocks(rows, self._cut, run.first_row)

    def encode(self, block: Block, scaling: Scaling) -> npt.NDArray[np.float32]:
        """Return the vectors of a block's windows, (windows, width) float32."""
        return self.encoder.encode(block.values, block.starts - block.first_row, scaling)

    def scaling(self, recording: Recording) -> Scaling:
        """Return what a recording's readings are measured against, by the configured normalization."""
        own: Normalization = self._config.normalization or "shots"
        moments = measure([recording]) if own == "file" else self._moments
        mean = np.where(np.isfinite(moments.mean), moments.mean, self._moments.mean)
        ones, zeros = np.ones_like(mean), np.zeros_like(mean)
        if own == "none":
            return Scaling(mean, ones, mean)
        if own == "window":
            return Scaling(mean, ones, zeros, per_window=True)
        flat = moments.constant | ~np.isfinite(moments.deviation)
        return Scaling(mean, 1.0 / np.where(flat, 1.0, moments.deviation), zeros)

    def close(self) -> None:
        """End the threads, and close the encoder."""
        self._pool.shutdown(wait=True)
        self.encoder.close()

    def __enter__(self) -> Self:
        """Return the classifier itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _vote(self, block: Block, vectors: npt.NDArray[np.float32], first_row: int) -> tuple[Predictions, int]:
        """Return the predictions of a block's windows from a row on, and how many have a vector that says nothing."""
        want = self._config.output
        done = int(np.searchsorted(block.starts, first_row))
        vectors, invalid = vectors[done:], block.invalid[done:]
        finite = np.logical_and.reduce(np.isfinite(vectors), axis=1)
        unusable = int((~finite & ~invalid).sum())
        if not finite.all():
            invalid = np.logical_or(invalid, ~finite)
            vectors = np.where(finite[:, np.newaxis], vectors, np.float32(0))
        votes = self.library.vote(vectors)
        codes = np.where(invalid, np.int32(-1), votes.codes)
        shares = votes.shares
        confidence = shares[np.arange(len(codes)), votes.codes]
        shares[invalid] = np.nan
        confidence[invalid] = np.nan
        stamps, last = block.timestamps(), self._cut.window - 1
        finish = None
        if want.window_bounds:
            finish = pl.Series(block.starts + last) if stamps is None else block.timestamps(last)
        predictions = Predictions(
            start_rows=block.starts[done:],
            timestamps=None if stamps is None else stamps[done:],
            finish_timestamps=None if finish is None else finish[done:],
            codes=codes,
            confidence=confidence,
            probabilities=shares if want.probabilities else None,
            embeddings=vectors if want.embeddings else None,
            truth=None if block.truth is None else block.truth[done:],
        )
        return predictions, unusable

    def _learn(self, shots: Sequence[Shot], report: Report) -> Learned:
        self._report_shots(shots, report)
        vectors: list[npt.NDArray[np.float32]] = []
        labels: list[str] = []
        left = free_bytes(self.encoder.device)
        for shot in shots:
            found: list[npt.NDArray[np.float32]] = []
            with closing(self._encode_all(shot.recording)) as parts:
                for part in parts:
                    found.append(part)
                    left = None if left is None else left - _COPIES * part.nbytes
                    if left is not None and left < 0:
                        raise _too_many_shots(shot.recording, sum(map(len, vectors)) + sum(map(len, found)))
            if not found:
                raise _no_window(shot.recording, self._cut.window)
            if not all(np.isfinite(part).all() for part in found):
                raise ModelError(
                    f"{self.encoder.model} gives vectors that are not finite for the n-shot file {shot.recording.name}.",
                    code="not_finite",
                    cure="Choose another normalization or model; a channel that stands still is often the reason.",
                )
            vectors += found
            labels += [shot.label] * sum(len(part) for part in found)
        return Learned(self._moments, np.concatenate(vectors), tuple(labels))

    def _make_library(self, search: Search, report: Report) -> Library:
        classifier, reader = self._config.classifier_config, self._config.reader_config
        vectors, labels = self.learned.vectors, self.learned.labels
        if classifier.n_neighbors > len(labels):
            message = (
                f"n_neighbors is {classifier.n_neighbors} but the n-shot files give {len(labels)} windows of "
                f"{reader.window_size} rows; add rows or lower window_size."
            )
            cure = f"Or lower step_size, which is {reader.step_size}." if reader.step_size > 1 else ""
            raise RequestError([Problem("not_enough_shots", message, "worker.n_shots", cure)])
        few = sorted(label for label in set(labels) if labels.count(label) < classifier.n_neighbors)
        if few and len(set(labels)) > 1:
            message = (
                f"Fewer reference windows than n_neighbors ({classifier.n_neighbors}) for {', '.join(few)}: such a class "
                f"can hardly win a vote. step_size cuts the n-shot files too."
            )
            report("few_references", message, {"classes": few})
        library = open_library(classifier, vectors, labels, search=search, gpu=self.encoder.device.kind == "cuda")
        library.warm_up(vectors[:1])
        return library

    def _encode_all(self, recording: Recording) -> Generator[npt.NDArray[np.float32]]:
        """Yield the vectors of a recording's windows, block by block."""
        scaling, run = self.scaling(recording), Pass()
        blocks = self.blocks(recording, run, "ffill")
        return run_ahead(
            ("scan", blocks), lambda block: self.encode(block, scaling), self._pool, run.stopwatch, self._lanes + AHEAD
        )

    def _report_shots(self, shots: Sequence[Shot], report: Report) -> None:
        names = shots[0].recording.data_columns
        empty = [name for name, mean in zip(names, self._moments.mean, strict=True) if not np.isfinite(mean)]
        if empty:
            raise InputError(
                f"No n-shot file holds a finite number in column {', '.join(empty)}.",
                code="empty_column",
                file=shots[0].recording.name,
                column=empty[0],
                cure="Leave the column out of data_columns, or repair the files.",
            )
        flat = [name for name, constant in zip(names, self._moments.constant, strict=True) if constant]
        if flat and (self._config.normalization or "shots") == "shots":
            report(
                "constant_channel",
                f"Constant over all n-shot rows, to a millionth of its level, so only centred, not scaled: {', '.join(flat)}.",
                {"columns": flat},
            )
        classes = sorted({shot.label for shot in shots})
        if len(classes) == 1:
            report("single_class", f"All n-shot files show {classes[0]!r}: every window will be predicted so.", {})


def open_library(
    config: ClassifierConfig,
    vectors: npt.NDArray[np.float32],
    labels: Sequence[str],
    *,
    search: Search = "auto",
    gpu: bool = False,
) -> Library:
    """Make the library that votes as a configuration says; `labels` has as many as `n_neighbors` at least."""
    metric = {"l2": "euclidean", "l1": "manhattan"}.get(config.metric, config.metric)
    return Library(
        vectors,
        labels,
        neighbours=config.n_neighbors,
        metric=metric,  # type: ignore[arg-type]
        weights=config.weights,
        normalize=config.normalize_embeddings,
        search=search,
        gpu=gpu,
    )


def measure(recordings: Sequence[Recording]) -> Moments:
    """Return mean and population deviation of each channel over the finite cells of all recordings; NaN where there is none."""
    channels = len(recordings[0].data_columns)
    count = np.zeros(channels, dtype=np.int64)
    mean, squares = np.zeros(channels), np.zeros(channels)
    for recording in recordings:
        for chunk in recording.chunks():
            add_moments(chunk.values, count, mean, squares)
    known = count > 0
    return Moments(
        np.where(known, mean, np.nan),
        np.where(known, np.sqrt(squares / np.maximum(count, 1)), np.nan),
    )


def _too_many_shots(recording: Recording, windows: int) -> OutOfMemory:
    return OutOfMemory(
        f"The n-shot files give more than {windows:,} windows (at {recording.name}), whose vectors do not fit into the memory of this machine.",
        cure="Raise step_size, or give shorter n-shot files: some hundred windows of a class are plenty.",
    )


def _no_window(recording: Recording, window: int) -> RequestError:
    rows = sum(chunk.values.shape[1] for chunk in recording.chunks())
    message = f"n-shot file {recording.name} has {rows} rows, fewer than window_size {window}."
    cure = "Add rows or lower window_size."
    if rows >= window:
        message = f"n-shot file {recording.name}: every window crosses a time gap, and gap_policy is 'skip'."
        cure = "Let gap_policy be 'mark' or 'ignore', or raise max_gap."
    return RequestError([Problem("not_enough_shots", message, "worker.n_shots", cure)])
