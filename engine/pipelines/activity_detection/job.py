"""The batch job: a plan's inputs are surveyed, then answered one after the other, into a folder that can be resumed at every commit."""

import secrets
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import InputError
from engine.models.language.model import choose_slots, load_language
from engine.models.language.sample import Draws
from engine.output.answers import AnswerSummary, add_up_answers
from engine.output.events import Events
from engine.output.journal import Journal
from engine.output.lines import LinesSink
from engine.output.summary import Status
from engine.pipelines.activity_detection.answers import Answerer
from engine.pipelines.activity_detection.delivery import Delivery
from engine.pipelines.activity_detection.plan import ActivityPlan, Target, sampling_of
from engine.pipelines.activity_detection.questions import Question, Questioner
from engine.pipelines.activity_detection.records import PARSE_ERROR, Fault
from engine.pipelines.activity_detection.survey import Setup, Survey, keep, keep_setup, look_at, recall, recall_setup
from engine.pipelines.course import Course, Progress, Settings, job_failed, run_into
from engine.pipelines.identity import identify
from engine.stream.flow import Stopwatch, run_ahead
from engine.stream.prompts import Line, read_lines

LIBRARIES = ("tokenizers", "jinja2")  # what computes prompts


def run_activity(plan: ActivityPlan, folder: Path, settings: Settings) -> AnswerSummary:
    """Run a plan into a folder, or go on where an earlier run of the same plan ended.

    Raises
    ------
    ModelError, DeviceError
        The model cannot be loaded, or does not fit into memory; no answer was written.
    OutputError
        The folder cannot be taken, or the disk refused.
    JobFailed
        No input gave an answer. The summary is in the folder.
    """
    with _Run(plan, settings) as run:
        identity = identify(
            plan.request, plan.config, plan.paths, model=plan.model, device=run.course.device, libraries=LIBRARIES
        )
        summary = run_into(folder, identity, plan.to_json(), settings, run.execute)
    if summary.status == "failed":
        failed = summary.tally.failed_inputs
        raise job_failed("No input could be answered.", failed, [target.file for target in plan.targets])
    return summary


