"""The slow, obvious twins of the kernels: what each result is by definition."""

import numpy as np


def windows(values, window, step):
    """Every window, copied one by one."""
    return [values[:, s : s + window] for s in range(0, values.shape[1] - window + 1, step)]


def neighbours(queries, library, k, metric):
    """The k nearest by (distance, index), each distance by differences in float64."""
    q, r = queries.astype(np.float64), library.astype(np.float64)
    if metric == "cosine":
        distances = np.empty((len(q), len(r)))
        for i, a in enumerate(q):
            for j, b in enumerate(r):
                if not a.any() or not b.any():
                    distances[i, j] = 1.0
                else:
                    distances[i, j] = 0.5 * np.sum((a / np.sqrt((a * a).sum()) - b / np.sqrt((b * b).sum())) ** 2)
    elif metric == "manhattan":
        distances = np.abs(q[:, None] - r[None]).sum(axis=2)
    else:
        distances = np.sqrt(((q[:, None] - r[None]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, axis=1)


def vote(codes, distances, classes, *, by_distance):
    """Winner and shares of one query, in plain Python."""
    weights = [1.0] * len(codes)
    if by_distance and distances[0] == 0:
        weights = [1.0 if d == 0 else 0.0 for d in distances]
    elif by_distance:
        weights = [1.0 / d for d in distances]
    totals = [0.0] * classes
    for code, weight in zip(codes, weights, strict=True):
        totals[code] += weight
    winner = max(range(classes), key=lambda c: (totals[c], -c))
    return winner, np.array(totals) / sum(weights)


def fill_forward(values, fill):
    """Missing cells take the last finite value before them, or `fill` at the start."""
    out = values.copy()
    for c in range(len(out)):
        last = fill[c]
        for t in range(out.shape[1]):
            if np.isfinite(out[c, t]):
                last = out[c, t]
            else:
                out[c, t] = last
    return out
