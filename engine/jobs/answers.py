"""Answers without a job: `generate` takes records and yields answers; and the request for files, as `engine generate` sends it."""

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from engine.errors import Problem, RequestError
from engine.jobs.request import unknown_keys
from engine.models.catalog import Catalog
from engine.models.language.model import choose_slots, load_language
from engine.models.language.sample import Draws
from engine.models.manifest import ModelEntry
from engine.models.session import Device, resolve_device, usable_cores
from engine.pipelines.activity_detection.answers import Answer, Answerer
from engine.pipelines.activity_detection.config import ActivityConfig, OnTruncation
from engine.pipelines.activity_detection.plan import PORT, find_model, sampling_of
from engine.pipelines.activity_detection.questions import Question, Questioner
from engine.pipelines.activity_detection.survey import look_at
from engine.pipelines.course import Settings
from engine.pipelines.wording import check_config, show_value

DEFAULT_MODEL = ActivityConfig.model_fields["model_variant"].default
SEEN_FIRST = 256  # records that are looked at before the first answer, for what their prompts share
MOST_SLOTS = 64


def generate(
    records: Iterable[Mapping[str, Any] | str],
    *,
    model: str = DEFAULT_MODEL,
    generation: Mapping[str, Any] | None = None,
    on_truncation: OnTruncation = "truncate",
    batch_size: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Iterator[Answer]:
    """Answer records with a language model, one after the other, in their order.

    The records are taken from the iterable as they are needed: `SEEN_FIRST` of them before the first answer, later about as many
    as are answered side by side. A record that cannot be answered gives an answer with an `error`, and stops nothing.

    Parameters
    ----------
    records : iterable of mappings or texts
        `system`, `instruction`, `prompt` and `inputs` as in a line of a JSONL file; a text is a record with this prompt.
    model : str
        A `model_variant` of the catalog.
    generation : mapping or None
        `do_sample`, `max_new_tokens`, `temperature`, `top_k`, `top_p`, `repetition_penalty`; what is left out has its default.
    on_truncation : `truncate` or `fail`
        What becomes of a prompt over the token budget.
    batch_size : int or None
        Records answered side by side, where memory takes as many; None: as many as it takes. It changes no answer.
    seed : int or None
        Of the draws; None: another one each time.
    device, threads
        As in `run`.

    Raises
    ------
    RequestError
        An argument does not do.
    DeviceError
        The asked device is not there. Both are raised at once, before anything is loaded.
    ModelError
        With the first answer: the model cannot be loaded, or does not fit into memory.
    """
    if isinstance(records, str | bytes | Mapping) or not isinstance(records, Iterable):
        message = f"records must be several records, one after the other; got {show_value(records)}."
        raise RequestError([Problem("invalid_parameter", message, "records", "Put a single one into a list.")])
    chosen = dict(generation or {})
    if seed is not None:
        chosen["seed"] = seed
    values = {"model_variant": model, "generation": chosen, "on_truncation": on_truncation, "batch_size": batch_size}
    config = check_config(ActivityConfig, values)
    problems = [
        Problem("invalid_parameter", f"{key} is unknown.", key, f"Did you mean {near}?" if near else "")
        for key, near in unknown_keys(config, "")
    ]
    entry, budget = find_model(config, Catalog(), problems)
    if problems or entry is None:
        raise RequestError(problems)
    settings = Settings(device, threads)
    return _answers(records, config, entry, budget, resolve_device(settings.device), settings.threads or usable_cores())


def _answers(
    records: Iterable[Mapping[str, Any] | str],
    config: ActivityConfig,
    entry: ModelEntry,
    budget: int,
    device: Device,
    threads: int,
) -> Iterator[Answer]:
    model = load_language(entry, device=device, threads=threads)
    try:
        questions = _questions(records, Questioner(model, config, budget))
        head = list(islice(questions, SEEN_FIRST))
        seen = look_at(head)
        sampling = sampling_of(config)
        capacity = max(1, seen.longest) + sampling.max_new_tokens
        most = config.batch_size or (MOST_SLOTS if len(head) == SEEN_FIRST else max(1, seen.prompts))
        slots = choose_slots(model.graph, capacity, device, None, most)
        drawn = config.generation.seed
        draws = partial(Draws, secrets.randbits(63) if drawn is None else drawn, 0)
        with Answerer(model, sampling, slots=slots, capacity=capacity) as answerer:
            for answered in answerer.run(chain(head, questions), draws, seen.prefix):
                yield answered.answer
    finally:
        model.close()


def _questions(records: Iterable[Mapping[str, Any] | str], questioner: Questioner) -> Iterator[Question]:
    for place, record in enumerate(records):
        if isinstance(record, str):
            yield questioner.build(place, {"prompt": record})
        else:
            yield questioner.build(place, record)


def build_answer_request(files: Sequence[str | os.PathLike[str]], **config: Any) -> dict[str, Any]:
    """Build the create-job request for JSONL files on this machine; keywords go into the worker's config, None is left out."""
    return {
        "name": "generate",
        "pipeline_type": "batch",
        "pipeline_key": "activity-detection",
        "inputs": {PORT: [{"file_id": os.fspath(path)} for path in files]},
        "parameters": {"worker": {"config": _without_none(config)}},
    }


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }
