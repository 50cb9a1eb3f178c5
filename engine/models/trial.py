"""The trial that a model has to pass before it is relied on: of an encoder's vectors here, of a language model's answers beside it."""

import numpy as np

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.encoder import Encoder, load_encoder
from engine.models.manifest import LONGEST_WINDOW, ModelEntry
from engine.models.probe import same
from engine.models.scaling import Scaling

WINDOW = 64  # rows of the trial's windows, where the model takes so many


def try_model(entry: ModelEntry) -> None:
    """Try a model on the CPU, on windows or prompts that it takes. Costs a few batches.

    Raises
    ------
    ModelError
        It does not load or does not pass.
    """
    if entry.manifest.kind == "language":
        from engine.models.language.trial import try_language

        try_language(entry)
        return
    windowed, dense = entry.manifest.windowed, entry.manifest.dense
    least, most = 2, LONGEST_WINDOW
    if windowed:
        least, most = windowed.min_window, windowed.max_window
    elif dense:
        most = max(graph.max_window for graph in dense.graphs)
    window, channels = min(most, max(least, WINDOW)), entry.channels or 2
    encoder = load_encoder(entry, channels=channels, window=window, step=1, device=Device("cpu", "cpu"))
    try:
        level, spread = (windowed.usual_level, windowed.usual_spread) if windowed else (0.0, 1.0)
        try_encoder(encoder, channels=channels, window=window, level=level, spread=spread)
    finally:
        encoder.close()


def try_encoder(encoder: Encoder, *, channels: int, window: int, level: float = 0.0, spread: float = 1.0) -> None:
    """Encode two ordinary windows and look at their vectors.

    They have to be finite and of the promised width, differ, and be the same whether the windows are encoded one by one, or
    together and beside a much louder third.

    Raises
    ------
    ModelError
        One of these fails, so nothing that is computed from the vectors could be relied on.
    """
    values = np.random.default_rng(0).standard_normal((channels, 3 * window))
    values[:, 2 * window :] = 50.0 + 50.0 * values[:, 2 * window :]
    values = level + spread * values
    starts = np.arange(3, dtype=np.int64) * window
    scaling = Scaling(np.zeros(channels), np.ones(channels), np.zeros(channels))
    vectors = encoder.encode(values, starts, scaling)
    if vectors.shape != (3, encoder.width):
        raise ModelError(f"The trial gave {vectors.shape} numbers, not {(3, encoder.width)}.", code="model_trial")
    together = vectors[:2]
    if not np.isfinite(together).all():
        raise ModelError(
            "The trial gave vectors that are not finite on ordinary readings.",
            code="model_trial",
            cure="Export the model again in float32.",
        )
    if np.array_equal(together[0], together[1]):
        raise ModelError(
            "The trial gave the same vector for two different windows.",
            code="model_trial",
            cure="Choose another output with --output.",
        )
    alone = np.concatenate([encoder.encode(values, starts[i : i + 1], scaling) for i in range(2)])
    if not same(together, alone):
        raise ModelError(
            f"A window's vector depends on the other windows of its batch (by {np.abs(together - alone).max():.2g}).",
            code="model_trial",
            cure="Export the model in evaluation mode.",
        )
