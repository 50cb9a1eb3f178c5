"""What both soaks stand on: their plant, their options, and the folder that stays when something differs."""

import argparse
import tempfile
from pathlib import Path

from engine.plant import Episode, Scenario, write_csv

STATES = ("normal", "leak")
SHOT_ROWS = 200
CHANNELS = 4
SEVERITY = 0.8


def write_plant(folder: Path, recordings: int, episodes: int, episode_rows: int) -> list[Path]:
    """Write a shot for each of `STATES` (`normal.csv`, ...) and recordings with their truth; return the recordings.

    Parameters
    ----------
    recordings : int
        `plant_21.csv`, ... and `plant_21_labels.csv`, ... beside them.
    episodes, episode_rows : int
        Of each recording; states take turns.
    """
    for state in STATES:
        write_csv(folder / f"{state}.csv", Scenario((Episode(state, SHOT_ROWS, SEVERITY),), 3, CHANNELS))
    paths = [folder / f"plant_{seed}.csv" for seed in range(21, 21 + recordings)]
    turns = tuple(Episode(STATES[n % 2], episode_rows, SEVERITY) for n in range(episodes))
    for seed, path in enumerate(paths, 21):
        write_csv(path, Scenario(turns, seed, CHANNELS), truth=path.with_name(f"{path.stem}_labels.csv"))
    return paths


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that both soaks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the jobs are written; kept when something differs")
    return parser


def make_folder(parent: Path | None) -> Path:
    """Make a folder of its own for a soak."""
    return Path(tempfile.mkdtemp(prefix="soak-", dir=parent))


def remove(folder: Path) -> None:
    """Remove a folder that a soak wrote."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
