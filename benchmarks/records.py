"""Memory and bookkeeping over a long file: 100,000 records, every 7th of them broken, a tiny model with random weights.

    python benchmarks/records.py [--records 100000] [--folder DIR]

Two jobs, the second ten times as long, each in a process of its own: the counts must add up, line by line, and the peaks of memory are
compared. A person reads the table; the last line is JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
EVERY = 7
JOB = """
import json, resource, sys
import engine
try:
    summary = engine.run(sys.argv[1], sys.argv[2])
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"peak_mb": peak, **summary.as_dict()}))
"""


def install(home: Path) -> str:
    """Add a tiny decoder to the catalog in `home` and return its name."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from questions import install_model

    return str(install_model(home, layers=1, hidden=16, heads=1, kv_heads=1))


def write_job(folder: Path, records: int, model: str) -> Path:
    """Write a job of so many lines."""
    with (folder / f"{records}.jsonl").open("w", encoding="utf-8") as file:
        for number in range(records):
            if number % EVERY == EVERY - 1:
                file.write('{"prompt": "torn\n')
            else:
                file.write(json.dumps({"prompt": f"p{number % 97} = {number % 31} bar"}) + "\n")
    generation = {"max_new_tokens": 4, "do_sample": False}
    job = folder / f"{records}.json"
    job.write_text(
        json.dumps(
            {
                "name": "records",
                "pipeline_type": "batch",
                "pipeline_key": "activity-detection",
                "inputs": {"worker.data": [{"file_id": f"{records}.jsonl"}]},
                "parameters": {"worker": {"config": {"model_variant": model, "generation": generation}}},
            }
        )
    )
    return job


def run(job: Path, home: Path, records: int) -> dict[str, float]:
    """Run a job in a process of its own and check what it wrote."""
    output = job.with_suffix(".out")
    begun = time.perf_counter()
    environment = os.environ | {"ENGINE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(job), str(output)], capture_output=True, text=True, env=environment, check=True
    )
    seconds = time.perf_counter() - begun
    summary = json.loads(done.stdout.splitlines()[-1])
    broken = records // EVERY
    assert (summary["records"], summary["failed"], summary["succeeded"]) == (records, broken, records - broken), summary
    (result,) = (output / "results").iterdir()
    with result.open(encoding="utf-8") as lines:
        count = 0
        for count, line in enumerate(lines, 1):
            answer = json.loads(line)
            assert answer["line_index"] == count - 1
            assert (answer["prediction"] is None) == ((count - 1) % EVERY == EVERY - 1)
    assert count == records
    return {"records": records, "seconds": seconds, "records_per_s": records / seconds, "peak_mb": summary["peak_mb"]}


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the files are written for the time of the run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        model = install(folder / "home")
        found = []
        for records in (arguments.records // 10, arguments.records):
            one = run(write_job(folder, records, model), folder / "home", records)
            print(
                f"{records:9,} records  {one['seconds']:7.1f} s  {one['records_per_s']:8,.0f}/s  peak {one['peak_mb']:,.0f} MB",
                flush=True,
            )
            found.append(one)
    ratio = found[1]["peak_mb"] / found[0]["peak_mb"]
    print(json.dumps({"benchmark": "records", "runs": found, "peak_ratio": ratio}))


if __name__ == "__main__":
    main()
