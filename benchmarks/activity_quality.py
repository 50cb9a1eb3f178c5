"""How good a language model's answers about sensors are: the right activity, numbers that are in the prompt, proper endings.

    python benchmarks/activity_quality.py [--model NAME] [--sets generated prose by_hand] [--records 500] [--untrained NAME] [--show 20]

Three sets: generated plants whose channel names, wordings and ranges are never in training; others told in prose, whose sentences and
questions, and some kinds of letters, are not in training either; and `by_hand.jsonl`, 238 records that were composed one by one, in free
styles, by authors who knew the list of activities and nothing of the rule base. It is frozen by its digest, and nothing may be chosen
on it: no wording, no setting, no checkpoint. Answers are greedy. An answer is right when its first sentence is the activity's name,
canonical or one of its other names. Beside it: always answering the most frequent activity, and, with `--untrained`, an installed
model of the same shape with random weights. Intervals are Wilson's, 95 %.

A person reads the table; the last line is JSON.
"""

import argparse
import hashlib
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engine
from engine.plant.activities import ACTIVITIES, Example, compose, compose_prose

BY_HAND = Path(__file__).parent / "by_hand.jsonl"  # {"record": ..., "domain": ..., "activity": ...} a line
BY_HAND_SHA256 = "ef69b936d2235a4e2138cbebaf6445b24e115dd20ea4c597e9d7349c69a66705"
SEED = 20_000_001  # of the generated set; training uses others
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """A record and its true activity."""

    record: dict[str, Any]
    domain: str
    activity: str


def read_by_hand(_: int = 0) -> list[Question]:
    """Read the set that was written by hand, all of it; refuse one that was changed."""
    content = BY_HAND.read_bytes()
    if hashlib.sha256(content).hexdigest() != BY_HAND_SHA256:
        sys.exit(f"{BY_HAND} is not what was frozen: scores on it would mean nothing.")
    lines = [json.loads(line) for line in content.decode().splitlines()]
    return [Question(line["record"], line["domain"], line["activity"]) for line in lines]


def generate_questions(count: int, composed: Callable[..., Example] = compose) -> list[Question]:
    """Compose records of plants that training never saw."""
    examples = [composed(SEED, index, held_out=True) for index in range(count)]
    return [Question(example.record, example.domain, example.activity) for example in examples]


SETS: dict[str, Callable[[int], list[Question]]] = {
    "generated": generate_questions,
    "prose": lambda count: generate_questions(count, compose_prose),
    "by_hand": read_by_hand,
}


def is_right(answer: str, question: Question) -> bool:
    """Tell whether an answer opens with the true activity's name."""
    opening = re.split(r"[.:,;\n]", answer, maxsplit=1)[0].strip().lower()
    names = {question.activity, *ACTIVITIES[question.domain][question.activity]}
    return opening in {name.lower() for name in names}


def text_of(record: dict[str, Any]) -> str:
    """Return all the text of a record."""
    texts = [record.get(field) or "" for field in ("system", "instruction", "prompt")]
    return "\n".join([*texts, *(item["data"] for item in record.get("inputs", ()))])


def score(questions: Sequence[Question], answers: Sequence[engine.Answer]) -> dict[str, Any]:
    """Score answers: shares between 0 and 1."""
    right = numbers = quoted = ended = 0
    wrong: Counter[str] = Counter()
    for question, answer in zip(questions, answers, strict=True):
        text = answer.prediction or ""
        hit = is_right(text, question)
        right += hit
        if not hit:
            wrong[question.domain] += 1
        known = set(NUMBER.findall(text_of(question.record)))
        found = NUMBER.findall(text)
        numbers += len(found)
        quoted += sum(number in known for number in found)
        ended += answer.finish_reason == "stop"
    total = len(questions)
    low, high = wilson(right, total)
    return {
        "records": total,
        "right": right / total,
        "right_low": low,
        "right_high": high,
        "numbers_in_prompt": quoted / numbers if numbers else None,
        "numbers": numbers,
        "proper_endings": ended / total,
        "wrong_by_domain": dict(wrong.most_common()),
    }


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return middle - half, middle + half


def ask(model: str, questions: Sequence[Question]) -> list[engine.Answer]:
    """Answer every record, greedily."""
    settings = {"do_sample": False, "max_new_tokens": 128}
    return list(engine.generate([question.record for question in questions], model=model, generation=settings))


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=500, help="of each composed set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="default: all of them")
    parser.add_argument("--model", default="activity", help="default: the shipped one")
    parser.add_argument("--untrained", help="an installed model with random weights, for comparison")
    parser.add_argument("--show", type=int, default=0, help="answers to print, for reading")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"benchmark": "activity_quality", "version": engine.__version__, "model": arguments.model}
    for name in arguments.sets:
        questions = SETS[name](arguments.records)
        answers = ask(arguments.model, questions)
        found = score(questions, answers)
        found["majority"] = Counter(one.activity for one in questions).most_common(1)[0][1] / len(questions)
        if arguments.untrained:
            found["untrained"] = score(questions, ask(arguments.untrained, questions))["right"]
        results[name] = found
        numbers = "none" if found["numbers_in_prompt"] is None else f"{found['numbers_in_prompt']:.3f}"
        print(
            f"{name:10} {found['records']:4} records  right {found['right']:.3f} "
            f"({found['right_low']:.3f} to {found['right_high']:.3f})  majority {found['majority']:.3f}"
            + (f"  untrained {found['untrained']:.3f}" if arguments.untrained else "")
            + f"  numbers in the prompt {numbers}  proper endings {found['proper_endings']:.3f}"
        )
        stride = max(1, len(questions) // max(1, arguments.show))
        for question, answer in list(zip(questions, answers, strict=True))[::stride][: arguments.show]:
            print(f"\n--- {question.domain}: {question.activity}\n{text_of(question.record)}\n>>> {answer.prediction}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
