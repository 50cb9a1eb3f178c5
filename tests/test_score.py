"""Scores equal scikit-learn's, and INVALID_STATE is wrong without being a class."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from engine.output.score import INVALID_STATE, collect, score

labels = st.sampled_from(["b", "a", "Z", "\u00e9tat"])
cases = st.lists(st.tuples(labels, labels | st.just(INVALID_STATE)), min_size=1, max_size=40)


def count(pairs: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    return {pair: pairs.count(pair) for pair in pairs}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(cases)
def test_scores_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = (list(side) for side in zip(*pairs, strict=True))
    names = sorted({*truth, *predicted} - {INVALID_STATE})
    got = score(count(pairs), excluded=3)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=names, zero_division=0
    )
    assert got.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert got.macro_f1 == pytest.approx(
        metrics.f1_score(truth, predicted, labels=names, average="macro", zero_division=0)
    )
    assert got.majority_baseline == max(truth.count(name) for name in names) / len(truth)
    assert (got.windows, got.excluded) == (len(pairs), 3)
    assert list(got.per_class) == names
    for n, one in enumerate(got.per_class.values()):
        assert (one.precision, one.recall, one.f1) == pytest.approx((precision[n], recall[n], f1[n]))
        assert one.support == support[n]
    expected = (*names, INVALID_STATE) if INVALID_STATE in predicted else tuple(names)
    assert got.classes == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a single class
        assert np.array_equal(got.matrix, metrics.confusion_matrix(truth, predicted, labels=expected))


def test_the_wire_form() -> None:
    got = score({("run", "run"): 3, ("idle", "run"): 1, ("idle", INVALID_STATE): 1}, excluded=2)
    assert got.as_dict() == {
        "windows": 5,
        "excluded": 2,
        "accuracy": 0.6,
        "macro_f1": pytest.approx((6 / 7) / 2),
        "majority_baseline": 0.6,
        "per_class": {
            "idle": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 2},
            "run": {"precision": 0.75, "recall": 1.0, "f1": pytest.approx(6 / 7), "support": 3},
        },
        "confusion": {"classes": ["idle", "run", INVALID_STATE], "matrix": [[0, 1, 1], [0, 3, 0], [0, 0, 0]]},
    }


def test_nothing_compared_has_no_scores() -> None:
    got = score({}, excluded=4)
    assert (got.windows, got.excluded, got.accuracy, got.macro_f1, got.majority_baseline) == (0, 4, None, None, None)
    assert got.classes == got.matrix == ()


def test_journal_lines_are_summed() -> None:
    lines = [
        {"input": 0, "part": 0, "excluded": 1, "confusion": [["a", "b", 2], ["a", "a", 1]]},
        {"input": 0, "ended": {"status": "completed"}},
        {"input": 1, "part": 0, "excluded": 2, "confusion": [["a", "b", 5]]},
    ]
    assert collect(lines) == ({("a", "b"): 7, ("a", "a"): 1}, 3)
