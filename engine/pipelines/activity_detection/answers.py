"""From records to answers: questions are built, answered in whatever order they finish, and handed on in the order of their lines.

This is the whole pipeline between reading and writing. It knows neither jobs nor folders, so that `engine.generate` and the batch
job share it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from engine.models.language.generate import Generation, Work
from engine.models.language.model import LanguageModel
from engine.models.language.sample import Draws, Sampling
from engine.models.language.schedule import Completion, Prompt
from engine.pipelines.activity_detection.config import AnswerOptions
from engine.pipelines.activity_detection.questions import Question, compact

AHEAD = 16_384  # records that may be finished, or under way, before the oldest unfinished one
READY = 1_024  # answers to failed records that wait, at most, while nothing is under way
OUT_OF_MEMORY = "out of memory"

DrawsOf = Callable[[int], Draws | None]
"""Gives the random numbers of a line, None where nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one record.

    Attributes
    ----------
    line_index : int
        0-based physical line of the file, or place among the records.
    prediction : str or None
        The answer; None where the record failed.
    error : str or None
        `parse error`, `validation error: ...`, `unsupported input type: ...`, `token budget exceeded` or `out of memory`.
    finish_reason : str or None
        `stop`: the model ended the answer; `length`: it was cut at `max_new_tokens` or at the end of the model's context.
    prompt_tokens, completion_tokens : int or None
    truncated : bool or None
        The prompt was cut to the token budget.

    The last four are None where the record failed.
    """

    line_index: int
    prediction: str | None
    error: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    truncated: bool | None = None

    def to_line(self, options: AnswerOptions, record: str | None) -> bytes:
        """Return the answer as a line of a result file: compact JSON in UTF-8.

        `record` is the input record as JSON text, None where there is none; it is the end of the line where it was asked for.
        """
        line: dict[str, Any] = {"line_index": self.line_index, "prediction": self.prediction}
        if self.error is not None:
            line["error"] = self.error
        if options.details:
            for name in ("finish_reason", "prompt_tokens", "completion_tokens", "truncated"):
                line[name] = getattr(self, name)
        text = compact(line)
        if options.record:
            text = f'{text[:-1]},"record":{"null" if record is None else record}}}'
        return text.encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, with what a result file and the events want to know beside it."""

    answer: Answer
    detail: str = ""
    record: str | None = None


class Answerer:
    """Answers questions with one model, for one caller.

    Parameters
    ----------
    model
        Stays the caller's.
    sampling
    slots, capacity : int
        As `Generation` takes them.
    on_memory : callable
        Told the number of slots after memory ran out.
    """

    def __init__(
        self,
        model: LanguageModel,
        sampling: Sampling,
        *,
        slots: int,
        capacity: int,
        on_memory: Callable[[int], None] | None = None,
    ) -> None:
        self._model = model
        self._sampling = sampling
        self._slots = slots
        self._capacity = capacity
        self._on_memory = on_memory
        self._generation: Generation | None = None
        self._prefix: tuple[int, ...] = ()
        self._before = Work(0)  # of generations that are closed

    @property
    def work(self) -> Work:
        """Return what has been done so far, all prefixes together."""
        return add_up(self._before, self._generation.work) if self._generation is not None else self._before

    def run(self, questions: Iterable[Question], draws: DrawsOf, prefix: Sequence[int] = ()) -> Iterator[Answered]:
        """Yield an answer for each question, in the order of their lines, as soon as the one whose turn it is has finished.

        Parameters
        ----------
        questions
            Of successive lines. Asked for the next one when a slot is free, never more than `AHEAD` lines before the answer whose
            turn it is; so memory stays bounded.
        draws
            Asked once for each line that is answered.
        prefix
            What the prompts begin with in common: it is computed once.
        """
        generation = self._open(tuple(prefix))
        source = iter(questions)
        order = _Order()
        while not order.ended:
            for completion in generation.run(_prompts(source, order, draws)):
                order.put(self._answer(completion, order.under_way.pop(completion.key)))
                yield from order.take()
            yield from order.take()

    def close(self) -> None:
        """Free the decoder's memory. May be called again."""
        if self._generation is not None:
            self._before = self.work
            self._generation.close()
            self._generation = None

    def __enter__(self) -> Self:
        """Return the answerer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _open(self, prefix: tuple[int, ...]) -> Generation:
        """Return the generation that keeps this prefix; another one's decoder is closed first."""
        if self._generation is None or prefix != self._prefix:
            self.close()
            self._prefix = prefix
            self._generation = Generation(
                self._model.open_decoder,
                self._sampling,
                vocab_size=self._model.vocab_size,
                stop_tokens=self._model.stop_tokens,
                slots=self._slots,
                capacity=max(self._capacity, len(prefix) + 1),
                context=self._model.context_length,
                prefix=prefix,
                on_memory=self._halved,
            )
        return self._generation

    def _halved(self, slots: int) -> None:
        self._slots = slots  # the next prefix begins with what fits
        if self._on_memory is not None:
            self._on_memory(slots)

    def _answer(self, done: Completion, question: Question) -> Answered:
        if done.finish_reason == "memory":
            detail = f"A prompt of {done.prompt_tokens:,} tokens and its answer do not fit into memory, even alone."
            return Answered(Answer(question.line_index, None, OUT_OF_MEMORY), detail, question.record)
        answer = Answer(
            question.line_index,
            self._model.tokenizer.decode(done.tokens),
            None,
            done.finish_reason,
            done.prompt_tokens,
            len(done.tokens),
            question.truncated,
        )
        return Answered(answer, record=question.record)


@dataclass(slots=True)
class _Order:
    """Answers that wait for their turn, and the questions that they wait for."""

    turn: int | None = None  # the line whose answer comes next
    under_way: dict[int, Question] = field(default_factory=dict)
    ended: bool = False
    _done: dict[int, Answered] = field(default_factory=dict)
    _ready: deque[Answered] = field(default_factory=deque)

    @property
    def full(self) -> bool:
        """Tell whether as many answers wait to be taken as may, while nothing is under way that could hold them back."""
        return not self.under_way and len(self._ready) >= READY

    def put(self, answered: Answered) -> None:
        self._done[answered.answer.line_index] = answered
        while self.turn in self._done:
            self._ready.append(self._done.pop(self.turn))
            self.turn += 1

    def take(self) -> Iterator[Answered]:
        while self._ready:
            yield self._ready.popleft()


def _prompts(source: Iterator[Question], order: _Order, draws: DrawsOf) -> Iterator[Prompt | None]:
    """Yield what a generation shall answer. Failed records pass it by, and end it for a while when many of them wait."""
    for question in source:
        line = question.line_index
        if order.turn is None:
            order.turn = line
        while line - order.turn >= AHEAD:
            yield None  # the line whose turn it is, is under way
        if question.fault is None:
            order.under_way[line] = question
            yield Prompt(line, question.tokens, draws(line))
            continue
        order.put(Answered(Answer(line, None, question.fault.error), question.fault.detail, question.record))
        if order.full:
            return
    order.ended = True


def add_up(first: Work, second: Work) -> Work:
    """Return the work of two generations, one after the other."""
    sums = {name: getattr(first, name) + getattr(second, name) for name in Work.__slots__ if name != "slots"}
    return Work(slots=second.slots, **sums)
