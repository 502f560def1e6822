"""Count what becomes of files that were changed at random.

    python tests/benchmarks/mutations.py [--files 20000] [--seed 0]

The corpus is a file of every class, by `tests/persistence/make_files.py`. Half of the
figures are of files that were mutated, spliced or cut, none of which may be loaded; the
other half of files with other values and checksums that fit, which may.
"""

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from skhash import load
from tests.persistence import mutations
from tests.persistence.corpus import CUSTOM
from tests.persistence.make_files import FILES


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for an example of each")
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    files = sorted(FILES.glob("*.skhash"))
    for path in files:  # so that what is imported is imported
        load(path, custom_objects=CUSTOM, verify=True)
    mutations.watch()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        for change in (mutations.mutated, mutations.resealed):
            outcomes, slowest, examples = mutations.count(
                files, asked.files, rng, Path(folder), CUSTOM, change=change
            )
            told = {"files": change.__name__, **outcomes, "slowest_seconds": slowest}
            print(json.dumps(told), flush=True)
            for outcome, content in examples.items() if asked.keep else ():
                name = f"{change.__name__} {outcome}".replace("/", " ")[:60]
                (asked.keep / name).write_bytes(content)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"most_memory_grew_by_mb": (after - before) / 1024}))


if __name__ == "__main__":
    main()
