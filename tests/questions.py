"""Records, requests and a small language model with random weights for tests of activity detection."""

import json
from pathlib import Path
from typing import Any

from decoders import build_decoder, write_tokenizer

MODEL = "chatter"
CONTEXT = 256


def install_model(home: Path, *, name: str = MODEL, context: int = CONTEXT, **decoder: Any) -> str:
    """Add a small model to the catalog in `home` (ENGINE_HOME) and return its name."""
    from engine.models.catalog import Catalog

    folder = home / f"export-{name}"
    vocab = write_tokenizer(folder)
    build_decoder(folder, vocab=vocab, context=context, **decoder)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": context, "eos_token_id": [2, 0]}))
    Catalog(home).add(folder, name=name)
    return name


def record(number: int, *, words: int = 3, **more: Any) -> dict[str, Any]:
    """Return a record; the same number gives the same one, and they begin alike."""
    reading = " ".join(f"p{number % 10}={(number * 37 + word * 11) % 100}" for word in range(words))
    item = {"type": "text", "format": "plain", "data": reading}
    return {"system": "You watch a pump.", "instruction": "What is going on?", "inputs": [item], **more}


def write_records(path: Path, records: list[Any]) -> Path:
    """Write a JSONL file: mappings as JSON, texts as they are."""
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def request(*files: str, **config: Any) -> dict[str, Any]:
    """Return a request; keywords go into the worker's config. Answers are short and always the same, unless told otherwise."""
    generation = {"max_new_tokens": 8, "seed": 7, **config.pop("generation", {})}
    return {
        "name": "what happens",
        "pipeline_type": "batch",
        "pipeline_key": "activity-detection",
        "inputs": {"worker.data": [{"file_id": name} for name in files]},
        "parameters": {"worker": {"config": {"model_variant": MODEL, "generation": generation, **config}}},
    }


def write_job(folder: Path, body: dict[str, Any]) -> Path:
    """Write a request beside its files."""
    path = folder / "job.json"
    path.write_text(json.dumps(body))
    return path


def answers(folder: Path) -> list[list[dict[str, Any]]]:
    """Return the answers in a job's folder: a list for each input, in request order, parts joined."""
    request = json.loads((folder / "request.json").read_bytes())
    found = []
    for entry in request["inputs"]["worker.data"]:
        parts = (folder / "results").glob(f"{entry['id']}_output*.jsonl")
        ordered = sorted(parts, key=lambda path: (len(path.name), path.name))
        found.append([json.loads(line) for path in ordered for line in path.read_text(encoding="utf-8").splitlines()])
    return found
