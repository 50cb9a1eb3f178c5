#!/usr/bin/env python3
"""Train the shipped language model from scratch, on examples that the project composes itself.

    scripts/train_language_model.py --out training/ --minutes 85
    scripts/export_language_model.py training/checkpoint exported/ --precision int8

Everything is drawn from `engine.plant.activities`: the tokenizer is trained on 60,000 examples, the network on as many as fit the
budget, each seen once. Restartable: the same command goes on from the last saved state (every two minutes, and when it is told to
stop), and `--minutes` counts training time over all runs. `--size large --device cuda` trains a larger network on a GPU.

`--start-from FOLDER` goes on from a checkpoint (config.json, model.safetensors, tokenizer.json) instead of nothing; its tokenizer is kept.
`--until 11:55` ends at that time of the day, whatever a busy machine got done by then: the rate falls to nothing by the clock.

PyTorch is no dependency of the engine. Where it is not installed, the script makes an environment of its own for it
(`--environment`) and starts again in there.
"""

import argparse
import json
import math
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from environment import enter

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("torch==2.13.0", "safetensors>=0.6", "tokenizers>=0.22")
TOKENIZER_SEED, CHECK_SEED = 1, 2  # of `compose`; training starts at 1,000
TOKENIZER_EXAMPLES = 60_000
QUOTE_EVERY = 7  # one example in so many asks for readings by names that mean nothing
PROMPT_SHARE, PROMPT_WEIGHT = 0.15, 0.3  # of a prompt's tokens, those that are learned too, and how much each counts
NUMBER_WEIGHT = 2.5  # of a digit in an answer: a reading is quoted right in all of its digits or not at all
POOL = 1024  # examples that are sorted by length into batches
REPEAT_EVERY, REPEATED = 20, 60  # one example in so many is to be repeated, up to so many of its tokens
EMBEDDINGS = ("embed_tokens", "lm_head")
SAVE_S, TELL_S, CHECK_S = 120, 60, 600
WARMUP = 0.02  # of the budget
FULL_RATE, EMBEDDING_RATE = 0.02, 3e-3  # of Muon, and of Adam beside it


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the state and the checkpoint")
    parser.add_argument("--minutes", type=float, default=75, help="of training, over all runs")
    parser.add_argument("--size", choices=["small", "large"], default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=3840, help="padded tokens of a step")
    parser.add_argument("--rate", type=float, default=FULL_RATE, help="of Muon, for the matrices; the others follow")
    parser.add_argument(
        "--decay", type=float, default=0.35, help="share of the budget over which the rate falls to nothing"
    )
    parser.add_argument("--start-from", type=Path, help="checkpoint folder to go on from, for the first run into --out")
    parser.add_argument("--until", help="time of the day (HH:MM) to end at, instead of --minutes")
    parser.add_argument(
        "--bfloat16", action="store_true", help="multiply in bfloat16: twice as fast where the processor can"
    )
    parser.add_argument("--environment", type=Path, default=REPOSITORY / ".venv-train")
    return parser.parse_args()


def render(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a record's turns as the engine makes them: (role, text)."""
    texts = [
        record.get("instruction", ""),
        *(item["data"] for item in record.get("inputs", ())),
        record.get("prompt", ""),
    ]
    turns = [("user", "\n\n".join(text for text in texts if text))]
    return [("system", record["system"]), *turns] if record.get("system") else turns


def train_tokenizer(vocab_size: int, folder: Path) -> Any:
    """Train a byte-level BPE, digits one by one, and write the files that describe it."""
    from language_model import SPECIAL, TEMPLATE, write_json
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from engine.plant.activities import compose

    def texts() -> Iterator[str]:
        for index in range(TOKENIZER_EXAMPLES):
            example = compose(TOKENIZER_SEED, index)
            yield from (text for _, text in render(example.record))
            yield example.answer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|end|>",
        "pad_token": "<|pad|>",
        "chat_template": TEMPLATE,
    }
    write_json(folder / "tokenizer_config.json", described)
    return tokenizer


