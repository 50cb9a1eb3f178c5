"""The decode loop against one prompt at a time: the policy alone, on a decoder that is a plain function of a row's tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import OutOfMemory
from engine.models.language.generate import SMALLEST_PREFIX, Generation
from engine.models.language.sample import Draws, Sampling
from engine.models.language.schedule import Prompt, Schedule

VOCAB = 23
STOP = frozenset({0, 1})
CONTEXT = 64


def logits_of(tokens):
    return np.random.default_rng([len(tokens), *tokens]).normal(size=VOCAB).astype(np.float32)


class RowsOfTokens:
    """A decoder that remembers tokens instead of keys and values; idle slots take what they are given, as a real one does."""

    def __init__(self, slots, capacity, budget=10**9):
        if slots * capacity > budget:
            raise OutOfMemory("no memory")
        self.capacity = capacity
        self.tokens_prefilled = 0
        self.closed = False
        self._rows = [[] for _ in range(slots)]
        self._budget = budget
        self._prefix = []

    def keep_prefix(self, tokens):
        self._prefix = list(tokens)
        self.tokens_prefilled += len(tokens)

    def prefill(self, slot, tokens, *, prefix=False):
        assert len(tokens) <= self.capacity
        own = list(tokens)[len(self._prefix) :] if prefix else list(tokens)
        assert own
        self.tokens_prefilled += len(own)
        self._rows[slot] = (self._prefix if prefix else []) + own
        return logits_of(self._rows[slot])

    def step(self, tokens, lengths):
        out = np.empty((len(self._rows), VOCAB), np.float32)
        for slot, row in enumerate(self._rows):
            del row[lengths[slot] :]
            row.append(int(tokens[slot]))
            assert len(row) == lengths[slot] + 1 <= self.capacity, "a row runs over its room, or has a hole"
            out[slot] = logits_of(row)
        return out

    def grow(self, capacity):
        assert capacity > self.capacity
        if len(self._rows) * capacity > self._budget:
            raise OutOfMemory("no memory")
        self.capacity = capacity

    def close(self):
        self.closed = True


def alone(prompts, sampling):
    """Answer each prompt by itself."""
    answers = {}
    for prompt in prompts:
        with generation(sampling, slots=1) as run:
            (done,) = run.run([prompt])
        answers[done.key] = done
    return answers


def generation(sampling, *, slots, capacity=8, prefix=(), budget=10**9, **more):
    return Generation(
        lambda slots, capacity: RowsOfTokens(slots, capacity, budget),
        sampling,
        vocab_size=VOCAB,
        stop_tokens=STOP,
        slots=slots,
        capacity=capacity,
        context=CONTEXT,
        prefix=prefix,
        **more,
    )


def prompts_of(bodies, prefix=()):
    return [Prompt(key, (*prefix, *body), Draws(7, 0, key)) for key, body in enumerate(bodies)]


bodies = st.lists(st.lists(st.integers(2, VOCAB - 1), min_size=1, max_size=30), max_size=12)
samplings = st.sampled_from(
    [
        Sampling(do_sample=False, max_new_tokens=9),
        Sampling(temperature=1.5, top_k=12, top_p=0.95, max_new_tokens=40),
        Sampling(temperature=1.0, top_k=VOCAB, top_p=1.0, repetition_penalty=1.3, max_new_tokens=1),
    ]
)


@quick
@given(bodies, samplings, st.integers(1, 5), st.booleans())
def test_batched_answers_are_those_of_each_prompt_alone(bodies, sampling, slots, shared):
    prefix = tuple(range(2, 2 + SMALLEST_PREFIX)) if shared else ()
    prompts = prompts_of(bodies, prefix)
    with generation(sampling, slots=slots, prefix=prefix) as run:
        found = {done.key: done for done in run.run(prompts)}
    assert found == alone(prompts, sampling)
    assert run.work.prompt_tokens == sum(len(prompt.tokens) for prompt in prompts)
    own = sum(map(len, bodies))
    if prompts:
        assert run.work.prefilled_tokens == own + len(prefix)


@quick
@given(bodies, samplings, st.integers(1, 5), st.integers(0, 3))
def test_holding_prompts_back_changes_no_answer_and_bounds_how_far_ahead_they_run(bodies, sampling, slots, ahead):
    prompts = prompts_of(bodies)
    waiting: list[int] = []
    finished = set()

    def source():
        for prompt in prompts:
            while waiting and waiting[0] < prompt.key - ahead:
                yield None
            waiting.append(prompt.key)
            yield prompt

    found = {}
    with generation(sampling, slots=slots) as run:
        for done in run.run(source()):
            finished.add(done.key)
            while waiting and waiting[0] in finished:
                waiting.pop(0)
            if waiting:
                assert max(waiting) <= waiting[0] + ahead
            found[done.key] = done
    assert found == alone(prompts, sampling)


@quick
@given(bodies, samplings, st.integers(2, 6), st.integers(40, 400))
def test_running_out_of_memory_costs_no_answer_that_fits_alone(bodies, sampling, slots, budget):
    prompts = prompts_of(bodies)
    told = []
    with generation(sampling, slots=slots, budget=budget, on_memory=told.append) as run:
        found = {done.key: done for done in run.run(prompts)}
    expected = alone(prompts, sampling)
    assert found.keys() == expected.keys()
    for key, done in found.items():
        room = min(len(prompts[key].tokens) + sampling.max_new_tokens, CONTEXT)
        if done.finish_reason == "memory":
            assert room > budget
        else:
            assert done == expected[key]
    assert len(told) == run.work.halvings
    assert told == sorted(told, reverse=True)


def test_a_decoder_that_never_fits_is_an_error():
    with pytest.raises(OutOfMemory):
        generation(Sampling(), slots=8, budget=5)


def test_a_step_that_runs_out_of_memory_starts_the_rows_again():
    sampling = Sampling(temperature=1.0, top_k=VOCAB, top_p=1.0, max_new_tokens=20)
    prompts = prompts_of([[5, 6], [7], [8, 9, 10], [11]])

    class Failing(RowsOfTokens):
        def step(self, tokens, lengths):
            if len(self._rows) > 1 and lengths.max() > 6:
                raise OutOfMemory("no memory")
            return super().step(tokens, lengths)

    run = Generation(Failing, sampling, vocab_size=VOCAB, stop_tokens=STOP, slots=4, capacity=30, context=CONTEXT)
    with run:
        found = {done.key: done for done in run.run(prompts)}
    assert run.work.slots == 1
    assert found == alone(prompts, sampling)


def test_a_finished_row_is_replaced_before_the_next_step():
    sampling = Sampling(do_sample=False, max_new_tokens=3)
    decoders = []

    class Watched(RowsOfTokens):
        def step(self, tokens, lengths):
            decoders.append(sorted(lengths.tolist()))
            return super().step(tokens, lengths)

    run = Generation(
        Watched, sampling, vocab_size=VOCAB, stop_tokens=frozenset(), slots=2, capacity=30, context=CONTEXT
    )
    with run:
        answers = list(run.run(prompts_of([[5] * 4, [6] * 9, [7] * 5, [8] * 5])))
    assert [done.finish_reason for done in answers] == ["length"] * 4
    assert run.work.steps == 4  # two rows at a time, two steps each after their first token
    assert all(min(step) > 0 for step in decoders), "a slot was idle while prompts waited"


def test_an_answer_ends_where_the_context_ends():
    sampling = Sampling(do_sample=False, max_new_tokens=500)
    run = Generation(
        RowsOfTokens, sampling, vocab_size=VOCAB, stop_tokens=frozenset(), slots=1, capacity=8, context=CONTEXT
    )
    with run:
        (done,) = run.run([Prompt("x", [5] * 60)])
    assert len(done.tokens) == CONTEXT - 60
    assert done.finish_reason == "length"


def test_closing_early_closes_the_decoder():
    opened = []

    def open_decoder(slots, capacity):
        opened.append(RowsOfTokens(slots, capacity))
        return opened[-1]

    run = Generation(
        open_decoder, Sampling(), vocab_size=VOCAB, stop_tokens=STOP, slots=2, capacity=64, context=CONTEXT
    )
    with run:
        answers = run.run(prompts_of([[5], [6], [7]]))
        next(answers)
        answers.close()
    assert [decoder.closed for decoder in opened] == [True]


@quick
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=40))
def test_the_schedule_never_loses_or_doubles_a_prompt(moves):
    schedule = Schedule(4, max_new_tokens=3, context=50, stop_tokens=STOP)
    waiting, running, finished = list(range(100)), {}, []
    for slot, token in moves:
        if slot in running:
            done = schedule.take(slot, token)
            if done is not None:
                assert done.key == running.pop(slot)
                finished.append(done.key)
        else:
            free = schedule.free
            assert free is not None
            assert free not in running
            running[free] = waiting.pop(0)
            schedule.admit(free, Prompt(running[free], [5, 6]))
        assert schedule.busy == sorted(running)
        assert all(schedule.lengths[slot] == 0 for slot in range(4) if slot not in running)
    assert sorted([*finished, *running.values(), *waiting]) == list(range(100))
