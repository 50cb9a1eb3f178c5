"""Machine-state classification with scikit-learn's habits: `fit` on labelled recordings, `predict` on others."""

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError, ModelError, Problem, RequestError
from engine.models.catalog import Catalog
from engine.models.encoder import load_encoder
from engine.models.library import Metric, Search, Weights
from engine.models.manifest import ModelEntry
from engine.models.session import resolve_device, usable_cores
from engine.output.score import INVALID_STATE
from engine.pipelines.course import Settings
from engine.pipelines.identity import version_of
from engine.pipelines.machine_state.classifier import Classifier, Learned, Pass, Report, Shot
from engine.pipelines.machine_state.config import MachineStateConfig, MissingValues, Normalization
from engine.pipelines.wording import check_config
from engine.stream.arrays import ArrayRecording
from engine.stream.repair import Recording
from engine.stream.scan import ReadOptions, open_table

TIMESTAMP = "timestamp"
_NO_LABEL = ("", "nan", "NaN", "<NA>", "NaT")  # a missing label, as text
_OPENING = threading.Lock()  # of an estimator that comes from a pickle, or was closed


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What `fit` leaves: enough to predict in another process."""

    config: MachineStateConfig
    learned: Learned
    sha256: Mapping[str, str]  # of the model's files
    version: str | None  # of the engine


class StateClassifier:
    """Predicts the state of every sliding window of a recording by its nearest labelled windows.

    A recording is an array (rows, channels), a Polars or pandas frame, or the path of a CSV or Parquet file. A frame's or file's
    `timestamp` column is no channel. A fitted estimator can be pickled: the vectors of its reference windows go along, the model's
    weights do not, and the same ones have to be there when it predicts again.

    Parameters
    ----------
    window, step : int
        Rows per window (2 to 1024) and from one window's start to the next.
    n_neighbors, metric, weights, normalize_embeddings
        The vote: as in scikit-learn's KNeighborsClassifier; ties go to the label that sorts first.
    normalization : `shots`, `none`, `file`, `window` or None
        What readings are measured against; None takes the model's own.
    missing_values : `ffill`, `fail` or `invalid`
        Cells that are not finite take the value before, are an error, or make their windows INVALID_STATE.
    model : str
        A `model_type` of the catalog.
    device, threads, search
        As in `engine.run`.

    Attributes
    ----------
    classes_ : (classes,) array of str, sorted
    n_features_in_ : int
        Channels.
    feature_names_in_ : tuple of str

    Examples
    --------
    >>> states = StateClassifier(window=64).fit([idle, running], ["idle", "running"])  # doctest: +SKIP
    >>> states.predict(plant)  # doctest: +SKIP
    array(['idle', 'idle', ...
    """

    def __init__(
        self,
        *,
        window: int = 64,
        step: int = 1,
        n_neighbors: int = 5,
        metric: Metric = "euclidean",
        weights: Weights = "uniform",
        normalize_embeddings: bool = False,
        normalization: Normalization | None = None,
        missing_values: MissingValues = "ffill",
        model: str = "omega_1_4_base",
        device: str = "auto",
        threads: int | None = None,
        search: Search = "auto",
    ) -> None:
        self.window = window
        self.step = step
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.weights = weights
        self.normalize_embeddings = normalize_embeddings
        self.normalization = normalization
        self.missing_values = missing_values
        self.model = model
        self.device = device
        self.threads = threads
        self.search = search
        self._fitted: _Fitted | None = None
        self._classifier: Classifier | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: everything but threads and sessions, which the first prediction opens again."""
        return {**vars(self), "_classifier": None}

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return the constructor's arguments."""
        return {
            name: value for name, value in vars(self).items() if not name.startswith("_") and not name.endswith("_")
        }

    def set_params(self, **parameters: Any) -> Self:
        """Change arguments before the next `fit`. Raises ValueError for an unknown name."""
        for name, value in parameters.items():
            if name not in self.get_params():
                raise ValueError(f"StateClassifier has no parameter {name!r}; it has: {', '.join(self.get_params())}.")
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn from labelled recordings.

        Parameters
        ----------
        X : sequence of recordings, or one recording
        y : sequence of labels
            One for each recording; or, for one recording, one for each row: each stretch of equal labels is a recording then, and
            rows without a label (None, NaN, "") are left out.

        Raises
        ------
        RequestError
            The parameters or the recordings do not do.
        InputError
            A recording cannot be read.
        """
        shots = self._shots(X, y)
        if not all(shot.label for shot in shots):
            raise RequestError(
                [Problem("invalid_parameter", "A recording has no label.", "y", "Give every one its class.")]
            )
        if any(shot.label == INVALID_STATE for shot in shots):
            message = f"The label {INVALID_STATE} is reserved."
            raise RequestError([Problem("invalid_parameter", message, "y", "Give the class another name.")])
        names = shots[0].recording.data_columns
        reader = {"data_columns": list(names), "window_size": self.window, "step_size": self.step}
        voting = {
            "n_neighbors": self.n_neighbors,
            "metric": self.metric,
            "weights": self.weights,
            "normalize_embeddings": self.normalize_embeddings,
        }
        config = check_config(
            MachineStateConfig,
            {
                "model_type": self.model,
                "normalization": self.normalization,
                "missing_values": self.missing_values,
                "reader_config": {**reader, "timestamp_column": None},
                "classifier_config": voting,
                "output": {"probabilities": True},
            },
        )
        for shot in shots:
            self._check_columns(shot.recording, names)
        entry = Catalog().find(self.model)
        config = config.model_copy(
            update={"normalization": config.normalization or entry.manifest.normalization or "shots"}
        )
        found: list[str] = []

        def report(code: str, message: str, payload: dict[str, object] | None = None) -> None:  # noqa: ARG001
            found.append(message)

        classifier = self._open(config, entry, shots, report)
        for message in found:
            warnings.warn(message, stacklevel=2)
        self.close()
        self._fitted = _Fitted(config, classifier.learned, entry.manifest.sha256, version_of())
        self._classifier = classifier
        self.classes_ = np.array(classifier.classes)
        self.n_features_in_ = len(names)
        self.feature_names_in_ = names
        return self

    def predict(self, X: Any) -> npt.NDArray[np.str_]:  # noqa: N803
        """Return the predicted class of each window of a recording, (windows,) array of str, in row order.

        A window without a state (see `missing_values`; or an encoder could make nothing of it) is INVALID_STATE.
        """
        codes = np.concatenate([part.codes for part in self._predictions(X)])
        winners: npt.NDArray[np.str_] = self.classes_[codes]
        return winners if (codes >= 0).all() else np.where(codes < 0, INVALID_STATE, winners)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Return each class's share of the vote, (windows, classes) float64 in the order of `classes_`; NaN for INVALID_STATE."""
        shares = [part.probabilities for part in self._predictions(X)]
        return np.concatenate([part for part in shares if part is not None])

    def close(self) -> None:
        """End the threads and the session. What was learned stays: the next prediction opens them again."""
        with _OPENING:
            if self._classifier is not None:
                self._classifier.close()
                self._classifier = None

    def _predictions(self, data: Any) -> list[Any]:
        classifier = self._ready()
        names = self.feature_names_in_
        recording = self._recording(data, "the recording", names)
        self._check_columns(recording, names)
        return list(classifier.classify(recording, Pass()))

    def _ready(self) -> Classifier:
        fitted = self._fitted
        if fitted is None:
            raise RequestError(
                [Problem("not_fitted", "This StateClassifier has not learned anything.", "", "Call fit first.")]
            )
        with _OPENING:
            if self._classifier is None:
                name = fitted.config.model_type
                entry = Catalog().find(name)
                cure = "Fit again, on the same recordings."
                if entry.manifest.sha256 != fitted.sha256:
                    raise ModelError(
                        f"This StateClassifier was fitted with other weights of the model {name}.", cure=cure
                    )
                if fitted.version != version_of():
                    message = f"This StateClassifier was fitted with version {fitted.version}; this is {version_of()}."
                    warnings.warn(f"{message} {cure}", stacklevel=4)
                self._classifier = self._open(fitted.config, entry, fitted.learned, lambda *_: None)
            return self._classifier

    def _open(
        self, config: MachineStateConfig, entry: ModelEntry, shots: Sequence[Shot] | Learned, report: Report
    ) -> Classifier:
        """Open the encoder, and learn from the shots, or take what was learned from them."""
        settings = Settings(self.device, self.threads, self.search)
        device = resolve_device(settings.device)
        reader = config.reader_config
        encoder = load_encoder(
            entry,
            channels=len(reader.data_columns or ()),
            window=reader.window_size,
            step=reader.step_size,
            device=device,
        )
        try:
            threads = settings.threads or usable_cores()
            return Classifier(config, encoder, shots, search=settings.search, threads=threads, report=report)
        except BaseException:
            encoder.close()
            raise

    def _shots(self, data: Any, labels: Any) -> list[Shot]:
        one = isinstance(data, str | os.PathLike) or hasattr(data, "columns") or getattr(data, "ndim", 0) == 2
        labels = _list_labels(labels)
        if not one:
            recordings = list(data)
            if len(recordings) != len(labels):
                message = f"fit got {len(recordings)} recordings and {len(labels)} labels."
                raise RequestError([Problem("invalid_parameter", message, "y", "Give one label for each recording.")])
            names = None
            shots = []
            for place, (item, label) in enumerate(zip(recordings, labels, strict=True)):
                recording = self._recording(item, f"recording {place} ({label})", names)
                names = names or recording.data_columns
                shots.append(Shot(label, recording))
            if not shots:
                raise RequestError([Problem("not_enough_shots", "fit got no recordings.", "X")])
            return shots
        recording = self._recording(data, "the recording", None)
        if len(labels) == 1:
            return [Shot(labels[0], recording)]
        values = np.concatenate([chunk.values for chunk in recording.chunks()], axis=1)
        if values.shape[1] != len(labels):
            message = f"fit got {values.shape[1]} rows and {len(labels)} labels."
            raise RequestError([Problem("invalid_parameter", message, "y", "Give one label for each row.")])
        changes = [row for row in range(1, len(labels)) if labels[row] != labels[row - 1]]
        shots = []
        for first, last in zip([0, *changes], [*changes, len(labels)], strict=True):
            if labels[first] and last - first >= self.window:  # a stretch shorter than a window shows nothing
                name = f"rows {first} to {last - 1} ({labels[first]})"
                shots.append(Shot(labels[first], ArrayRecording(values[:, first:last].T, name, recording.data_columns)))
        if not shots:
            message = f"No label lasts for {self.window} rows in a row."
            raise RequestError([Problem("not_enough_shots", message, "y", "Lower window.")])
        dropped = sorted(set(labels) - {shot.label for shot in shots} - {""})
        if dropped:
            message = f"Not learned, because no stretch of it is as long as a window: {', '.join(dropped)}."
            warnings.warn(message, stacklevel=3)
        return shots

    def _recording(self, data: Any, name: str, names: Sequence[str] | None) -> Recording:
        if isinstance(data, str | os.PathLike):
            return open_table(Path(data), os.fspath(data), ReadOptions(data_columns=tuple(names) if names else None))
        if isinstance(data, pl.LazyFrame):
            data = data.collect()
        if hasattr(data, "columns"):
            return _frame_recording(data, name, names)
        return ArrayRecording(data, name, names if names and np.shape(data)[1:] == (len(names),) else None)

    def _check_columns(self, recording: Recording, names: Sequence[str]) -> None:
        if len(recording.data_columns) != len(names):
            message = f"{recording.name} has {len(recording.data_columns)} channels, the first one had {len(names)}."
            raise RequestError([Problem("invalid_channel_count", message, "X")])


def _frame_recording(frame: Any, name: str, names: Sequence[str] | None) -> ArrayRecording:
    """Return the named columns of a Polars or pandas frame, or all but the timestamp, as a recording."""
    columns = [str(column) for column in frame.columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        message = f"{name} has several columns called {twice[0]!r}."
        raise RequestError([Problem("duplicate_column", message, "X", "Give each column a name of its own.")])
    chosen = list(names) if names else [column for column in columns if column != TIMESTAMP]
    missing = [column for column in chosen if column not in columns]
    if missing:
        message = f"{name} has no column {missing[0]!r}; it has: {', '.join(columns)}."
        raise RequestError([Problem("missing_column", message, "X")])
    values = np.empty((len(frame), len(chosen)))
    for place, column in enumerate(chosen):
        values[:, place] = _numbers(frame, columns.index(column), f"{name}, column {column}")
    return ArrayRecording(values, name, chosen)


def _numbers(frame: Any, place: int, name: str) -> npt.NDArray[np.float64]:
    """Return one column as float64, NaN where it has no number."""
    try:
        if hasattr(frame, "iloc"):  # pandas, whose own missing values numpy does not know
            column = frame.iloc[:, place]
            if getattr(column.dtype, "kind", "") not in "mM":
                column = column.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            column = frame.to_series(place).to_numpy()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: it holds other things than numbers: {error}.", code="invalid_cell", file=name
        ) from None
    return ArrayRecording(np.asarray(column)[:, np.newaxis], name).values[:, 0]


def _list_labels(labels: Any) -> list[str]:
    """Return labels as texts, "" where there is none."""
    if labels is None:
        raise RequestError(
            [Problem("invalid_parameter", "fit got no labels.", "y", "Give one for each recording or row.")]
        )
    if isinstance(labels, str):
        return [labels]
    if hasattr(labels, "columns") or getattr(labels, "ndim", 1) == 2:  # one column, as scikit-learn would take it
        width = labels.shape[1]
        if width != 1:
            message = f"y has {width} columns."
            raise RequestError(
                [Problem("invalid_parameter", message, "y", "Give one label for each recording or row.")]
            )
        labels = labels.to_numpy() if hasattr(labels, "columns") else labels
        labels = np.asarray(labels, dtype=object)[:, 0]
    listed = labels.to_list() if hasattr(labels, "to_list") else list(labels)
    return ["" if label is None or str(label) in _NO_LABEL else str(label) for label in listed]
