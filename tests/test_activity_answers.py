"""Questions to answers: in the order of lines whatever finishes first, never far ahead of the oldest, each prefix computed once."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from questions import install_model, record

from engine.models.catalog import Catalog
from engine.models.language.model import LanguageModel, load_language
from engine.models.language.sample import Sampling
from engine.models.session import resolve_device
from engine.pipelines.activity_detection import answers as module
from engine.pipelines.activity_detection.answers import Answer, Answered, Answerer
from engine.pipelines.activity_detection.config import ActivityConfig, AnswerOptions
from engine.pipelines.activity_detection.questions import Question, Questioner, share_prefix
from engine.pipelines.activity_detection.records import Fault
from engine.pipelines.activity_detection.survey import look_at

GREEDY = Sampling(do_sample=False, max_new_tokens=4)
FAULT = Fault("parse error", "no object")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    entry = Catalog(home).find_language(install_model(home))
    loaded = load_language(entry, device=resolve_device("cpu"), threads=1)
    yield loaded
    loaded.close()


def nothing(_: int) -> None:
    return None


def questions(model: LanguageModel, *wanted: int | None, first: int = 0) -> list[Question]:
    """Return a question for each number of words, and a fault for each None."""
    questioner = Questioner(model, ActivityConfig(), 200)
    return [
        Question(line, fault=FAULT) if words is None else questioner.build(line, record(line, words=words))
        for line, words in enumerate(wanted, first)
    ]


def answered(model: LanguageModel, asked: Any, slots: int, **options: Any) -> list[Answered]:
    with Answerer(model, GREEDY, slots=slots, capacity=16) as answerer:
        return list(answerer.run(asked, nothing, **options))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.lists(st.none() | st.integers(1, 8), max_size=12),
    slots=st.integers(1, 4),
    first=st.integers(0, 3),
    ahead=st.integers(1, 6),
    ready=st.integers(1, 3),
)
def test_every_question_is_answered_in_its_turn(model, monkeypatch, wanted, slots, first, ahead, ready):
    monkeypatch.setattr(module, "AHEAD", ahead)
    monkeypatch.setattr(module, "READY", ready)
    asked = questions(model, *wanted, first=first)
    alone = [one for question in asked for one in answered(model, [question], 1)]
    pulled = 0

    def source() -> Any:
        nonlocal pulled
        for question in asked:
            pulled += 1
            yield question

    found = []
    with Answerer(model, GREEDY, slots=slots, capacity=16) as answerer:
        for one in answerer.run(source(), nothing):
            found.append(one)
            assert pulled - len(found) <= ahead + ready, "the source is pulled too far ahead"
    assert found == alone
    assert [one.answer.line_index for one in found] == list(range(first, first + len(wanted)))
    assert [one.answer.error for one in found] == [None if words else "parse error" for words in wanted]


def test_failed_records_alone_are_handed_on_before_the_source_ends(model, monkeypatch):
    """A source without an end, of which nothing can be answered, still gives its error lines."""
    monkeypatch.setattr(module, "READY", 10)

    def endless() -> Any:
        line = 0
        while True:
            yield Question(line, fault=FAULT)
            line += 1

    with Answerer(model, GREEDY, slots=2, capacity=16) as answerer:
        run = answerer.run(endless(), nothing)
        assert [next(run).answer.line_index for _ in range(25)] == list(range(25))


def test_an_answerer_goes_from_input_to_input(model):
    with Answerer(model, GREEDY, slots=2, capacity=16) as answerer:
        work = []
        for words in (2, 5, 2):
            asked = questions(model, *[words] * 4)
            prefix = look_at(asked).prefix
            assert len(prefix) >= 16
            together = list(answerer.run(asked, nothing, prefix))
            assert together == answered(model, asked, 1)
            work.append(answerer.work.prefilled_tokens)
        assert 0 < work[0] < work[1] < work[2]
        prompts = sum(one.answer.prompt_tokens or 0 for one in together)
        assert work[2] - work[1] < prompts - 2 * len(prefix)
    assert answerer.work.prefilled_tokens == work[2], "the work is known after the end"


def test_a_run_that_is_given_up_leaves_nothing_running(model):
    with Answerer(model, GREEDY, slots=2, capacity=16) as answerer:
        run = answerer.run(questions(model, 1, 1, 1), nothing)
        next(run)
        run.close()


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_prompts_share(prompts):
    shared: Any = None
    for tokens in prompts:
        shared = share_prefix(shared, tokens)
    assert all(tuple(tokens[: len(shared)]) == shared and len(shared) < len(tokens) for tokens in prompts)
    longer = len(shared) + 1
    more = {tuple(tokens[:longer]) for tokens in prompts}
    assert len(more) > 1 or any(len(tokens) <= longer for tokens in prompts), "it could be longer"


def test_a_survey(model):
    asked = questions(model, 3, None, 9, 1)
    seen = look_at(asked)
    assert (seen.lines, seen.prompts, seen.longest) == (4, 3, len(asked[2].tokens))
    assert all(tuple(question.tokens[: len(seen.prefix)]) == seen.prefix for question in asked if not question.fault)
    assert look_at(asked[:1]).prefix == (), "one prompt shares nothing"
    assert look_at([]).prompts == 0
    apart = [Question(0, (1, *range(20))), Question(1, (2, *range(20)))]
    assert look_at(apart).prefix == ()


def test_a_line_is_compact_json_in_utf_8():
    answer = Answer(3, 'ä "b"\n', None, "stop", 5, 2, True)
    assert answer.to_line(AnswerOptions(), None) == '{"line_index":3,"prediction":"ä \\"b\\"\\n"}\n'.encode()
    line = answer.to_line(AnswerOptions(details=True, record=True), '{"prompt":"ä"}')
    assert list(json.loads(line).items()) == [
        ("line_index", 3),
        ("prediction", 'ä "b"\n'),
        ("finish_reason", "stop"),
        ("prompt_tokens", 5),
        ("completion_tokens", 2),
        ("truncated", True),
        ("record", {"prompt": "ä"}),
    ]
    assert Answer(0, None, "parse error").to_line(AnswerOptions(), None) == (
        b'{"line_index":0,"prediction":null,"error":"parse error"}\n'
    )


def test_memory_that_runs_out_is_an_answer(model, monkeypatch):
    from engine.errors import OutOfMemory

    class Small:
        """A decoder without room for long prompts, in a runtime with room for two slots."""

        def __init__(self, inner: Any, slots: int) -> None:
            if slots > 2:
                raise OutOfMemory("no memory")
            self._inner = inner

        def prefill(self, slot: int, tokens: Any, **options: Any) -> Any:
            if len(tokens) > 120:
                raise OutOfMemory("no memory")
            return self._inner.prefill(slot, tokens, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    opened = model.open_decoder
    asked = questions(model, 1, 30, 2, 1)
    expected = answered(model, asked, 1)
    monkeypatch.setattr(type(model), "open_decoder", lambda _, slots, capacity: Small(opened(slots, capacity), slots))
    told: list[int] = []
    with Answerer(model, GREEDY, slots=4, capacity=16, on_memory=told.append) as answerer:
        found = list(answerer.run(asked, nothing))
    assert told == [2, 1]
    assert found[1].answer == Answer(1, None, "out of memory")
    assert "even alone" in found[1].detail
    assert [found[place] for place in (0, 2, 3)] == [expected[place] for place in (0, 2, 3)]
