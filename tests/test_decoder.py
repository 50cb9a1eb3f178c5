"""The decoder against a twin that computes everything anew: both kinds of graphs, slots of mixed lengths, prefixes, chunk borders."""

import numpy as np
import pytest
from decoders import build_decoder, full_logits
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import ModelError, OutOfMemory
from engine.models.device import Device
from engine.models.language.decoder import CHUNK, Decoder, slot_bytes
from engine.models.language.graph import inspect_decoder
from engine.models.session import PROBE, Session

CPU = Device("cpu", "cpu")
VOCAB = 64
CONTEXT = 3 * CHUNK
KINDS = ("shared", "growing")
VARIANTS = {
    "shared": {"kind": "shared"},
    "growing": {"kind": "growing"},
    "shared with positions": {"kind": "shared", "position_ids": True},
    "growing by mask": {"kind": "growing", "position_ids": False},
    "last only": {"kind": "shared", "last_only": True},
    "half": {"kind": "shared", "dtype": "float16"},
    "half growing": {"kind": "growing", "dtype": "float16"},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decoders")
    found = {}
    for number, (name, options) in enumerate(VARIANTS.items()):
        path, weights = build_decoder(folder / str(number), vocab=VOCAB, context=CONTEXT, seed=3, **options)
        session = Session(path, device=CPU)
        found[name] = session, inspect_decoder(session, path), weights
    return found


def close(found, expected, name):
    tolerance = 0.1 if "half" in name else 1e-3
    np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance)


def tokens_of(seed, count):
    return np.random.default_rng(seed).integers(0, VOCAB, count).tolist()


@pytest.mark.parametrize("name", VARIANTS)
def test_slots_of_mixed_lengths_hold_what_the_twin_computes(models, name):
    session, graph, weights = models[name]
    decoder = Decoder(session, graph, slots=3, capacity=48)
    rows = [tokens_of(1, 20), tokens_of(2, 3), tokens_of(3, 9)]
    for slot, row in enumerate(rows):
        close(decoder.prefill(slot, row), full_logits(weights, row)[-1], name)
    rng = np.random.default_rng(4)
    for step in range(8):
        if step == 4:  # a slot is refilled while the others go on
            rows[1] = tokens_of(9, 11)
            close(decoder.prefill(1, rows[1]), full_logits(weights, rows[1])[-1], name)
        new = rng.integers(0, VOCAB, 3)
        logits = decoder.step(new, np.array([len(row) for row in rows]))
        for slot, row in enumerate(rows):
            row.append(int(new[slot]))
            close(logits[slot], full_logits(weights, row)[-1], name)
    assert decoder.tokens_prefilled == 20 + 3 + 9 + 11


@pytest.mark.parametrize("name", ["shared", "growing", "last only", "half"])
@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_long_prompts_run_in_chunks(models, name, count):
    session, graph, weights = models[name]
    decoder = Decoder(session, graph, slots=2, capacity=CONTEXT)
    row = tokens_of(5, count)
    close(decoder.prefill(1, row), full_logits(weights, row)[-1], name)
    logits = decoder.step(np.array([0, 7]), np.array([0, count]))
    close(logits[1], full_logits(weights, [*row, 7])[-1], name)


@pytest.mark.parametrize("name", ["shared", "growing", "half growing"])
@pytest.mark.parametrize("shared", [17, CHUNK, CHUNK + 3])
def test_a_kept_prefix_is_taken_instead_of_computed(models, name, shared):
    session, graph, weights = models[name]
    decoder = Decoder(session, graph, slots=2, capacity=CONTEXT)
    prefix = tokens_of(6, shared)
    decoder.keep_prefix(prefix)
    rows = [[*prefix, *tokens_of(7, 5)], tokens_of(8, 12)]
    close(decoder.prefill(0, rows[0], prefix=True), full_logits(weights, rows[0])[-1], name)
    decoder.prefill(1, rows[1])
    assert decoder.tokens_prefilled == shared + 5 + 12
    rows[1] = [*prefix, *tokens_of(11, CHUNK + 2)]
    close(decoder.prefill(1, rows[1], prefix=True), full_logits(weights, rows[1])[-1], name)
    for token in (3, 4):
        logits = decoder.step(np.array([token, token]), np.array([len(row) for row in rows]))
        for slot, row in enumerate(rows):
            row.append(token)
            close(logits[slot], full_logits(weights, row)[-1], name)


