"""Identifiers: their form, their order, and which texts they belong to."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.jobs.ids import ALPHABET, CHARACTERS, at, derived_id, is_id, new_id, now


def test_new_ids_have_the_form_and_increase():
    ids = [new_id("job") for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert all(is_id(one, "job") and not is_id(one, "inp") for one in ids)
    assert all(len(one) == 4 + CHARACTERS and set(one[4:]) <= set(ALPHABET) for one in ids)


@quick
@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_derived_ids_belong_to_their_texts(one, other):
    assert derived_id("out", *one) == derived_id("out", *one)
    assert is_id(derived_id("out", *one), "out")
    if "\0".join(one) != "\0".join(other):
        assert derived_id("out", *one) != derived_id("out", *other)


@quick
@given(st.text())
def test_nothing_else_is_an_id(text):
    assert not is_id(text, "job") or (text.startswith("job_") and len(text) == 30)
    assert not is_id("job_" + text + "!", "job")


@quick
@given(st.integers(0, 4_000_000_000_000_000))
def test_times_are_read_back(microseconds):
    text = at(microseconds / 1e6)
    assert len(text) == 27
    assert abs(datetime.fromisoformat(text).timestamp() * 1e6 - microseconds) <= 1


def test_now_is_a_time_of_the_same_form():
    assert len(now()) == 27
    assert now().endswith("Z")
