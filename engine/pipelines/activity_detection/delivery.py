"""One input's answers on their way into its result file: written in order, committed now and then, counted and told of."""

import time
from collections.abc import Mapping
from typing import Any

from engine.errors import InputError
from engine.output.lines import LinesSink
from engine.pipelines.activity_detection.answers import Answered
from engine.pipelines.activity_detection.config import AnswerOptions
from engine.pipelines.activity_detection.records import PARSE_ERROR
from engine.pipelines.course import Course
from engine.pipelines.request import InputFile

COMMIT_LINES = 256  # a commit at least every so many lines
COMMIT_S = 1.0  # and at least every so many seconds, where lines come
LONG_PROMPT = 4_000  # tokens: answers to longer prompts are known to get worse without any error
TOLD = 100  # failed records of an input that get an event of their own
KINDS = (PARSE_ERROR, "validation error", "unsupported input type", "token budget exceeded", "out of memory")
COUNTS = ("succeeded", "failed", "truncated", "prompt_tokens", "completion_tokens", "long_prompts", *KINDS)


class Delivery:
    """Takes the answers of one input in order.

    Parameters
    ----------
    course
        Told of what happens.
    file
        The input.
    sink
        Where the lines go; it knows what earlier runs delivered.
    options
        What a line holds.
    budget : int
        Tokens that a prompt may have, for messages.
    """

    def __init__(self, course: Course, file: InputFile, sink: LinesSink, options: AnswerOptions, budget: int) -> None:
        self._course = course
        self._file = file
        self._sink = sink
        self._options = options
        self._budget = budget
        self._begun = self._committed_at = time.perf_counter()
        self._new: dict[str, int] = dict.fromkeys(COUNTS, 0)  # since the last commit
        self._lines = 0  # since the last commit
        self._failed = sink.sums["failed"]

    @property
    def failed(self) -> int:
        """Return how many records failed so far, in all runs."""
        return self._failed

    @property
    def lines(self) -> int:
        """Return how many lines are there, in all runs."""
        return self._sink.lines_committed + self._lines

    def take(self, answered: Answered) -> None:
        """Write the next answer. Raises DiskFull or OutputError."""
        answer, new = answered.answer, self._new
        begun = time.perf_counter()
        self._sink.write(answer.line_index, answer.to_line(self._options, answered.record))
        self._lines += 1
        if answer.error is not None:
            new["failed"] += 1
            new[answer.error.partition(":")[0]] += 1
            self._failed += 1
            if self._failed <= TOLD:
                payload = {"line_index": answer.line_index, "error": answer.error, "detail": answered.detail}
                message = f"{self._file.file_id}, line {answer.line_index + 1}: {answer.error}"
                self._course.emit("record.failed", "WARN", message, payload, self._file.id)
        else:
            new["succeeded"] += 1
            new["truncated"] += bool(answer.truncated)
            new["prompt_tokens"] += answer.prompt_tokens or 0
            new["completion_tokens"] += answer.completion_tokens or 0
            new["long_prompts"] += (answer.prompt_tokens or 0) > LONG_PROMPT
        now = time.perf_counter()
        if self._sink.full or self._lines >= COMMIT_LINES or now - self._committed_at >= COMMIT_S:
            self.commit()
            now = time.perf_counter()
        self._course.stopwatch.add("write", now - begun)

    def commit(self) -> None:
        """Make what was written so far outlive this process."""
        self._tell_counts()
        self._sink.commit(**self._new)
        self._new = dict.fromkeys(COUNTS, 0)
        self._lines = 0
        self._committed_at = time.perf_counter()

    def finish(self, failure: InputError | None) -> None:
        """Publish the result file and tell how the input ended; `failure` is what kept it from being read to its end."""
        self.commit()
        sums, name = self._sink.sums, self._file.file_id
        failure = failure or self._judge(sums)
        warnings = self._describe(sums)
        if failure is None:
            self._sink.end(warnings=[message for message, _ in warnings])
        else:
            self._sink.fail(failure, warnings=[message for message, _ in warnings])
        for message, payload in warnings:
            if "long_prompts" in payload:
                self._course.warn("inference.long_prompt", "inference.long_prompt", message, payload, self._file.id)
            else:  # cut prompts and failed records had their events
                self._course.remember("job.warning", message, payload)
        seconds = time.perf_counter() - self._begun
        records, failed = self._sink.lines_committed, sums["failed"]
        facts: dict[str, Any] = {"records": records, "failed_records": failed, "duration_ms": round(seconds * 1000)}
        facts["error_code"] = None if failure is None else failure.code
        if failure is not None:
            self._course.emit("inference.failed", "FAILED", str(failure), facts, self._file.id)
            return
        message = f"Saving chunk with result for {name} - Done {seconds:.1f} sec"
        payload = {"rows": records, "total_success": sums["succeeded"], "total_failed": failed}
        self._course.emit("inference.completed", "INFO", message, payload, self._file.id)
        message = f"{name}: {records:,} records" + (f", {failed:,} of them failed" if failed else "")
        self._course.emit("inference.success", "SUCCESS", message, facts, self._file.id)

    def _tell_counts(self) -> None:
        """Tell of the prompts that were cut since the last commit."""
        if cut := self._new["truncated"]:
            message = f"{self._file.file_id}: {cut:,} prompts were cut to {self._budget:,} tokens"
            self._course.emit("inference.truncation", "WARN", message, {"records": cut}, self._file.id)

    def _judge(self, sums: Mapping[str, int]) -> InputError | None:
        """Return why an input that was read to its end failed all the same."""
        name, records = self._file.file_id, self._sink.lines_committed
        if records == 0:
            return InputError(f"{name} holds no records.", code="no_records", file=name, cure="Give a JSONL file.")
        if sums["succeeded"]:
            return None
        if sums[PARSE_ERROR] == records:
            message = f"{name} is no JSONL: none of its {records:,} lines is a JSON object."
            cure = "Give one JSON object a line; the CSVs of a plant are for `engine classify`."
            return InputError(message, code="all_records_failed", file=name, cure=cure)
        message = f"{name}: none of its {records:,} records has an answer ({_kinds(sums)})."
        return InputError(message, code="all_records_failed", file=name, cure="The result file says why, line by line.")

    def _describe(self, sums: Mapping[str, int]) -> list[tuple[str, dict[str, Any]]]:
        """Return what is to be said of an input that has been answered: sentences, and the numbers behind them."""
        name = self._file.file_id
        said: list[tuple[str, dict[str, Any]]] = []
        if sums["failed"]:
            message = f"{name}: {sums['failed']:,} of {self._sink.lines_committed:,} records failed ({_kinds(sums)})"
            said.append((message, {"failed_records": sums["failed"]}))
        if sums["truncated"]:
            message = f"{name}: {sums['truncated']:,} prompts were cut to the token budget, {self._budget:,}"
            said.append((message, {"truncated": sums["truncated"]}))
        if sums["long_prompts"]:
            message = (
                f"{name}: {sums['long_prompts']:,} prompts have more than {LONG_PROMPT:,} tokens: "
                f"answers to such prompts are known to be worse"
            )
            said.append((message, {"long_prompts": sums["long_prompts"]}))
        return said


def _kinds(sums: Mapping[str, int]) -> str:
    return ", ".join(f"{sums[kind]:,} {kind}" for kind in KINDS if sums[kind])
