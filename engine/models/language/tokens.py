"""The tokenizer of a language model: texts to tokens and back, and texts that cannot give orders.

A tokenizer reads some texts as control tokens: `<|im_end|>` ends a turn. In a chat template that is meant; in a sensor's log it would
let the log end its own turn and speak as somebody else. `mark` finds such texts in data, `encode` takes them apart where they are
marked: the model sees their letters.
"""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from engine.errors import ModelError

FILE = "tokenizer.json"
MARK = "\ufdd0"  # a noncharacter: Unicode keeps it for programs' own use

_MARKUP = re.compile(r"<.+>|\[.+\]", re.DOTALL)


class Tokenizer:
    """What a `tokenizer.json` describes; its own truncation and padding are off.

    Parameters
    ----------
    folder : Path
        Holds `tokenizer.json`.

    Attributes
    ----------
    vocab_size : int
        The highest token, plus 1.
    longest : int
        Characters of the longest token: a text of more than `n * longest` has more than n tokens (unless the tokenizer's own
        normalisation shortens it).

    Raises
    ------
    ModelError
        The file is missing or is no tokenizer.
    """

    def __init__(self, folder: Path) -> None:
        import tokenizers

        path = folder / FILE
        if not path.is_file():
            raise ModelError(
                f"{path} is missing.",
                code="model_missing",
                cure="Copy it from the checkpoint that the graph was made of.",
            )
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library has no class of its own
            raise ModelError(f"{path} is no tokenizer that can be read: {error}.") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        if not vocabulary:
            raise ModelError(f"{path} has no tokens.")
        self.vocab_size = max(vocabulary.values()) + 1
        self.longest = max(map(len, vocabulary))
        self._controls = frozenset(
            token
            for token, added in self._tokenizer.get_added_tokens_decoder().items()
            if added.special or _MARKUP.fullmatch(added.content)
        )

    def encode(self, text: str) -> list[int]:
        """Return a text's tokens; texts of control tokens become these, except where a mark takes them apart. None is added."""
        return [
            token for piece in text.split(MARK) for token in self._tokenizer.encode(piece, add_special_tokens=False).ids
        ]

    def mark(self, text: str) -> str:
        """Return a text with a mark inside everything that would become a control token, so that `encode` makes none of it.

        Control tokens are those that the tokenizer calls special and other added ones in brackets (`<think>`, `[INST]`). They are
        found by encoding, because a tokenizer may normalise texts before it looks for them. A control token of a single character
        has no inside: that character is left out. Marks that the text has already are left out, too.

        Whether a piece is harmless depends on it alone, because `encode` encodes each alone; so pieces are cut until all are.
        """
        done: list[str] = []
        waiting = [text.replace(MARK, "")]
        while waiting:
            piece = waiting.pop()
            spans = self._control_spans(piece)
            if not spans:
                done.append(piece)
                continue
            inside = sorted({cut for start, end in spans for cut in _cuts(start, end) if 0 < cut < len(piece)})
            if inside:
                parts = pairwise((0, *inside, len(piece)))
                waiting.extend(reversed([piece[start:end] for start, end in parts]))
        return MARK.join(done)

    def ends(self, text: str) -> list[int]:
        """Return where each token of a text ends, in characters, never falling; tokens of one character end together."""
        found, begin = [], 0
        for piece in text.split(MARK):
            encoding = self._tokenizer.encode(piece, add_special_tokens=False)
            found += [begin + end for _, end in encoding.offsets]
            begin += len(piece) + len(MARK)
        return list(accumulate(found, max))

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without the special ones."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def _control_spans(self, text: str) -> list[tuple[int, int]]:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        tokens = encoding.ids
        if self._controls.isdisjoint(tokens):
            return []
        return [span for token, span in zip(tokens, encoding.offsets, strict=True) if token in self._controls]


def _cuts(start: int, end: int) -> tuple[int, ...]:
    """Return where to cut a span so that no part holds it whole; a single character is cut off on both sides."""
    return ((start + end) // 2,) if end - start > 1 else (start, start + 1)