class _Run:
    """One run of a plan: the loaded model, and what adds up over its inputs."""

    def __init__(self, plan: ActivityPlan, settings: Settings) -> None:
        self.course = Course(plan.request, settings, plan.warnings)
        self._plan = plan
        self._resumed = 0
        self._sampling = sampling_of(plan.config)
        self._drawn = not self._sampling.greedy
        self._model = load_language(
            plan.model, device=self.course.device, threads=self.course.threads, open_session=settings.open_session
        )
        self._loaded = time.perf_counter()
        self.course.stopwatch.add("load", self._loaded - self.course.begun)

    def execute(self, journal: Journal, events: Events) -> AnswerSummary:
        """Answer every input that is not final yet, and sum up."""
        course = self.course
        course.announce(events)
        seconds = self._loaded - course.begun
        course.emit("info", "INFO", f"Model loaded in {seconds:.1f} sec", {"model": self._model.name})
        surveys = self._survey(journal)
        setup = self._set_up(journal, surveys)
        begun = time.perf_counter()
        with Answerer(
            self._model, self._sampling, slots=setup.slots, capacity=setup.capacity, on_memory=self._halved
        ) as answerer:
            for place, target in enumerate(self._plan.targets):
                self._run_input(place, target, journal, answerer, surveys[place], setup)
            summary = self._sum_up(journal, answerer, setup, time.perf_counter() - begun)
        course.conclude(
            summary.status,
            summary.tally.failed_inputs,
            summary.tally.completed_inputs,
            elapsed_s=summary.elapsed_s,
            payload={"records": summary.tally.records},
            failed_records=summary.tally.failed,
        )
        return summary

    def _survey(self, journal: Journal) -> dict[int, Survey]:
        """Return the survey of every input: an earlier run's, or made now."""
        begun = time.perf_counter()
        surveys = recall(journal)
        known = {one.prefix: place for place, one in reversed(surveys.items())}
        for place, target in enumerate(self._plan.targets):
            if place not in surveys:
                self._tell(place, 0, 0, 0, None)
                with closing(self._questions(target, 0, Stopwatch(), [])) as questions:
                    surveys[place] = look_at(questions)
                keep(journal, place, surveys[place], known)
        self.course.stopwatch.add("survey", time.perf_counter() - begun)
        return surveys

    def _set_up(self, journal: Journal, surveys: dict[int, Survey]) -> Setup:
        """Return what is decided once for the job, by an earlier run or now."""
        setup = recall_setup(journal)
        if setup is None:
            config = self._plan.config
            longest = max((one.longest for one in surveys.values()), default=0)
            capacity = max(1, longest) + config.generation.max_new_tokens
            prompts = sum(one.prompts for one in surveys.values())
            most = min(prompts, config.batch_size or prompts) or 1
            slots = choose_slots(self._model.graph, capacity, self.course.device, None, most)
            seed = config.generation.seed
            setup = Setup(secrets.randbits(63) if seed is None else seed, slots, capacity)
            keep_setup(journal, setup)
        return setup

    def _questions(
        self, target: Target, start: int, stopwatch: Stopwatch, failures: list[InputError]
    ) -> Generator[Question]:
        """Yield the questions of an input from a line on, read and built in threads; what ends them early goes to `failures`."""
        questioner = Questioner(self._model, self._plan.config, self._plan.budget)

        def build(line: Line) -> Question:
            with stopwatch.time("prompt"):
                if line.fault is not None:
                    return Question(line.index, fault=Fault(PARSE_ERROR, line.fault))
                return questioner.build(line.index, line.value)

        lines = read_lines(target.source, start=start)
        with ThreadPoolExecutor(1, thread_name_prefix="prompt") as pool:
            try:
                yield from run_ahead(("read", lines), build, pool, stopwatch)
            except InputError as error:
                failures.append(error)

    def _run_input(
        self, place: int, target: Target, journal: Journal, answerer: Answerer, survey: Survey, setup: Setup
    ) -> None:
        """Answer one input into its result file, from where an earlier run ended."""
        config, file = self._plan.config, target.file
        with LinesSink(journal, place, file.result or file.id, lines_per_part=config.lines_per_part) as sink:
            done = sink.lines_committed
            self._resumed += done
            if sink.ended is not None:
                self.course.warnings += [("earlier", message, {}) for message in sink.ended.get("warnings", ())]
                self._tell(place, done, done, sink.sums["failed"], answerer)
                return
            if done:
                message = f"Resuming {file.file_id} after {done:,} records"
                self.course.emit("job.resumed", "INFO", message, {"records": done, "resumed_from_row": done}, file.id)
            delivery = Delivery(self.course, file, sink, config.output, self._plan.budget)
            total = max(done, survey.lines)
            self._tell(place, done, total, delivery.failed, answerer)
            failures: list[InputError] = []
            questions = self._questions(target, done, self.course.stopwatch, failures)
            with closing(questions):
                for answered in answerer.run(questions, partial(self._draws, setup.seed, place), survey.prefix):
                    delivery.take(answered)
                    self._tell(place, delivery.lines, total, delivery.failed, answerer)
            delivery.finish(failures[0] if failures else None)

    def _draws(self, seed: int, place: int, line: int) -> Draws | None:
        return Draws(seed, place, line) if self._drawn else None

    def _halved(self, slots: int) -> None:
        message = f"Memory ran out: records are answered {slots} at a time from here on"
        self.course.warn("inference.oom", "inference.oom", message, {"slots": slots})

    def _tell(self, place: int, done: int, total: int, failed: int, answerer: Answerer | None) -> None:
        targets = self._plan.targets
        tokens = answerer.work.answer_tokens if answerer is not None else 0
        name = targets[place].file.file_id
        self.course.tell(Progress(name, place, len(targets), done, total, "records", failed, tokens))

    def _sum_up(self, journal: Journal, answerer: Answerer, setup: Setup, answering_s: float) -> AnswerSummary:
        course, work = self.course, answerer.work
        tally = add_up_answers(journal.live())
        status: Status = "completed"
        if not tally.completed_inputs:
            status = "failed"
        elif tally.failed_inputs or tally.failed:
            status = "partial"
        stages = course.stopwatch.seconds | {
            "prefill": work.prefill_s,
            "step": work.step_s,
            "sample": work.sample_s,
        }
        order = ("load", "survey", "read", "prompt", "prefill", "step", "sample", "write")
        return AnswerSummary(
            status=status,
            tally=tally,
            token_budget=self._plan.budget,
            slots=work.slots or setup.slots,
            seed=setup.seed if self._drawn else None,
            warnings=course.messages,
            stage_s={name: round(stages[name], 4) for name in order if name in stages},
            elapsed_s=round(time.perf_counter() - course.begun, 4),
            tokens_per_s=round(work.answer_tokens / answering_s, 1),
            computed_prompt_tokens=work.prefilled_tokens,
            device=course.device_name,
            model=self._model.name,
            folder=str(journal.folder),
            resumed_records=self._resumed,
        )

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the model."""
        self._model.close()
