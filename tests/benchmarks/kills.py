"""Kill processes while they save, and count the files that are whole afterwards.

python tests/benchmarks/kills.py [--kills 200] [--seed 0]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.persistence import kills


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(kills.count(Path(folder), asked.kills, rng)))


if __name__ == "__main__":
    main()
