"""Kill a job at random instants until it is done, compare its bytes with an undisturbed run's, and begin anew.

    ./scripts/soak [--kills 300] [--seconds 1800] [--seed 0] [--folder DIR]

Half of the kills come from inside, at a random commit point after a random number of commits; the other half from outside, at
any instant at all, a random number of commits after the start. A round is one folder, from its first start to its end. Ends with
exit code 1 at the first difference, and keeps that folder.
"""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from soak_bench import STATES, make_folder, make_parser, remove, write_plant

from engine.jobs.local import build_request
from engine.output.journal import EMBEDDINGS, JOURNAL, RESULTS

CHILD = """
import os, signal, sys
from engine.output.files import observe
from engine.jobs.local import run
left = int(sys.argv[3])
def watch(point):
    global left
    if point == "journal.synced":
        print("commit", flush=True)
    if left > 0:
        left -= 1
        if left == 0:
            print("kill", point, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
observe(watch)
run(sys.argv[1], sys.argv[2])
"""
WINDOW = 24
POINTS_PER_COMMIT = 16
MOST_COMMITS = 6  # between two kills
COUNTERS = (
    "status",
    "windows",
    "invalid",
    "counts",
    "mean_confidence",
    "files",
    "repaired_cells",
    "gaps",
    "evaluation",
)


def write_job(folder: Path) -> Path:
    """Write a job of two inputs and some sixty parts."""
    recordings = write_plant(folder, recordings=2, episodes=5, episode_rows=400)
    request = build_request(
        recordings,
        {state: folder / f"{state}.csv" for state in STATES},
        window=WINDOW,
        probabilities=True,
        embeddings=True,
        label_column="label",
        labels={str(path): path.with_name(f"{path.stem}_labels.csv") for path in recordings},
    )
    request["parameters"]["worker"]["config"] |= {"batch_size": 8, "flush_every_n_iteration": 8}
    job = folder / "job.json"
    job.write_text(json.dumps(request))
    return job


def read_outcome(folder: Path) -> dict[str, object]:
    """Return what must be equal: every result file's bytes, and the counters of the summary."""
    outcome: dict[str, object] = {
        f"{place}/{path.name}": path.read_bytes()
        for place in (RESULTS, EMBEDDINGS)
        for path in sorted((folder / place).iterdir())
    }
    summary = json.loads((folder / "summary.json").read_text())
    return outcome | {name: summary[name] for name in COUNTERS}


def attempt(job: Path, output: Path, rng: random.Random) -> tuple[bool, str]:
    """Start the job and kill it; return whether it came to its end before that, and where it was killed."""
    inside = rng.random() < 0.5
    points = rng.randint(1, MOST_COMMITS * POINTS_PER_COMMIT) if inside else 0
    commits = rng.randint(0, MOST_COMMITS)
    command = [sys.executable, "-c", CHILD, str(job), str(output), str(points)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = ""
        for line in process.stdout:
            if line.startswith("kill"):
                where = line.split()[1]
            elif not inside:
                commits -= 1
                if commits < 0:
                    process.kill()
                    where = "from outside"
                    break
        code = process.wait()
    if code not in (0, -signal.SIGKILL):
        sys.exit(f"The job ended with code {code}.")
    return code == 0, where


def main() -> None:
    """Run rounds until the kills or the seconds are used up."""
    parser = make_parser(__doc__)
    parser.add_argument("--kills", type=int, default=300)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    begun = time.monotonic()
    folder = make_folder(arguments.folder)
    job = write_job(folder)
    subprocess.run(
        [sys.executable, "-c", CHILD, str(job), str(folder / "undisturbed"), "0"], stdout=subprocess.DEVNULL, check=True
    )
    wanted = read_outcome(folder / "undisturbed")
    places: Counter[str] = Counter()
    rounds = 0
    while places.total() < arguments.kills and time.monotonic() - begun < arguments.seconds:
        output = folder / f"round_{rounds}"
        kills, done = 0, False
        while not done and places.total() < arguments.kills:
            done, where = attempt(job, output, rng)
            if not done:
                kills += 1
                places[where] += 1
        if not done:  # the kills are used up: let it come to its end
            subprocess.run(
                [sys.executable, "-c", CHILD, str(job), str(output), "0"], stdout=subprocess.DEVNULL, check=True
            )
        got = read_outcome(output)
        differing = sorted(name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name))
        lines = (output / JOURNAL).read_bytes().count(b"\n")
        verdict = f"DIFFERS in {', '.join(differing)}" if differing else "identical"
        print(f"round {rounds:3}  {kills:3} kills  {lines:4} journal lines  {verdict}", flush=True)
        if differing:
            sys.exit(f"Look into {output} and {folder / 'undisturbed'}.")
        remove(output)
        rounds += 1
    remove(folder)
    seconds = time.monotonic() - begun
    print(f"{places.total()} kills in {rounds} rounds and {seconds:.0f} s, every round identical")
    for where, count in sorted(places.items()):
        print(f"  {count:4} {where}")
    result = {
        "soak": "kills",
        "kills": places.total(),
        "rounds": rounds,
        "seconds": round(seconds, 1),
        "identical": True,
    }
    print(json.dumps(result | {"places": dict(sorted(places.items()))}))


if __name__ == "__main__":
    main()