class Corpus:
    """Examples as tokens and weights, from a place in the series on; `place` is where the next pool starts."""

    def __init__(self, tokenizer: Any, seed: int, place: int, context: int) -> None:
        self.place = place
        self._tokenizer = tokenizer
        self._seed = 1000 + seed
        self._context = context
        self._digits = {tokenizer.token_to_id(sign) for sign in "0123456789."}
        self._ids = {role: tokenizer.token_to_id(f"<|{role}|>") for role in ("system", "user", "answer", "end")}

    def repeat(self, example: Any) -> tuple[list[int], list[float], int]:
        """Return an example that teaches to copy: a beginning of the record, to be said again. Quoting readings grows from it."""
        text = "\n".join(text for _, text in render(example.record))
        own = self._tokenizer.encode(text, add_special_tokens=False).ids[:REPEATED]
        asked = self._tokenizer.encode("Repeat.", add_special_tokens=False).ids
        ids = [
            self._ids["system"],
            *asked,
            self._ids["end"],
            self._ids["user"],
            *own,
            self._ids["end"],
            self._ids["answer"],
        ]
        weights = [0.0] * len(ids) + [1.0] * (len(own) + 1)
        return [*ids, *own, self._ids["end"]], weights, 0

    def encode(self, example: Any) -> tuple[list[int], list[float], int]:
        """Return tokens, the weight of predicting each, and how many tokens the activity's name has."""
        ids: list[int] = []
        for role, text in render(example.record):
            ids += [self._ids[role], *self._tokenizer.encode(text, add_special_tokens=False).ids, self._ids["end"]]
        ids.append(self._ids["answer"])
        weights = [0.0] + [PROMPT_WEIGHT] * (len(ids) - 1)
        rest = self._tokenizer.encode(example.answer, add_special_tokens=False).ids
        named = example.answer.partition(". ")[0].rstrip(".") + "."
        name = self._tokenizer.encode(named, add_special_tokens=False).ids[: len(rest)]
        ids += [*rest, self._ids["end"]]
        weights += [3.0] * len(name)
        weights += [NUMBER_WEIGHT if token in self._digits else 1.0 for token in (*rest[len(name) :], self._ids["end"])]
        return ids[: self._context], weights[: self._context], len(name)

    def _draw(self, place: int) -> tuple[list[int], list[float], int]:
        """Return the example at a place of the series: to be answered, to be quoted from, or to be repeated."""
        from engine.plant.activities import compose, compose_quote

        if place % QUOTE_EVERY == 0:
            ids, weights, _ = self.encode(compose_quote(self._seed, place))
            return ids, [min(weight, NUMBER_WEIGHT) for weight in weights], 0
        example = compose(self._seed, place)
        return self.encode(example) if place % REPEAT_EVERY else self.repeat(example)

    def batches(self, tokens: int) -> Iterator[tuple[Any, Any]]:
        """Yield batches of at most so many padded tokens, for ever: (rows, length) tokens and weights."""
        while True:
            pool = [self._draw(self.place + index) for index in range(POOL)]
            pool.sort(key=lambda item: len(item[0]))
            groups: list[list[Any]] = [[]]
            for item in pool:
                if groups[-1] and (len(groups[-1]) + 1) * len(item[0]) > tokens:
                    groups.append([])
                groups[-1].append(item)
            random.Random(self.place).shuffle(groups)
            self.place += POOL
            for group in groups:
                yield pad(group)


def pad(group: list[Any]) -> tuple[Any, Any]:
    """Return tokens and weights of a batch, padded on the right."""
    import torch

    length = max(len(ids) for ids, *_ in group)
    tokens = torch.zeros(len(group), length, dtype=torch.long)
    weights = torch.zeros(len(group), length)
    for row, (ids, own, _) in enumerate(group):
        tokens[row, : len(ids)] = torch.tensor(ids)
        weights[row, : len(own)] = torch.tensor(own)
    return tokens, weights


