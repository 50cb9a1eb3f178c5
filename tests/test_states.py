"""The states of a job: what may follow what, and which fields each step changes."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.jobs.records import Conflict
from engine.jobs.states import HELD, STATUSES, TERMINAL, TRANSITIONS, WAITING, State, advance, allows

triggers = st.sampled_from(sorted(TRANSITIONS))


def now(step):
    return f"2026-11-23T09:00:{step // 10:02d}.{step % 10}00000Z"


def walk(choices):
    """Follow the triggers that are allowed; return every state on the way."""
    states = [State.created(now(0))]
    for step, trigger in enumerate(choices, 1):
        state = states[-1]
        if allows(state.status, trigger):
            states.append(
                advance("job_x", state, trigger, now(step), error={"code": "c"} if trigger == "fail" else None)
            )
    return states


@quick
@given(st.lists(triggers, max_size=40))
def test_a_final_state_has_one_time_and_others_have_none(choices):
    for state in walk(choices):
        ends = [state.completed_at, state.failed_at, state.cancelled_at]
        assert sum(at is not None for at in ends) == (state.status in TERMINAL)
        assert (state.error is not None) == (state.status == "FAILED")
        assert (state.queued_at is not None) == (state.status in WAITING)


@quick
@given(st.lists(triggers, max_size=40))
def test_counters_count_and_the_start_is_the_first_of_the_attempt(choices):
    states = walk(choices)
    retries = preemptions = 0
    started = None
    for before, state in itertools.pairwise(states):
        if state.status == "PENDING":
            retries += 1
            started = None
        preemptions += state.status == "PREEMPTED"
        if state.status == "RUNNING":
            started = started or state.updated_at
        assert (state.retry_count, state.preemption_count) == (retries, preemptions)
        assert state.started_at == started
        assert state.updated_at > before.updated_at


@quick
@given(st.lists(triggers, max_size=40))
def test_a_state_survives_its_line(choices):
    for state in walk(choices):
        assert "\n" not in state.to_json()
        assert State.from_json(json.loads(state.to_json())) == state


@pytest.mark.parametrize("trigger", TRANSITIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_what_the_table_does_not_allow_is_a_conflict(status, trigger):
    state = State(status, now(0), None)
    allowed, after = TRANSITIONS[trigger]
    if status in allowed:
        assert advance("job_x", state, trigger, now(1)).status == after
    else:
        with pytest.raises(Conflict, match=f"job_x is {status}") as raised:
            advance("job_x", state, trigger, now(1))
        assert raised.value.code == "conflict"


def test_every_state_is_reached_and_left_as_the_reference_says():
    reached = {"PENDING"} | {after for _, after in TRANSITIONS.values()}
    assert reached == set(STATUSES)
    left = set().union(*(allowed for allowed, _ in TRANSITIONS.values()))
    assert set(STATUSES) - left == {"COMPLETED"}
    assert TRANSITIONS["cancel"][0] == WAITING | HELD
    assert TRANSITIONS["retry"][0] == {"FAILED", "CANCELLED"}


def test_preemptions_without_progress_are_counted_in_a_row():
    state = State.created(now(0))
    counts = []
    for commits in (0, 0, 3, 3, 3, 7):
        state = advance("job_x", advance("job_x", state, "claim", now(1)), "preempt", now(2), commits=commits)
        counts.append(state.idle_preemptions)
    assert counts == [1, 2, 0, 1, 2, 0]


def test_a_retry_forgets_the_attempt_before():
    failed = State("FAILED", now(3), None, 1, 4, 5, 9, False, now(1), None, now(3), None, {"code": "x"})
    again = advance("job_x", failed, "retry", now(4), commits=9, discard=True)
    assert (again.retry_count, again.preemption_count, again.idle_preemptions, again.commits) == (2, 4, 0, 9)
    assert (again.started_at, again.failed_at, again.error, again.discard) == (None, None, None, True)
    assert not advance("job_x", again, "claim", now(5)).discard


@pytest.mark.parametrize("values", [{}, {"status": "PENDING"}, {"status": "LOST", "updated_at": "", "queued_at": None}])
def test_what_is_no_state_is_refused(values):
    with pytest.raises((KeyError, TypeError)):
        State.from_json(values)
