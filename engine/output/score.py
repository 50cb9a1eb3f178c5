"""How good the predictions were, where the true states are known.

Definitions are scikit-learn's (`precision_recall_fscore_support` with `zero_division=0`), over the union of the true and the
predicted classes. A window that got INVALID_STATE counts: it is in the support of its class, and wrong. INVALID_STATE itself is
no class of the macro average; where it was predicted it is the last row (empty) and column of the confusion matrix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

INVALID_STATE = "INVALID_STATE"


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: `support` windows are truly of it. Precision is 0 where it was never predicted, recall where never true."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a run.

    Attributes
    ----------
    windows : int
        Windows that were compared. Without any, the three averages are None.
    excluded : int
        Windows without one true state, left out.
    accuracy, macro_f1 : float or None
        Share of right windows; mean F1 of the classes that are true or predicted somewhere.
    majority_baseline : float or None
        The accuracy of always answering the most frequent true class.
    per_class : dict
        By class, in sorted order.
    classes : tuple of str
        Of the matrix's rows and columns.
    matrix : tuple of tuples of int
        Windows by truth (rows) and prediction (columns).
    """

    windows: int
    excluded: int
    accuracy: float | None
    macro_f1: float | None
    majority_baseline: float | None
    per_class: dict[str, ClassScore]
    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values, in the form of the wire reference."""
        return {
            "windows": self.windows,
            "excluded": self.excluded,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "majority_baseline": self.majority_baseline,
            "per_class": {
                name: {"precision": one.precision, "recall": one.recall, "f1": one.f1, "support": one.support}
                for name, one in self.per_class.items()
            },
            "confusion": {"classes": list(self.classes), "matrix": [list(row) for row in self.matrix]},
        }


def collect(entries: Iterable[Mapping[str, Any]]) -> tuple[dict[tuple[str, str], int], int]:
    """Sum the confusion of journal lines: {(truth, prediction): windows} and the windows left out."""
    pairs: dict[tuple[str, str], int] = {}
    excluded = 0
    for entry in entries:
        excluded += entry.get("excluded", 0)
        for truth, predicted, windows in entry.get("confusion", ()):
            pairs[truth, predicted] = pairs.get((truth, predicted), 0) + windows
    return pairs, excluded


def score(pairs: Mapping[tuple[str, str], int], *, excluded: int = 0) -> Evaluation:
    """Score a confusion given as {(truth, prediction): windows}; INVALID_STATE may be a prediction."""
    names = sorted({name for pair in pairs for name in pair} - {INVALID_STATE})
    classes = (*names, INVALID_STATE) if any(INVALID_STATE in pair for pair in pairs) else tuple(names)
    position = {name: n for n, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)), np.int64)
    for (truth, predicted), windows in pairs.items():
        matrix[position[truth], position[predicted]] += windows
    size = len(names)
    support = matrix.sum(axis=1)[:size]
    predicted_windows = matrix.sum(axis=0)[:size]
    right = matrix.diagonal()[:size]
    precision = _share(right, predicted_windows)
    recall = _share(right, support)
    f1 = _share(2 * right, support + predicted_windows)
    windows = int(matrix.sum())
    return Evaluation(
        windows=windows,
        excluded=excluded,
        accuracy=int(right.sum()) / windows if windows else None,
        macro_f1=float(f1.mean()) if size else None,
        majority_baseline=int(support.max()) / windows if size else None,
        per_class={
            name: ClassScore(float(precision[n]), float(recall[n]), float(f1[n]), int(support[n]))
            for n, name in enumerate(names)
        },
        classes=classes,
        matrix=tuple(tuple(int(cell) for cell in row) for row in matrix),
    )


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Divide, with 0 for nothing of nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
