"""Compiling the kernels ahead of the first job."""

import numpy as np

from engine.models.language.sample import Draws, Sampler, Sampling
from engine.pipelines.machine_state.estimator import StateClassifier
from kernels.jit import registered


def warm_up() -> int:
    """Run every kernel once, so that it is compiled and kept: a handful of rows in every metric and kind of search, a drawn token.

    Returns
    -------
    How many kernels have been compiled in this process.
    """
    rows = np.random.default_rng(0).normal(size=(80, 2))
    level = np.sin(np.arange(300) / 40)[:, np.newaxis] + np.zeros(16)  # a library so large that it is projected
    for recording, settings in (
        (rows, {}),
        (rows, {"metric": "cosine", "weights": "distance"}),
        (rows, {"metric": "manhattan", "search": "faiss"}),
        (rows, {"step": 20}),
        (level, {}),
        (level, {"metric": "cosine"}),
    ):
        states = StateClassifier(window=16, n_neighbors=3, threads=1, device="cpu", **settings)
        states.fit([recording, recording + 3], ["low", "high"]).predict(recording)
        states.close()
    sampler = Sampler(Sampling(repetition_penalty=1.1), 8, 1)
    sampler.admit(0, [0], Draws(0, 0, 0))
    sampler.choose(np.zeros((1, 8), np.float32), [0])
    return sum(bool(compiled.signatures) for compiled in registered())
