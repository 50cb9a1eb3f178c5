"""Choosing the next token of many rows: penalty, the k largest logits, and a draw among them."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel

BLOCK = 64  # logits that are compared at once


@kernel
def choose_tokens(
    logits: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    seen: npt.NDArray[np.uint8],
    penalty: np.float32,
    temperature: float,
    top_p: float,
    draws: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
    ids: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
) -> None:
    """Choose one token for each of some rows of logits. A row's choice depends on nothing but that row.

    The order is that of Hugging Face transformers: repetition penalty, temperature, the k largest, the nucleus, softmax, draw. Of
    equal logits at the border of the k largest, the lower token is kept (transformers keeps all of them). Softmax and sums are
    float64. NaN counts as minus infinity.

    Parameters
    ----------
    logits : (slots, vocab) float32
    rows : (n,) int64
        The rows to choose for.
    seen : (slots, vocab) uint8
        1 for tokens that the row's prompt or answer has; not read where `penalty` is 1.
    penalty : float32
        Positive logits of seen tokens are divided by it, negative ones multiplied (Keskar et al., 2019).
    temperature : float
        Above 0; without meaning where k is 1.
    top_p : float
        Share of the probability that is kept, from the likeliest token on, above 0 (Holtzman et al., 2020).
    draws : (n,) float64
        In [0, 1).
    values, ids : (k,) float32 and int64
        Scratch; k is how many tokens are kept: 1 is greedy.
    chosen : (n,) int64
        Overwritten.
    """
    k = values.size
    weights = np.empty(k, dtype=np.float64)
    for n in range(rows.size):
        row = rows[n]
        _largest(logits[row], seen[row], penalty, values, ids)
        chosen[n] = ids[0]
        best = np.float64(values[0])
        if k == 1 or not np.isfinite(best):
            continue
        total = 0.0
        for place in range(k):
            weights[place] = np.exp((values[place] - best) / temperature)
            total += weights[place]
        kept = k
        removed = 0.0
        while kept > 1:  # from the least likely one on
            removed += weights[kept - 1] / total
            if removed > 1.0 - top_p:
                break
            kept -= 1
        mass = 0.0
        for place in range(kept):
            mass += weights[place]
        wanted = draws[n] * mass
        passed = 0.0
        for place in range(kept):
            passed += weights[place]
            if passed > wanted:
                chosen[n] = ids[place]
                break


@kernel
def _largest(
    logits: npt.NDArray[np.float32],
    seen: npt.NDArray[np.uint8],
    penalty: np.float32,
    values: npt.NDArray[np.float32],
    ids: npt.NDArray[np.int64],
) -> None:
    """Find the `values.size` largest logits, by (value descending, token ascending): a heap whose root is the least of them.

    Few of a large vocabulary come near the root, so whole blocks are compared with it first, which runs in vector instructions. A
    penalty below 1 raises positive logits, so there the raw ones tell nothing.
    """
    k = values.size
    penalised = penalty != np.float32(1.0)
    for token in range(k):
        value = _score(logits[token], penalised and seen[token] != 0, penalty)
        place = token
        while place > 0 and _less(value, token, values[(place - 1) // 2], ids[(place - 1) // 2]):
            values[place], ids[place] = values[(place - 1) // 2], ids[(place - 1) // 2]
            place = (place - 1) // 2
        values[place], ids[place] = value, token
    for start in range(k, logits.size, BLOCK):
        end = min(start + BLOCK, logits.size)
        if penalty >= np.float32(1.0) and end - start == BLOCK:
            least = values[0]
            above = np.uint32(0)
            for place in range(BLOCK):  # of a fixed length, at unsigned places: what the compiler needs to see
                above |= np.uint32(logits[np.uint64(start + place)] > least)
            if above == 0:
                continue
        for token in range(start, end):
            value = _score(logits[token], penalised and seen[token] != 0, penalty)
            if value > values[0]:
                _sink(value, token, values, ids, k)
    for size in range(k - 1, 0, -1):  # the least one to the end, again and again
        value, token = values[size], ids[size]
        values[size], ids[size] = values[0], ids[0]
        _sink(value, token, values, ids, size)


@kernel
def _score(logit: np.float32, known: bool, penalty: np.float32) -> np.float32:
    """Return a logit with the penalty of a token that is known already; NaN is minus infinity."""
    if known:
        logit = logit * penalty if logit < 0 else logit / penalty
    return np.float32(-np.inf) if np.isnan(logit) else logit


@kernel
def _less(value: np.float32, token: int, other: np.float32, other_token: int) -> bool:
    return value < other or (value == other and token > other_token)  # type: ignore[return-value]


@kernel
def _sink(
    value: np.float32, token: int, values: npt.NDArray[np.float32], ids: npt.NDArray[np.int64], size: int
) -> None:
    """Put an entry in place of the root of a heap of `size` entries."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _less(values[child + 1], ids[child + 1], values[child], ids[child]):
            child += 1
        if not _less(values[child], ids[child], value, token):
            break
        values[place], ids[place] = values[child], ids[child]
        place = child
    values[place], ids[place] = value, token