class Muon:
    """Momentum with orthogonalised updates for matrices (Jordan et al., 2024): five Newton-Schulz steps."""

    def __init__(
        self, matrices: list[Any], rate: float, kind: Any, momentum: float = 0.95, decay: float = 0.01
    ) -> None:
        import torch

        self._kind = kind
        self.rate, self._momentum, self._decay = rate, momentum, decay
        self._matrices = matrices
        self.moments = [torch.zeros_like(matrix) for matrix in matrices]

    def step(self, share: float) -> None:
        """Take one step at a share of the rate."""
        import torch

        for matrix, moment in zip(self._matrices, self.moments, strict=True):
            moment.lerp_(matrix.grad, 1 - self._momentum)
            update = matrix.grad.lerp(moment, self._momentum).to(self._kind)
            tall = update.shape[0] > update.shape[1]
            x = (update.T if tall else update) / (update.norm() + 1e-7)
            for _ in range(5):
                square = x @ x.T
                x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
            x = x.T if tall else x
            with torch.no_grad():
                matrix.mul_(1 - share * self.rate * self._decay)
                matrix.add_(
                    x.to(matrix.dtype), alpha=-share * self.rate * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
                )
            matrix.grad = None


def check(network: Any, corpus: Corpus, device: str, count: int = 300) -> tuple[float, float]:
    """Return the mean loss on answers and the share of activities named right, on examples that training does not see."""
    import torch
    from torch.nn import functional

    from engine.plant.activities import compose

    items = sorted((corpus.encode(compose(CHECK_SEED, index)) for index in range(count)), key=lambda item: len(item[0]))
    losses, tokens_seen, right = 0.0, 0, 0
    network.eval()
    with torch.inference_mode():
        for group in (items[place : place + 20] for place in range(0, count, 20)):
            tokens, weights = pad(group)
            logits = network(tokens[:, :-1].to(device)).cpu()
            loss = functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
            answers = weights[:, 1:] >= 1
            losses += float(loss[answers].sum())
            tokens_seen += int(answers.sum())
            named = weights[:, 1:] == 3
            right += int(((logits.argmax(-1) == tokens[:, 1:]) | ~named).all(dim=1).sum())
    network.train()
    return losses / tokens_seen, right / count


def rate_share(share: float, decay: float) -> float:
    """Return the rate at a share of the budget: warm-up, constant, then down to nothing."""
    return min(1.0, share / WARMUP, max(0.0, (1 - share) / decay))


def read_checkpoint(network: Any, source: Path, folder: Path) -> None:
    """Take a checkpoint's weights, and copy its tokenizer's files into the new checkpoint's folder."""
    from safetensors.torch import load_file

    weights = load_file(source / "model.safetensors")
    network.load_state_dict({name.removeprefix("model."): weight for name, weight in weights.items()})
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(source / name, folder / name)


