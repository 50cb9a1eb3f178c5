"""The papers of a model: licences, notices and the model card beside its weights, and what its licence is called."""

import re
from pathlib import Path

NAMES = re.compile(r"(licen[cs]e|copying|notice|use_policy|readme|model_?card)([._-].*)?", re.IGNORECASE)
LICENCES = re.compile(r"(licen[cs]e|copying)([._-].*)?", re.IGNORECASE)
CARD = "README.md"
PAPER_BYTES = 4 << 20  # a larger file is none
HEAD_BYTES = 1 << 16  # of a card or a licence that is looked at
UNKNOWN = "unknown"

FRONT = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
FIELD = r"^{}:[ \t]*[\"']?([A-Za-z0-9][A-Za-z0-9.+_-]{{0,79}})[\"']?[ \t]*$"
PHRASES = (  # words that a licence's own text begins with -> its name; what is not plain stays unknown
    (r"Apache License\s+Version 2\.0", "Apache-2.0"),
    (r"\A\s*(The )?MIT License", "MIT"),
    (r"\A\s*(The )?BSD 3-Clause", "BSD-3-Clause"),
    (r"\A\s*(The )?BSD 2-Clause", "BSD-2-Clause"),
    (r"\A\s*LLAMA ([0-9.]+) COMMUNITY LICENSE", r"llama\1"),
    (r"\A\s*Gemma Terms of Use", "gemma"),
)


def find_papers(folder: Path) -> list[Path]:
    """Return licences, notices and model cards in a folder, in order."""
    return sorted(
        path
        for path in folder.iterdir()
        if NAMES.fullmatch(path.name) and path.is_file() and path.stat().st_size <= PAPER_BYTES
    )


def name_licence(folder: Path) -> str:
    """Return the name of a model's licence by its card's front matter or its licence's first words, or `unknown`."""
    front = FRONT.match(_head(folder / CARD))
    if front:
        for field in ("license", "license_name"):
            told = re.search(FIELD.format(field), front[1], re.MULTILINE)
            if told and told[1].lower() not in ("other", UNKNOWN):
                return told[1]
    for path in find_papers(folder):
        if LICENCES.fullmatch(path.name):
            text = _head(path)
            for pattern, name in PHRASES:
                found = re.search(pattern, text[:2000])
                if found:
                    return found.expand(name)
    return UNKNOWN


def _head(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
