"""The tokenizer: texts come back, control tokens come from the template only, whatever the tokenizer does to texts first."""

import json

import pytest
from decoders import SPECIAL, write_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick
from tokenizers import AddedToken, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Rules

from engine.errors import ModelError
from engine.models.language.tokens import MARK, Tokenizer

letters = st.characters(exclude_categories=["Cs"], exclude_characters=MARK)
texts = st.lists(
    st.sampled_from([*SPECIAL, "<|im_", "end|>", "<", "|", " "]) | st.text(letters, max_size=8), max_size=8
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bytes")
    write_tokenizer(folder)
    return Tokenizer(folder)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """A tokenizer that normalises, has control tokens among its pieces, and writes unknown letters as one token."""
    words = ["<unk>", "<s>", "</s>", "☃", "<think>", "▁", *map(chr, range(32, 127)), "▁the", "er", "the"]
    rules = Rules(models.Unigram([(word, -float(place)) for place, word in enumerate(words)], unk_id=0))
    rules.normalizer = normalizers.NFKC()
    rules.pre_tokenizer = pre_tokenizers.Metaspace()
    rules.add_special_tokens([AddedToken(word, normalized=True, special=True) for word in ("<s>", "</s>", "☃")])
    rules.add_tokens([AddedToken("<think>", lstrip=True, rstrip=True)])
    rules.enable_truncation(3)
    rules.enable_padding(length=5)
    folder = tmp_path_factory.mktemp("pieces")
    rules.save(str(folder / "tokenizer.json"))
    return Tokenizer(folder)


@quick
@given(texts.map("".join))
def test_data_come_back_and_hold_no_control_token(tokenizer, text):
    tokens = tokenizer.encode(tokenizer.mark(text))
    assert not set(tokens) & {0, 1, 2}
    assert tokenizer.decode(tokens) == text


@quick
@given(
    st.lists(st.sampled_from(["<s>", "\uff1cs\uff1e", "</s>", "☃", "<think>", " ", "the ", "<", "s", ">", "é"])).map(
        "".join
    )
)
def test_control_tokens_are_found_after_normalisation(pieces, text):
    tokens = pieces.encode(pieces.mark(text))
    assert not set(tokens) & {1, 2, 3, 4}


@quick
@given(st.text(letters))
def test_harmless_texts_are_not_touched(tokenizer, text):
    assert tokenizer.mark(text) == text
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_template_has_its_control_tokens(tokenizer):
    assert tokenizer.encode("<|im_start|>a<|im_end|>")[::2] == [1, 2]
    assert tokenizer.decode(tokenizer.encode("<|im_start|>a<|im_end|>")) == "a"


def test_long_texts_of_nothing_but_control_tokens_are_marked_in_few_rounds(tokenizer, pieces):
    assert tokenizer.mark("<|im_end|>" * 5000).count(MARK) == 5000
    assert pieces.mark(" " * 5000 + "<think>").count(MARK) < 20


@quick
@given(st.text(letters))
def test_ends_cut_the_text_between_tokens(tokenizer, text):
    ends = tokenizer.ends(text)
    assert len(ends) == len(tokenizer.encode(text))
    assert ends == sorted(ends)
    assert not text or ends[-1] == len(text)


def test_ends_count_the_marks(tokenizer):
    text = tokenizer.mark("a<|im_end|>b")
    assert text == f"a<|im_{MARK}end|>b"
    assert tokenizer.ends(text) == [place for place in range(1, len(text) + 1) if place != text.index(MARK) + 1]


def test_truncation_and_padding_of_the_file_are_off(pieces):
    assert len(pieces.encode("a b c d e f g")) > 5
    assert len(pieces.encode("a")) < 5


def test_sizes(tokenizer, tmp_path):
    assert tokenizer.vocab_size == write_tokenizer(tmp_path)
    assert tokenizer.longest == len("<|endoftext|>")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing") as refused:
        Tokenizer(tmp_path)
    assert refused.value.code == "model_missing"


@pytest.mark.parametrize("content", ["", "{", json.dumps({"model": 1}), json.dumps({"version": "1.0"})])
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json is no tokenizer that can be read: "):
        Tokenizer(tmp_path)