def seconds_until(clock: str) -> float:
    """Return how long it is until a time of the day, HH:MM, the next one to come."""
    now = datetime.now()  # noqa: DTZ005 - the person's own clock
    then = datetime.combine(now.date(), datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007
    return ((then - now).total_seconds() + 86_400) % 86_400


def train(options: argparse.Namespace) -> None:
    """Train until the budget is used up or a signal says stop."""
    import torch
    from language_model import SIZES, Llama
    from tokenizers import Tokenizer
    from torch.nn import functional

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    shape, folder = SIZES[options.size], options.out / "checkpoint"
    state_file = options.out / "state.pt"
    network = Llama(shape).to(options.device)
    if options.start_from and not state_file.is_file():
        read_checkpoint(network, options.start_from, folder)
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        print("Training the tokenizer ...", flush=True)
        tokenizer = train_tokenizer(shape.vocab_size, folder)
    matrices = [
        weight for name, weight in network.named_parameters() if weight.dim() == 2 and not name.startswith(EMBEDDINGS)
    ]
    others = [weight for name, weight in network.named_parameters() if weight.dim() != 2 or name.startswith(EMBEDDINGS)]
    kind = torch.bfloat16 if options.bfloat16 else torch.float32
    muon = Muon(matrices, options.rate, kind)
    embedding_rate = EMBEDDING_RATE * options.rate / FULL_RATE
    adam = torch.optim.AdamW(others, lr=embedding_rate, betas=(0.9, 0.98), weight_decay=0.0)
    done = {"seconds": 0.0, "steps": 0, "tokens": 0, "place": 0}
    if state_file.is_file():
        state = torch.load(state_file, map_location=options.device, weights_only=True)
        network.load_state_dict(state["network"])
        adam.load_state_dict(state["adam"])
        muon.moments = state["muon"]
        done = state["done"]
        print(f"Going on after {done['seconds'] / 60:.1f} minutes, step {done['steps']:,}.", flush=True)
    corpus = Corpus(tokenizer, options.seed, int(done["place"]), shape.context)
    count = sum(weight.numel() for weight in network.parameters())
    budget = float(done["seconds"]) + seconds_until(options.until) if options.until else options.minutes * 60
    print(f"{count:,} parameters, {options.threads} threads, {budget / 60:.1f} minutes", flush=True)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))

    def save() -> None:
        done["place"] = corpus.place - POOL if corpus.place else 0  # the pool in hand is drawn again
        state = {"network": network.state_dict(), "adam": adam.state_dict(), "muon": muon.moments, "done": done}
        torch.save(state, state_file.with_suffix(".new"))
        state_file.with_suffix(".new").replace(state_file)

    begun = time.perf_counter()
    before = float(done["seconds"])
    told = saved = checked = begun
    window_loss, window_tokens = [], 0
    for batch in corpus.batches(options.batch_tokens):
        share = float(done["seconds"]) / budget if budget else 1.0
        if share >= 1 or stopping:
            break
        tokens, weights = (part.to(options.device) for part in batch)
        wanted = weights[:, 1:]
        chosen = (wanted >= 1) | ((wanted > 0) & (torch.rand_like(wanted) < PROMPT_SHARE))
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.bfloat16):
            logits = network.head(network.states(tokens[:, :-1])[chosen])
        loss = functional.cross_entropy(logits.float(), tokens[:, 1:][chosen], reduction="none")
        weighed = (loss * wanted[chosen]).sum() / wanted[chosen].sum()
        weighed.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        rate = rate_share(share, options.decay)
        muon.step(rate)
        for group in adam.param_groups:
            group["lr"] = embedding_rate * rate
        adam.step()
        adam.zero_grad(set_to_none=True)
        now = time.perf_counter()
        done["seconds"] = before + now - begun
        done["steps"] += 1
        done["tokens"] += int((weights > 0).sum())
        window_loss.append(float(weighed.detach()))
        window_tokens += int((weights > 0).sum())
        if now - told >= TELL_S:
            mean = sum(window_loss) / len(window_loss)
            print(f"{done['seconds'] / 60:6.1f} min  step {done['steps']:6,}  {done['tokens'] / 1e6:6.2f} M tokens  "
                  f"loss {mean:.4f}  {window_tokens / (now - told):,.0f} tokens/s", flush=True)  # fmt: skip
            told, window_loss, window_tokens = now, [], 0
        if now - checked >= CHECK_S:
            own, right = check(network, corpus, options.device)
            print(f"            answers: loss {own:.4f}, activity {right:.3f}", flush=True)
            checked = time.perf_counter()
        if now - saved >= SAVE_S:
            save()
            saved = time.perf_counter()
    save()
    network.save(folder)
    own, right = check(network, corpus, options.device, 1000)
    print(json.dumps({"minutes": done["seconds"] / 60, "steps": done["steps"], "tokens": done["tokens"], "examples": corpus.place,
                      "parameters": count, "answer_loss": own, "perplexity": math.exp(own), "activity": right}))  # fmt: skip


def main() -> None:
    """Train, in an environment with PyTorch."""
    options = parse_arguments()
    enter(options.environment, (str(REPOSITORY), *PACKAGES), ("torch", "safetensors"))
    sys.path[:0] = [str(REPOSITORY)]
    options.out.mkdir(parents=True, exist_ok=True)
    train(options)


if __name__ == "__main__":
    main()
