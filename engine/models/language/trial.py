"""The trial that a language model has to pass before its answers are relied on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.language.decoder import Decoder
from engine.models.language.model import LanguageModel, load_language
from engine.models.manifest import ModelEntry
from engine.models.probe import same

Logits = npt.NDArray[np.float32]

SYSTEM = "You watch a plant."
TEXTS = {  # a question -> how many tokens of its prompt, from the end, are decoded
    "Is the pump on, and since when?": 9,
    "pressure 3.1, 3.2, 3.0, 4.8; flow 12, 12, 11, 3; temperature 40, 41, 43, 47: what is going on here?": 48,
    "Describe what the valve does.": 23,
}
STEPS = 4
AGREE = 0.05  # of the largest logit: what rounding may make of a text that is computed at once, in the coarsest types


def try_language(entry: ModelEntry) -> None:
    """Try a language model on the CPU, on short prompts. Costs some dozen steps.

    Raises
    ------
    ModelError
        It does not load or does not pass.
    """
    model = load_language(entry, device=Device("cpu", "cpu"), threads=1)
    try:
        prompts = _make_prompts(model)
        decoder = model.open_decoder(len(prompts) + 1, max(len(prompt) for prompt in prompts) + STEPS)
        try:
            try_decoder(decoder, prompts)
        finally:
            decoder.close()
    finally:
        model.close()


def try_decoder(decoder: Decoder, prompts: Sequence[Sequence[int]]) -> None:
    """Continue prompts by `STEPS` tokens in a decoder with one slot more: side by side, and each alone in another slot.

    Logits have to be finite and the same either way, and a prompt that is read at once with its answer has to go on as it did
    token by token.

    Raises
    ------
    ModelError
        One of these fails, so answers would depend on their neighbours, or on nothing.
    """
    together = _continue(decoder, [*prompts, None])
    for number, prompt in enumerate(prompts):
        tokens, logits = together[number]
        if not np.isfinite(logits).all():
            raise ModelError(
                "The trial gave logits that are not finite on an ordinary prompt.",
                code="model_trial",
                cure="Export the model again in float32.",
            )
        own_tokens, own_logits = _continue(decoder, [None] * len(prompts) + [prompt])[-1]
        if tokens != own_tokens or not same(logits, own_logits):
            raise ModelError(
                "An answer depends on the others that are written beside it"
                f" (its logits by {np.abs(logits - own_logits).max():.2g}).",
                code="model_trial",
                cure="Export the model without dynamic quantization: in float32 or float16, or with int4 weights.",
            )
        whole = decoder.prefill(number, [*prompt, *tokens[:-1]])
        difference = np.abs(whole - logits[-1]).max()
        if not difference <= AGREE * np.abs(whole).max():
            raise ModelError(
                f"A text that is read token by token goes on in another way than one read at once (logits by {difference:.2g}),"
                " so the model's cache does not hold what it should.",
                code="model_trial",
                cure="Export the model again.",
            )


def _make_prompts(model: LanguageModel) -> list[list[int]]:
    prompts = []
    for text, length in TEXTS.items():
        tokens = list(model.tokenizer.encode(model.template.render(SYSTEM, text)))
        prompts.append(tokens[-min(length, model.context_length - STEPS) :])
    if not all(prompts):
        raise ModelError("The tokenizer makes no tokens of an ordinary prompt.", code="model_trial")
    return prompts


def _continue(decoder: Decoder, prompts: Sequence[Sequence[int] | None]) -> list[tuple[list[int], Logits]]:
    """Continue the prompts in their slots by the likeliest tokens; None is idle.

    Returns
    -------
    list of (tokens, logits)
        For each slot `STEPS` + 1 tokens and the logits that each was chosen by, (STEPS + 1, vocabulary) float32.
    """
    busy = [slot for slot, prompt in enumerate(prompts) if prompt is not None]
    rows: list[list[Logits]] = [[] for _ in prompts]
    tokens, lengths = np.zeros(len(prompts), np.int64), np.zeros(len(prompts), np.int64)
    chosen: list[list[int]] = [[] for _ in prompts]
    for slot, prompt in enumerate(prompts):
        if prompt is not None:
            rows[slot].append(np.array(decoder.prefill(slot, prompt)))
            lengths[slot] = len(prompt)
    for step in range(STEPS + 1):
        for slot in busy:
            tokens[slot] = rows[slot][-1].argmax()
            chosen[slot].append(int(tokens[slot]))
        if step < STEPS:
            logits = decoder.step(tokens, lengths)
            for slot in busy:
                rows[slot].append(np.array(logits[slot]))
            lengths[busy] += 1
    return [(chosen[slot], np.array(rows[slot])) for slot in range(len(prompts))]
