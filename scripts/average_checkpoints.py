#!/usr/bin/env python3
"""Average the weights of two checkpoints of one network, one of which was trained on from the other.

    scripts/average_checkpoints.py BEFORE AFTER OUT [--share 0.5]

OUT is AFTER with weights `(1 - share) * BEFORE + share * AFTER`. Fine-tuned weights and those that they began from lie in one valley, and what
is between them is often better than both ends (Wortsman et al., 2022): what the second piece of training forgot comes back.
"""

import argparse
import shutil
from pathlib import Path

from environment import enter

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy>=2.4", "safetensors>=0.6")
WEIGHTS = "model.safetensors"


def main() -> None:
    """Read both, average, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="checkpoint folder")
    parser.add_argument("after", type=Path, help="checkpoint folder of the same network")
    parser.add_argument("out", type=Path, help="folder to write; it must not be there")
    parser.add_argument("--share", type=float, default=0.5, help="of AFTER, 0 to 1 (%(default)s)")
    parser.add_argument("--environment", type=Path, default=REPOSITORY / ".venv-train")
    options = parser.parse_args()
    enter(options.environment, PACKAGES, ("numpy", "safetensors"))
    if not 0 <= options.share <= 1:
        raise SystemExit(f"--share must be 0 to 1; got {options.share}.")
    if options.out.exists():
        raise SystemExit(f"{options.out} is there already. Name a new folder.")
    from safetensors.numpy import load_file, save_file

    before, after = (load_file(folder / WEIGHTS) for folder in (options.before, options.after))
    shapes = [{name: weight.shape for name, weight in one.items()} for one in (before, after)]
    if shapes[0] != shapes[1]:
        raise SystemExit(f"{options.before} and {options.after} are not of one network.")
    shutil.copytree(options.after, options.out)
    mixed = {name: before[name] * (1 - options.share) + after[name] * options.share for name in after}
    save_file(mixed, options.out / WEIGHTS, metadata={"format": "pt"})
    print(f"{len(mixed)} tensors averaged into {options.out}")


if __name__ == "__main__":
    main()
