"""The table of all runs of the claims, and the minutes that they take on one thread.

::

    python tests/benchmarks/claims/plan.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _all import CLAIMS
from _main import in_order
from _record import RESULTS, Record

# Hours of two cores that all runs may take.
BUDGET = 12
HEAD = ("order", "minutes", "done", "claim", "set", "loss", "variant", "bits", "seed")


def main() -> None:
    """Print the table and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    folder = parser.parse_args().results
    records = {claim.name: Record(claim.name, folder) for claim in CLAIMS}
    runs = in_order(CLAIMS)
    done = [records[run.key.claim].row(run.key) for run in runs]
    lines = [HEAD]
    for run, row in zip(runs, done, strict=True):
        mark = "" if row is None else f"{row['seconds'] / 60:.1f}"
        lines.append((str(run.order), f"{run.minutes:.1f}", mark, *map(str, run.key)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for line in lines:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
    left = sum(run.minutes for run, row in zip(runs, done, strict=True) if row is None)
    whole, longest = sum(run.minutes for run in runs), max(r.minutes for r in runs)
    used = sum(row.get("cpu_seconds") or row["seconds"] for row in done if row) / 3600
    print(
        f"{len(runs)} runs, {sum(row is not None for row in done)} of them made: "
        f"{whole / 120:.1f} hours of two cores, of a budget of about {BUDGET}; "
        f"{left / 120:.1f} to go. Those that are made took {used:.1f} hours of the "
        f"processor. The longest takes {longest:.0f} minutes on one thread, which two "
        "halve."
    )


if __name__ == "__main__":
    main()
