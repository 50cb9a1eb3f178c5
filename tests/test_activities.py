"""The generator of sensor prompts: pure, valid, true to its rule base, and honest about what is held out."""

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plant.activities import ACTIVITIES, DOMAINS, LONGEST, compose, naming
from engine.plant.activities.wording import ASKS_HELD_OUT, OPENINGS_HELD_OUT

COUNT = 2000
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def text_of(record):
    texts = [record.get(field, "") for field in ("system", "instruction", "prompt")]
    return "\n".join([*texts, *(item["data"] for item in record.get("inputs", ()))])


@pytest.fixture(scope="module")
def trained():
    return [compose(3, index) for index in range(COUNT)]


@pytest.fixture(scope="module")
def held_out():
    return [compose(3, index, held_out=True) for index in range(COUNT)]


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.booleans())
def test_an_example_is_a_function_of_its_arguments(seed, index, held_out):
    assert compose(seed, index, held_out=held_out) == compose(seed, index, held_out=held_out)


def test_every_activity_occurs_and_no_answer_is_frequent(trained):
    counts = Counter((example.domain, example.activity) for example in trained)
    assert set(counts) == {(domain, activity) for domain, activities in ACTIVITIES.items() for activity in activities}
    assert max(counts.values()) < COUNT / 25


def test_records_have_the_form_that_the_pipeline_takes(trained, held_out):
    for example in (*trained, *held_out):
        assert set(example.record) <= {"system", "instruction", "prompt", "inputs"}
        assert text_of(example.record).strip()
        assert len(json.dumps(example.record)) <= LONGEST
        for item in example.record.get("inputs", ()):
            assert set(item) == {"type", "format", "data"}


def test_answers_open_with_the_activity_and_quote_what_the_record_says(trained, held_out):
    for example in (*trained, *held_out):
        opening, _, rest = example.answer.partition(". ")
        assert opening.lower() == example.activity.lower()
        assert rest
        text = text_of(example.record)
        for number in NUMBER.findall(rest):
            assert number in text, (number, example)


def test_unusual_readings_are_a_part_of_the_answers(trained):
    share = sum("Unusual: " in example.answer for example in trained) / COUNT
    assert 0.1 < share < 0.4


@given(st.integers(0, 2**40))
def test_varied_names_are_never_those_that_are_held_out(seed):
    rng = Random(seed)
    assert naming.channel("memory usage", {"mem usage", "ram usage", "heap usage"}, rng).lower() not in {
        "mem usage",
        "ram usage",
    }
    everything = type("", (), {"__contains__": lambda *_: True})()
    assert naming.channel("motor current", everything, rng) == "motor current"


def test_most_channels_have_names_of_their_own():
    names = Counter(naming.channel("motor current", (), Random(seed)) for seed in range(2000))
    assert 0.25 < names["motor current"] / 2000 < 0.5
    assert len(names) > 500


def test_names_that_are_held_out_never_occur_in_training(trained, held_out):
    names = [name for domain in DOMAINS.values() for role in domain.roles.values() for name in role.held_out]
    known = {name for domain in DOMAINS.values() for role in domain.roles.values() for name in role.names}
    assert not {name.lower() for name in names} & {name.lower() for name in known}
    unseen = [text.split("{m}")[0] for text in (*ASKS_HELD_OUT, *OPENINGS_HELD_OUT)]
    for example in trained:
        assert not any(text and text in text_of(example.record) for text in unseen)
    assert any(text and text in text_of(example.record) for example in held_out for text in unseen)


def test_the_set_written_by_hand_names_activities_that_exist():
    lines = (Path(__file__).parent.parent / "benchmarks" / "by_hand.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    assert len(questions) == 238
    assert {(one["domain"], one["activity"]) for one in questions} == {
        (domain, activity) for domain, activities in ACTIVITIES.items() for activity in activities
    }
    assert len({json.dumps(one["record"]) for one in questions}) == len(questions)
