"""Time of exact search against other libraries, and against the machine's limits.

All are timed in one process and in turn; figures are medians. A peer that is not
installed is named and left out. Run it on an idle machine::

    python tests/benchmarks/search.py --peers faiss,usearch,sklearn,numpy
    python tests/benchmarks/search.py --data FOLDER --learned mnist

With ``--learned`` an encoder is trained on ``FOLDER/mnist.npz`` for codes of 12 to 64
bits. Results go to ``docs/results/search.json`` and ``search.png``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _harness import command, environment
from _search_data import CENTRES, clustered, learned, limits, random_codes, timed
from _search_peers import AT_MOST, PEERS
from threadpoolctl import threadpool_limits

from skhash.hamming import nearest
from skhash.neighbors import HammingNeighbors

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def cases(
    args: argparse.Namespace,
) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Kind of codes, bits, database and queries."""
    rng = np.random.default_rng(0)
    for n_bits in args.bits:
        codes = random_codes(rng, args.n + 1000, n_bits)
        yield "random", n_bits, codes[1000:], codes[:1000]
        centres = random_codes(rng, CENTRES, n_bits)
        for flips in args.flips:
            codes = clustered(rng, centres, args.n + 1000, flips)
            yield f"clustered {flips:g}", n_bits, codes[1000:], codes[:1000]
    if args.learned:
        for n_bits in (12, 16, 24, 32, 48, 64):
            yield args.learned, n_bits, *learned(args.data, args.learned, n_bits)


def measure(
    args: argparse.Namespace, database: np.ndarray, queries: np.ndarray
) -> Iterator[dict[str, Any]]:
    """One row per batch size and k: microseconds per query of every search."""
    indexed = HammingNeighbors(n_jobs=args.threads).fit(database)
    searches: dict[str, Callable[[np.ndarray, int], object]] = {
        "scan": lambda q, k: nearest(q, database, k, n_jobs=args.threads),
        f"auto ({indexed.info()['algorithm']})": indexed.kneighbors,
    }
    for name in args.peers:
        try:
            searches[name] = PEERS[name](database, args.threads)
        except ImportError:
            print(f"{name} is not installed: left out")
    for batch in args.batches:
        for k in args.k:
            seconds: dict[str, list[float]] = {name: [] for name in searches}
            for _ in range(args.repeats):
                for name, search in searches.items():
                    rows = queries[: min(batch, AT_MOST.get(name, batch))]
                    once = timed(lambda s=search, q=rows, k=k: s(q, k), 0.02)
                    seconds[name].append(once / len(rows))
            yield {
                "batch": batch,
                "k": k,
                "us_per_query": {
                    name: round(1e6 * float(np.median(each)), 2)
                    for name, each in seconds.items()
                },
            }


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as Markdown, with the ratio of the first peer to the scan and to auto."""
    lines = ["| codes | bits | batch | k | us per query | x |", "|---" * 6 + "|"]
    for row in rows:
        times = row["us_per_query"]
        cells = ", ".join(f"{name} {value:g}" for name, value in times.items())
        scan, auto, *peers = times.values()
        ratios = f"{peers[0] / scan:.1f} / {peers[0] / auto:.1f}" if peers else ""
        lines.append(
            f"| {row['codes']} | {row['bits']} | {row['batch']} | {row['k']} | {cells} "
            f"| {ratios} |"
        )
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Time by k for each kind of codes, at the largest batch."""
    import matplotlib.pyplot as plt

    kinds = sorted({(row["codes"], row["bits"]) for row in rows})
    figure, axes = plt.subplots(
        1,
        len(kinds),
        figsize=(2.8 * len(kinds) + 1, 3),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax, kind in zip(axes[0], kinds, strict=True):
        mine = [row for row in rows if (row["codes"], row["bits"]) == kind]
        mine = [row for row in mine if row["batch"] == max(r["batch"] for r in mine)]
        for name, mark in zip(mine[0]["us_per_query"], "s^oDvP", strict=False):
            times = [row["us_per_query"][name] for row in mine]
            label = name.split()[0]
            line = f"{mark}--" if label == "auto" else f"{mark}-"
            ax.loglog([row["k"] for row in mine], times, line, label=label)
        ax.set(title=f"{kind[0]}, {kind[1]} bits", xlabel="k")
    axes[0][0].set_ylabel("microseconds per query")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=120)


def arguments() -> argparse.Namespace:
    numbers = lambda text: [int(each) for each in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default="faiss,usearch,sklearn,numpy")
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--bits", type=numbers, default=[32, 64, 128, 256])
    parser.add_argument("--flips", default="0.05,0.1,0.15,0.25")
    parser.add_argument("--batches", type=numbers, default=[1, 256])
    parser.add_argument("--k", type=numbers, default=[1, 10, 100, 1000])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--learned", default="", help="name of a data set to learn")
    parser.add_argument("--out", type=Path, default=RESULTS / "search.json")
    args = parser.parse_args()
    args.peers = [name for name in args.peers.split(",") if name]
    args.flips = [float(each) for each in args.flips.split(",") if each]
    return args


def main() -> None:
    args = arguments()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    probe = limits()
    print(probe)
    rows = []
    with threadpool_limits(args.threads):
        for codes, n_bits, database, queries in cases(args):
            for row in measure(args, database, queries):
                least = 1e6 * database.nbytes / probe["bytes_per_s_1_gb"]
                row = {"codes": codes, "bits": n_bits, "n": len(database), **row}
                # A single query reads the database once.
                if row["batch"] == 1:
                    scan = row["us_per_query"]["scan"]
                    row["of_memory_bandwidth"] = round(least / scan, 2)
                rows.append(row)
                print(table([row]).splitlines()[-1], flush=True)
                content = {
                    "command": command(),
                    **environment(),
                    "threads": args.threads,
                    **probe,
                }
                args.out.write_text(json.dumps({**content, "rows": rows}, indent=1))
    plot(rows, args.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
