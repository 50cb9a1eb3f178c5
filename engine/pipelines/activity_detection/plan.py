"""Everything about a job that can be checked before work starts: its files, the model, and whether an answer has room in it."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError, InputError, Problem, RequestError
from engine.models.catalog import Catalog
from engine.models.language.sample import Sampling
from engine.models.manifest import ModelEntry
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.request import InputFile, JobRequest, Resolve
from engine.pipelines.wording import PREFIX
from engine.stream.source import Source, open_source

PORT = "worker.data"
LARGEST_BUDGET = 16_384  # tokens of a prompt
SMALLEST_BUDGET = 16  # below that no prompt says anything


@dataclass(frozen=True, slots=True)
class Target:
    """A file of records: its place in the request, and its bytes."""

    file: InputFile
    source: Source


@dataclass(frozen=True, slots=True)
class ActivityPlan:
    """A job whose files are there and whose model has room for the answers.

    Attributes
    ----------
    budget : int
        Tokens that a prompt may have.
    paths : dict
        Input id to path, for every file of the request.
    warnings : tuple of (code, sentence)
    """

    request: JobRequest
    config: ActivityConfig
    model: ModelEntry
    budget: int
    targets: tuple[Target, ...]
    paths: dict[str, Path]
    warnings: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """Return the resolved request, with the inputs' ids, as JSON text."""
        return self.request.to_json(self.config)


def make_activity_plan(request: JobRequest, resolve: Resolve, catalog: Catalog) -> ActivityPlan:
    """Look at every file of a request and at the model that it names.

    Raises
    ------
    RequestError
        With every problem found.
    """
    config = request.config
    assert isinstance(config, ActivityConfig)
    problems: list[Problem] = []
    paths = request.resolve(resolve, problems)
    targets = []
    for file in request.on(PORT):
        if file.id not in paths:
            continue
        try:
            source = open_source(paths[file.id], file.file_id)
        except InputError as error:
            problems.append(Problem(error.code, error.message, file.where, error.cure))
            continue
        if source.kind == "parquet":
            message = f"{file.file_id} is a Parquet file; activity-detection reads JSONL, one record a line."
            problems.append(Problem("invalid_file_type", message, file.where))
            continue
        targets.append(Target(file, source))
    model, budget = find_model(config, catalog, problems)
    if problems or model is None:
        raise RequestError(problems)
    return ActivityPlan(request, config, model, budget, tuple(targets), paths)


def find_model(config: ActivityConfig, catalog: Catalog, problems: list[Problem]) -> tuple[ModelEntry | None, int]:
    """Return the model that a configuration names, and the tokens that it leaves to a prompt; None and 0 with a problem."""
    try:
        model = catalog.find_language(config.model_variant)
    except EngineError as error:
        problems.append(Problem("invalid_parameter", error.message, f"{PREFIX}model_variant", error.cure))
        return None, 0
    assert model.manifest.language is not None
    context = model.manifest.language.context_length
    longest = config.generation.max_new_tokens
    if context - longest < SMALLEST_BUDGET:
        message = (
            f"generation.max_new_tokens is {longest:,}, but the model {model.name} holds {context:,} tokens, "
            f"prompt and answer together."
        )
        cure = f"Let it be at most {context - SMALLEST_BUDGET:,}."
        problems.append(Problem("invalid_parameter", message, f"{PREFIX}generation.max_new_tokens", cure))
        return None, 0
    return model, min(LARGEST_BUDGET, context - longest)


def sampling_of(config: ActivityConfig) -> Sampling:
    """Return how a configuration chooses tokens."""
    chosen = config.generation
    return Sampling(
        do_sample=chosen.do_sample,
        temperature=chosen.temperature,
        top_k=chosen.top_k,
        top_p=chosen.top_p,
        repetition_penalty=chosen.repetition_penalty,
        max_new_tokens=chosen.max_new_tokens,
    )
