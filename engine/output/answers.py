"""What a run of activity detection did: the journal's lines added up, and the summary made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.output.journal import files_of
from engine.output.summary import FailedInput, RunSummary, Status, ends_of

COUNTS = ("succeeded", "failed", "truncated", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True)
class AnswerTally:
    """What the journal's lines add up to.

    `records` are lines, `truncated` those of the succeeded ones whose prompt was cut; `completion_tokens` are those of all
    answers; `files` are relative to the job's folder, in the order of inputs and parts.
    """

    records: int
    succeeded: int
    failed: int
    truncated: int
    prompt_tokens: int
    completion_tokens: int
    files: tuple[str, ...]
    completed_inputs: int
    failed_inputs: tuple[FailedInput, ...]


@dataclass(frozen=True, slots=True)
class AnswerSummary(RunSummary):
    """The result of a run of activity detection.

    Attributes
    ----------
    status : str
        `completed`; `partial` when some inputs or records failed, `failed` when no input has an answer.
    tally : AnswerTally
        Records, tokens, files and failed inputs, over all runs into this folder.
    token_budget : int
        Tokens that a prompt could have.
    slots : int
        Records that were answered side by side, at the end.
    seed : int or None
        Of the draws; None where nothing was drawn.
    warnings : tuple of str
        Sentences for a person.
    stage_s : dict
        Seconds of work by stage, in the order of the flow. Stages overlap: they do not sum to `elapsed_s`.
    elapsed_s, tokens_per_s : float
        Wall time of this run, and the tokens of answers that it chose each second, once it had begun to answer.
    computed_prompt_tokens : int
        Prompt tokens that this run computed: what prompts begin with in common counts once.
    device, model : str
        What really ran.
    folder : str or None
        The job's folder.
    resumed_records : int
        Records that an earlier run had committed.
    """

    status: Status
    tally: AnswerTally
    token_budget: int
    slots: int
    seed: int | None
    warnings: tuple[str, ...]
    stage_s: dict[str, float]
    elapsed_s: float
    tokens_per_s: float
    computed_prompt_tokens: int
    device: str
    model: str
    folder: str | None
    resumed_records: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = asdict(self)
        return {"status": values.pop("status"), **values.pop("tally"), **values}


def add_up_answers(entries: Iterable[Mapping[str, Any]]) -> AnswerTally:
    """Add up the journal lines that still count (`Journal.live`)."""
    entries = sorted(entries, key=lambda entry: (entry.get("input", -1), entry.get("part", float("inf"))))
    sums: dict[int, Mapping[str, int]] = {}  # the last line of an input has all of its sums
    files: list[str] = []
    for entry in entries:
        if "sums" in entry:
            sums[entry["input"]] = entry["sums"]
        files += [f"{place}/{name}" for (place, name), _ in files_of(entry)]
    total = {name: sum(one.get(name, 0) for one in sums.values()) for name in COUNTS}
    completed, failed = ends_of(entries)
    return AnswerTally(
        records=total["succeeded"] + total["failed"],
        **total,
        files=tuple(files),
        completed_inputs=completed,
        failed_inputs=failed,
    )
