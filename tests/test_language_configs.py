"""What exporters' files say of a language model: its context, its stop tokens, its licence."""

import json
from pathlib import Path

import pytest
from decoders import SPECIAL, write_tokenizer

from engine.models.language.configs import Configs
from engine.models.language.licence import find_papers, name_licence
from engine.models.language.tokens import Tokenizer


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


# What the configurations say


CONTEXTS = {
    "genai": ({"genai_config.json": {"model": {"context_length": 512}}}, 512),
    "network": ({"config.json": {"max_position_embeddings": 300}}, 300),
    "older network": ({"config.json": {"n_positions": 1024}}, 1024),
    "network inside": ({"config.json": {"text_config": {"max_position_embeddings": 77}}}, 77),
    "tokenizer": ({"tokenizer_config.json": {"model_max_length": 99}}, 99),
    "unknown to the tokenizer": ({"tokenizer_config.json": {"model_max_length": 10**30}}, None),
    "unknown as a float": ({"tokenizer_config.json": {"model_max_length": 1e30}}, None),
    "the smallest": (
        {"config.json": {"max_position_embeddings": 300}, "tokenizer_config.json": {"model_max_length": 200}},
        200,
    ),
    "no number": ({"config.json": {"max_position_embeddings": "300", "n_ctx": True, "n_positions": None}}, None),
    "no objects": ({"genai_config.json": {"model": [1]}, "config.json": {"text_config": 1}}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("case", CONTEXTS)
def test_the_smallest_sane_context_counts(tmp_path, case):
    files, expected = CONTEXTS[case]
    for name, content in files.items():
        write(tmp_path / name, content)
    assert Configs(tmp_path).context_length() == expected


STOPS = {
    "genai": ({"genai_config.json": {"model": {"eos_token_id": 5}}}, [5]),
    "genai, several": ({"genai_config.json": {"model": {"eos_token_id": [7, 5]}}}, [5, 7]),
    "generation": ({"generation_config.json": {"eos_token_id": [2, 0]}}, [0, 2]),
    "network": ({"config.json": {"eos_token_id": 3}}, [3]),
    "network inside": ({"config.json": {"text_config": {"eos_token_id": 3}}}, [3]),
    "none": ({"config.json": {"eos_token_id": None}, "generation_config.json": {"eos_token_id": -1}}, []),
    "tokenizer": ({"tokenizer_config.json": {"eos_token": SPECIAL[2]}}, [2]),
    "tokenizer, with its ways": ({"tokenizer_config.json": {"eos_token": {"content": SPECIAL[0]}}}, [0]),
    "no token of its own": ({"tokenizer_config.json": {"eos_token": "<no token>"}}, []),
    "all together": (
        {
            "genai_config.json": {"model": {"eos_token_id": 5}},
            "generation_config.json": {"eos_token_id": [5, 6]},
            "config.json": {"eos_token_id": 7},
            "tokenizer_config.json": {"eos_token": SPECIAL[2]},
        },
        [2, 5, 6, 7],
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_what_ends_an_answer_by_any_file_ends_it(tmp_path, case):
    write_tokenizer(tmp_path)
    for name in ("tokenizer_config.json", "generation_config.json"):
        (tmp_path / name).unlink()
    files, expected = STOPS[case]
    for name, content in files.items():
        write(tmp_path / name, content)
    assert Configs(tmp_path).stop_tokens(Tokenizer(tmp_path)) == expected


# Licences


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"README.md": "---\nlanguage: en\nlicense: apache-2.0\n---\n# Card"}, "apache-2.0"),
        ({"README.md": "---\r\nlicense: 'mit'\r\n---\r\n"}, "mit"),
        ({"README.md": "---\nlicense: other\nlicense_name: gemma\n---\n"}, "gemma"),
        ({"README.md": "---\nlicense: other\n---\n", "LICENSE": "MIT License\n\nCopyright"}, "MIT"),
        ({"README.md": "# Card\nlicense: mit\n"}, "unknown"),
        ({"README.md": "---\nlicense: [a, b]\n---\n"}, "unknown"),
        ({"LICENSE.txt": "\n   Apache License\n   Version 2.0, January 2004"}, "Apache-2.0"),
        ({"LICENSE": "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT"}, "llama3.2"),
        ({"LICENSE": "All rights reserved. Not the MIT License."}, "unknown"),
        ({"NOTICE": "MIT License"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_licence_has_a_name_where_it_is_plain(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    assert name_licence(tmp_path) == expected
    assert [path.name for path in find_papers(tmp_path)] == sorted(files)
