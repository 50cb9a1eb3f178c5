"""Greedy answers beside transformers on the same weights. Needs the rivals' environment; skipped without it.

    ENGINE_RIVALS=/path/to/python .venv/bin/python -m pytest tests/test_rivals.py

The interpreter has torch, transformers, onnxruntime-genai and its model builder.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.models.device import Device
from engine.models.language.decoder import Decoder
from engine.models.language.generate import Generation
from engine.models.language.graph import inspect_decoder
from engine.models.language.sample import Sampling
from engine.models.language.schedule import Prompt
from engine.models.session import Session

ROOT = Path(__file__).resolve().parent.parent
RIVALS = os.environ.get("ENGINE_RIVALS")
NEW = 24
MARGIN = 1e-4  # between the two best logits: below it either may win
THEIRS = """
import json, sys, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
answers = []
with torch.inference_mode():
    for prompt in json.loads(sys.stdin.read()):
        done = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=int(sys.argv[2]), min_new_tokens=int(sys.argv[2]),
                              pad_token_id=0, return_dict_in_generate=True, output_logits=True)
        margins = [float(step[0].topk(2).values.diff().abs()) for step in done.logits]
        answers.append([done.sequences[0, len(prompt):].tolist(), margins])
print(json.dumps(answers))
"""

pytestmark = pytest.mark.skipif(RIVALS is None, reason="ENGINE_RIVALS names no interpreter with transformers")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A checkpoint with random weights, and its fp32 export."""
    folder = tmp_path_factory.mktemp("rivals")
    checkpoint, exported = folder / "checkpoint", folder / "exported"
    subprocess.run([RIVALS, str(ROOT / "benchmarks" / "generate_rivals.py"), "make", str(checkpoint)], check=True)
    subprocess.run(
        [RIVALS, str(ROOT / "scripts" / "export_language_model.py"), str(checkpoint), str(exported)], check=True
    )
    return checkpoint, exported


@pytest.fixture(scope="module")
def prompts():
    rng = np.random.default_rng(5)
    shared = rng.integers(8, 8192, 40).tolist()
    bodies = [rng.integers(8, 8192, int(count)).tolist() for count in (3, 60, 17, 300, 8, 33, 1, 90)]
    return [*bodies, *(shared + body for body in bodies[:4])], shared


@pytest.fixture(scope="module")
def theirs(folders, prompts):
    done = subprocess.run(
        [RIVALS, "-c", THEIRS, str(folders[0]), str(NEW)],
        input=json.dumps(prompts[0]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("slots", [1, 3, 8])
@pytest.mark.parametrize("reuse", [False, True])
def test_greedy_answers_are_those_of_transformers(folders, prompts, theirs, slots, reuse):
    path = folders[1] / "model.onnx"
    session = Session(path, device=Device("cpu", "cpu"))
    graph = inspect_decoder(session, path)
    with Generation(
        lambda slots, capacity: Decoder(session, graph, slots=slots, capacity=capacity),
        Sampling(do_sample=False, max_new_tokens=NEW),
        vocab_size=graph.vocab_size,
        stop_tokens=frozenset(),
        slots=slots,
        capacity=64,
        context=1024,
        prefix=prompts[1] if reuse else (),
    ) as run:
        ours = {done.key: done.tokens for done in run.run(Prompt(key, tokens) for key, tokens in enumerate(prompts[0]))}
    compared = 0
    for key, (tokens, margins) in enumerate(theirs):
        sure = next((place for place, margin in enumerate(margins) if margin <= MARGIN), NEW)
        assert list(ours[key][:sure]) == tokens[:sure]
        compared += sure
    assert compared > 0.8 * NEW * len(theirs)