@quick
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(0, 3))
def test_a_row_has_the_same_bits_whatever_the_other_slots_hold(models, kind, seed, place):
    session, graph, _ = models[kind]
    rng = np.random.default_rng(seed)
    row = tokens_of(seed % 1000, int(rng.integers(1, 30)))
    found = []
    for busy in (False, True):
        decoder = Decoder(session, graph, slots=4, capacity=40)
        lengths = np.zeros(4, np.int64)
        for slot in range(4):
            if slot != place and busy:
                other = rng.integers(0, VOCAB, int(rng.integers(1, 35))).tolist()
                decoder.prefill(slot, other)
                lengths[slot] = len(other)
        logits = [decoder.prefill(place, row)]
        lengths[place] = len(row)
        for token in (5, 6, 7):
            new = rng.integers(0, VOCAB, 4) if busy else np.zeros(4, np.int64)
            new[place] = token
            logits.append(decoder.step(new, lengths)[place].copy())
            lengths += 1 if busy else np.arange(4) == place
        found.append(np.array(logits))
    assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_growing_keeps_what_the_slots_hold(models, kind):
    session, graph, weights = models[kind]
    decoder = Decoder(session, graph, slots=2, capacity=24)
    prefix = tokens_of(1, 16)
    decoder.keep_prefix(prefix)
    row = tokens_of(2, 20)
    decoder.prefill(0, row)
    decoder.grow(60)
    assert decoder.capacity == 60
    other = [*prefix, *tokens_of(3, 30)]
    close(decoder.prefill(1, other, prefix=True), full_logits(weights, other)[-1], kind)
    logits = decoder.step(np.array([1, 2]), np.array([20, 46]))
    close(logits[0], full_logits(weights, [*row, 1])[-1], kind)
    close(logits[1], full_logits(weights, [*other, 2])[-1], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_contents_are_kept_bit_for_bit(models, kind):
    session, graph, _ = models[kind]
    decoder = Decoder(session, graph, slots=2, capacity=24)
    decoder.prefill(0, tokens_of(2, 20))
    before = held(decoder)
    decoder.grow(60)
    after = held(decoder)
    assert all(np.array_equal(wide[:, :, :24], narrow) for narrow, wide in zip(before, after, strict=True))
    assert not any(wide[:, :, 24:].any() for wide in after)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("allowed", range(9))
def test_growing_beyond_memory_changes_nothing(models, kind, allowed, monkeypatch):
    session, graph, weights = models[kind]
    decoder = Decoder(session, graph, slots=1, capacity=24)
    prefix = tokens_of(1, 16)
    decoder.keep_prefix(prefix)
    real, calls = session.buffer, iter(range(allowed))

    def buffer(*given):
        if next(calls, None) is None:
            raise OutOfMemory("full")
        return real(*given)

    monkeypatch.setattr(session, "buffer", buffer)
    try:
        decoder.grow(48)
    except OutOfMemory:
        assert decoder.capacity == 24
    else:
        assert (allowed, decoder.capacity) == (8, 48)
    for row in ([*prefix, 3], [*prefix, 9, 9]):
        close(decoder.prefill(0, row, prefix=True), full_logits(weights, row)[-1], kind)
        logits = decoder.step(np.array([5]), np.array([len(row)]))
        close(logits[0], full_logits(weights, [*row, 5])[-1], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_number_leaves_with_its_prompt(models, kind):
    session, graph, weights = models[kind]
    decoder = Decoder(session, graph, slots=2, capacity=48)
    decoder.prefill(0, tokens_of(1, 30))
    for cache in held(decoder):
        cache[0] = np.nan
    row = tokens_of(2, 4)
    decoder.prefill(0, row)
    close(decoder.step(np.array([5, 0]), np.array([4, 0]))[0], full_logits(weights, [*row, 5])[-1], kind)


def held(decoder):
    cache = decoder._cache
    return (
        [buffer.array for buffer in cache._buffers.values()] if hasattr(cache, "_buffers") else [*cache._pasts.values()]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_room_that_no_machine_has_is_out_of_memory(models, kind):
    session, graph, _ = models[kind]
    with pytest.raises(OutOfMemory, match="does not fit into memory"):
        Decoder(session, graph, slots=10**6, capacity=10**9)
    assert slot_bytes(graph, 100) == 2 * 2 * 2 * 16 * 4 * 100 * (1 if kind == "shared" else 2)


def test_graphs_tell_what_they_are(models):
    graphs = {name: graph for name, (_, graph, _) in models.items()}
    assert {name: graph.kind for name, graph in graphs.items()} == {
        name: options["kind"] for name, options in VARIANTS.items()
    }
    assert graphs["shared"].vocab_size == VOCAB
    assert graphs["last only"].last_only
    assert not graphs["shared"].last_only
    assert (graphs["half"].cache_dtype, graphs["half"].logits_dtype) == ("float16", "float16")
    assert graphs["growing"].positions
    assert not graphs["growing by mask"].positions


def test_a_graph_that_is_no_decoder_is_refused():
    with pytest.raises(ModelError, match="input_ids"):
        inspect_decoder(Session(PROBE, device=CPU), PROBE)
