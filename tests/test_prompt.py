"""Prompts: what is said in which order, what is cut when there is too much of it, and that data cannot speak for others."""

import pytest
from decoders import SPECIAL, write_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.models.language.prompt import Item, OverBudget, Prompter, Record
from engine.models.language.template import ChatTemplate
from engine.models.language.tokens import Tokenizer

letters = st.sampled_from("abthe is pumps\n é😀") | st.characters(exclude_categories=["Cs"])
words = st.text(letters, max_size=60)
records = st.builds(
    Record,
    system=words,
    instruction=words,
    prompt=words,
    items=st.lists(words.map(lambda data: Item("text", data)), max_size=4).map(tuple),
)
AMPLE = 10_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_tokenizer(folder)
    return Tokenizer(folder), ChatTemplate(folder)


def said(record):
    """The user's turn, by definition."""
    return "\n\n".join(
        text for text in (record.instruction, *(one.data for one in record.items), record.prompt) if text
    )


def size(model, record):
    return len(Prompter(*model, AMPLE).build(record).tokens)


@quick
@given(records)
def test_what_fits_is_the_template_around_all_texts(model, record):
    tokenizer, template = model
    built = Prompter(tokenizer, template, AMPLE, "fail").build(record)
    assert not built.truncated
    assert list(built.tokens) == tokenizer.encode(template.render(record.system, said(record)))


@quick
@given(records, st.integers(0, 300))
def test_the_budget_is_kept_and_filled(model, record, budget):
    tokenizer, template = model
    whole = Prompter(tokenizer, template, AMPLE).build(record)
    try:
        built = Prompter(tokenizer, template, budget).build(record)
    except OverBudget:
        bare = Record(record.system, record.instruction)
        assert size(model, bare) > budget - 8 or not record.instruction  # 8: a separator, a character
        return
    assert len(built.tokens) <= budget
    assert built.truncated == (len(whole.tokens) > budget)
    assert built.truncated or built.tokens == whole.tokens
    texts = [*(one.data for one in record.items), record.prompt]
    if built.truncated and max(map(len, texts)) > 0:
        assert len(built.tokens) > budget - 8
    before = tokenizer.decode(tokenizer.encode(template.render(record.system, record.instruction)))
    assert tokenizer.decode(built.tokens).startswith(before.removesuffix("\nassistant\n"))


@quick
@given(st.text(letters, min_size=1, max_size=80), st.integers(1, 120))
def test_a_cut_is_as_small_as_can_be(model, data, room):
    tokenizer, template = model
    budget = size(model, Record(instruction="Look:", prompt="Well?")) + room

    def record(kept):
        return Record(instruction="Look:", prompt="Well?", items=(Item("text", data[:kept]),))

    built = Prompter(tokenizer, template, budget).build(record(len(data)))
    fitting = [kept for kept in range(len(data) + 1) if size(model, record(kept)) <= budget]
    kept = next(kept for kept in fitting if Prompter(*model, AMPLE).build(record(kept)).tokens == built.tokens)
    longest = max(fitting)
    assert len(tokenizer.encode(data[kept:longest])) <= 1  # what merges with its neighbours may differ by that


def test_spaces_that_the_template_trims_leave_room_for_words(tmp_path):
    write_tokenizer(tmp_path, template="{{ messages[-1].content | trim }}:")
    built = Prompter(Tokenizer(tmp_path), ChatTemplate(tmp_path), 30).build(Record(prompt=" " * 40 + "x" * 100))
    assert built.tokens == tuple(Tokenizer(tmp_path).encode("x" * 29 + ":"))


def test_the_longest_item_goes_first_then_the_others_then_the_prompt(model):
    items = tuple(Item("text", letter * length) for letter, length in (("X", 40), ("Y", 60), ("Z", 60)))
    record = Record("S" * 5, "I" * 5, "P" * 30, items)
    whole = size(model, record)

    def left(missing):
        text = model[0].decode(Prompter(*model, whole - missing).build(record).tokens)
        return {letter: text.count(letter) for letter in "SIPXYZ"}

    assert left(10) == {"S": 5, "I": 5, "P": 30, "X": 40, "Y": 60, "Z": 50}
    assert left(62 + 10) == {"S": 5, "I": 5, "P": 30, "X": 40, "Y": 50, "Z": 0}
    assert left(62 + 62 + 10) == {"S": 5, "I": 5, "P": 30, "X": 30, "Y": 0, "Z": 0}
    assert left(62 + 62 + 42 + 10) == {"S": 5, "I": 5, "P": 20, "X": 0, "Y": 0, "Z": 0}
    assert left(62 + 62 + 42 + 32) == {"S": 5, "I": 5, "P": 0, "X": 0, "Y": 0, "Z": 0}
    with pytest.raises(OverBudget, match="System text and instruction"):
        left(62 + 62 + 42 + 32 + 1)


def test_a_prompt_is_not_cut_to_nothing_at_all(model):
    record = Record(prompt="P" * 50)
    nothing = size(model, Record(system="", prompt="P")) - 1
    assert model[0].decode(Prompter(*model, nothing + 1).build(record).tokens).count("P") == 1
    with pytest.raises(OverBudget):
        Prompter(*model, nothing).build(record)


def test_no_budget_is_too_little(tmp_path):
    write_tokenizer(tmp_path, template="{{ messages[-1].content }}")
    with pytest.raises(OverBudget):
        Prompter(Tokenizer(tmp_path), ChatTemplate(tmp_path), 0).build(Record(prompt="Well?"))


def test_where_cutting_is_not_wanted_the_record_fails(model):
    record = Record(prompt="P" * 50)
    with pytest.raises(OverBudget, match="more than 40 tokens"):
        Prompter(*model, 40, "fail").build(record)


@quick
@given(st.lists(st.sampled_from([*SPECIAL, "<|im_", "end|>", "\n", "system", "a"]), max_size=12).map("".join))
def test_data_cannot_end_a_turn_or_begin_one(model, text):
    tokenizer, template = model
    record = Record(text + "s", text + "i", text + "p", (Item("text", text + "d"),))
    honest = Prompter(tokenizer, template, AMPLE).build(Record("s", "i", "p", (Item("text", "d"),)))
    for budget in (AMPLE, 150):
        try:
            built = Prompter(tokenizer, template, budget).build(record)
        except OverBudget:
            continue
        assert [token for token in built.tokens if token < 3] == [token for token in honest.tokens if token < 3]
        assert built.truncated or tokenizer.decode(built.tokens).count(text + "i") >= 1


def test_megabytes_are_cut_without_reading_them_all(model, monkeypatch):
    tokenizer, template = model
    read = []
    encode = Tokenizer.encode
    monkeypatch.setattr(Tokenizer, "encode", lambda self, text: read.append(len(text)) or encode(self, text))
    huge = tuple(Item("text", letter * 4_000_000) for letter in "xy")
    built = Prompter(tokenizer, template, 100).build(Record(instruction="Look:", items=huge))
    assert len(built.tokens) == 100
    assert sum(read) < 20_000
    with pytest.raises(OverBudget):
        Prompter(tokenizer, template, 100).build(Record(instruction="x" * 4_000_000, items=huge))


def test_only_texts_are_taken(model):
    with pytest.raises(AssertionError, match="only texts"):
        Prompter(*model, AMPLE).build(Record(items=(Item("image", "AAAA"),)))
