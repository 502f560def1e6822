"""The regimes of search that the library was built for, each against its goal.

Ratios are times of faiss's IndexBinaryFlat (the faster of its two modes) over ours, in
one process and in turn, medians; `of limit` is our share of what the machine can do at
all: words compared in its first-level cache for batches, bytes read for single queries.
Run it on an idle machine with AVX-512, with faiss-cpu installed::

    python tests/benchmarks/search_goals.py --data FOLDER

Results go to ``docs/results/search-goals.json`` and ``search-goals.png``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import ranking
from _harness import command, environment
from _search_data import codes_of, interleaved, learned, limits
from _search_peers import faiss
from threadpoolctl import threadpool_limits

from skhash.hamming import nearest
from skhash.neighbors import HammingNeighbors

# A processor of 2013. Its name alone would keep this one's features.
HASWELL = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+popcnt"}
MILLION = 1_000_000


@dataclass(frozen=True)
class Regime:
    """A kind of search, what a prototype reached in it, and the goal (x faiss)."""

    name: str
    n_bits: int
    batch: int
    k: int
    prototype: float
    goal: float
    threads: int = 1
    codes: str = "random"
    n: int = MILLION
    auto: bool = False


REGIMES = [
    Regime("batch of 256, k=10, 32 bits", 32, 256, 10, 24.0, 24.0),
    Regime("batch of 256, k=10, 64 bits", 64, 256, 10, 13.2, 13.0),
    Regime("batch of 256, k=10, 128 bits", 128, 256, 10, 9.4, 9.0),
    Regime("batch of 256, k=10, 256 bits", 256, 256, 10, 4.4, 4.3),
    Regime("batch of 10000, k=10, 64 bits", 64, 10_000, 10, 13.6, 13.0, threads=2),
    Regime("batch of 256, k=100, 64 bits", 64, 256, 100, 9.0, 12.0),
    Regime("batch of 256, k=1000, 64 bits", 64, 256, 1000, 3.6, 8.0),
    Regime("single query, k=10, 64 bits", 64, 1, 10, 8.0, 8.5),
    Regime("single query, k=10, 64 bits, 2 threads", 64, 1, 10, 13.0, 14.0, 2),
    Regime("single query, k=10, 256 bits", 256, 1, 10, 1.8, 1.9),
    Regime(
        "index, clustered, k=10, 64 bits", 64, 1000, 10, 115.0, 200.0,
        codes="clustered 0.05", auto=True,
    ),
    Regime(
        "index, clustered, k=10, 128 bits", 128, 1000, 10, 150.0, 200.0,
        codes="clustered 0.05", auto=True,
    ),
    Regime(
        "index, 1e7 clustered, k=10, 64 bits", 64, 1000, 10, 330.0, 500.0,
        codes="clustered 0.05", n=10 * MILLION, auto=True,
    ),
]  # fmt: skip
AVX2 = [
    Regime("AVX2 only, batch of 256, k=10, 64 bits", 64, 256, 10, 4.1, 5.0),
    Regime("AVX2 only, batch of 256, k=10, 256 bits", 256, 256, 10, 1.6, 2.0),
]


def measure(regime: Regime, rounds: int) -> dict[str, Any]:
    """Microseconds a query of ours and of faiss, and their ratio."""
    codes = codes_of(regime.codes, regime.n + regime.batch, regime.n_bits)
    queries, database = codes[: regime.batch], codes[regime.batch :]
    peer = faiss(database, regime.threads)
    few = queries[: 20 if regime.auto else 256]
    if regime.auto:
        model = HammingNeighbors(n_jobs=regime.threads).fit(database)
        ours = lambda: model.kneighbors(queries, regime.k)
    else:
        ours = lambda: nearest(queries, database, regime.k, n_jobs=regime.threads)
    with threadpool_limits(regime.threads):
        seconds = interleaved(
            {"ours": ours, "faiss": lambda: peer(few, regime.k)}, rounds
        )
    mine, theirs = seconds["ours"] / len(queries), seconds["faiss"] / len(few)
    return {
        "regime": regime.name,
        "prototype": regime.prototype,
        "goal": regime.goal,
        "measured": theirs / mine,
        "us a query": 1e6 * mine,
        "us a query, faiss": 1e6 * theirs,
    }


def of_limit(regime: Regime, seconds: float, machine: dict[str, float]) -> float | None:
    """Share of the machine's own limit that a scan reaches."""
    if regime.auto:
        return None
    size = regime.n * regime.n_bits // 8
    if regime.batch == 1:
        rate = machine["bytes_per_s_8_mb" if size < 2e7 else "bytes_per_s_32_mb"]
        # Two threads may read twice as fast, from their own caches.
        return size / rate / regime.threads / seconds
    return size / 8 / machine["words_per_s"] / regime.threads / seconds


def in_process(arguments: list[str], **variables: str) -> list[dict[str, Any]]:
    """Rows that this script measures in a process with other variables."""
    call = [sys.executable, __file__, "--results", "", *arguments]
    done = subprocess.run(
        call,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


FIRST = """
import time
import numpy as np
{imports}
codes = np.arange(8000, dtype=np.uint8).reshape(1000, 8)
start = time.perf_counter()
{call}
print(time.perf_counter() - start)
"""
# Importing numba, .2 s more, happens at the first search.
FIRST_CALLS = {
    "kneighbors": {
        "imports": "import numba; from skhash import HammingNeighbors",
        "call": "HammingNeighbors().fit(codes).kneighbors(codes[:1])",
    },
    # Beside the kernels this loads scipy.linalg, which numba asks for; scikit-learn has
    # loaded it already.
    "hamming.nearest": {
        "imports": "import numba; from skhash.hamming import nearest",
        "call": "nearest(codes[:1], codes, 5)",
    },
}


def first_call(name: str) -> dict[str, Any]:
    """Seconds of the first search in a process whose kernels are in the cache."""
    call = [sys.executable, "-c", FIRST.format(**FIRST_CALLS[name])]
    seconds = []
    for _ in range(8):
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout))
    # The first of them may have compiled.
    return {
        "regime": f"seconds of the first {name}, kernels in the cache",
        "prototype": 0.35,
        "goal": 0.35,
        "measured": median(seconds[1:]),
    }


def whole_ranking(rounds: int) -> dict[str, Any]:
    """Full-ranking mAP against the argsort loop, on two threads."""
    options = argparse.Namespace(
        queries=10_000, items=60_000, loop_queries=40, rounds=rounds, n_jobs=2
    )
    with threadpool_limits(2):
        row = ranking.measure(64, options)
    return {
        "regime": "mAP 10000 x 60000, 64 bits, 2 threads, x argsort loop",
        "prototype": 139.0,
        "goal": 200.0,
        "measured": row["speed-up"],
    }


def never_slower(data: Path | None, rounds: int) -> Iterator[dict[str, Any]]:
    """Time of a scan over that of `algorithm="auto"`, on all kinds of codes."""
    flips = [f"clustered {p}" for p in (0.05, 0.1, 0.15, 0.2, 0.25)]
    kinds = ["random", *flips, "equal", "repeated"]
    cases = [(f"{kind}, {b} bits", codes_of(kind, MILLION + 256, b))
             for kind in kinds for b in (64, 128)]  # fmt: skip
    if data:
        for name in ("mnist", "cifar10"):
            for n_bits in (12, 24, 48, 64):
                codes = np.vstack(learned(data, name, n_bits)[::-1])
                cases.append((f"{name}, {n_bits} bits", codes))
    for name, codes in cases:
        queries, database = codes[:256], codes[256:]
        auto = HammingNeighbors(n_jobs=1).fit(database)
        for k in (1, 10, 100):
            calls: dict[str, Callable[[], object]] = {
                "scan": lambda q=queries, d=database, k=k: nearest(q, d, k, n_jobs=1),
                "auto": lambda q=queries, m=auto, k=k: m.kneighbors(q, k),
            }
            seconds = interleaved(calls, rounds)
            yield {
                "codes": name,
                "k": f"k={k}",
                "algorithm": auto.info()["algorithm"],
                "us a query": 1e6 * seconds["auto"] / len(queries),
                "scan / auto": seconds["scan"] / seconds["auto"],
            }


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Each regime's ratio over its goal, beside the prototype's."""
    import matplotlib.pyplot as plt

    shown = [row for row in rows if not row["regime"].startswith("seconds")][::-1]
    figure, ax = plt.subplots(figsize=(8, 0.36 * len(shown) + 1), layout="constrained")
    for y, row in enumerate(shown):
        ax.plot(
            [row["prototype"] / row["goal"]], [y], "o", mfc="white", color="#0072B2"
        )
        ax.plot([row["measured"] / row["goal"]], [y], "s", color="#D55E00")
        ax.annotate(
            f"{row['measured']:.3g} x", (row["measured"] / row["goal"], y),
            xytext=(8, 0), textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    ax.axvline(1, color="0.5", lw=1, zorder=0)
    ax.set_yticks(range(len(shown)), [row["regime"] for row in shown])
    ax.set(xscale="log", xlabel="ratio, over its goal")
    ax.set_xticks([0.5, 1, 2], ["½", "1", "2"])
    ax.minorticks_off()
    ax.plot([], [], "o", mfc="white", color="#0072B2", label="prototype")
    ax.plot([], [], "s", color="#D55E00", label="measured")
    ax.legend(loc="lower right")
    ax.margins(x=0.15)
    figure.savefig(path, dpi=120)


def long(row: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each figure, as the tables of the documentation want it."""
    figures = ("prototype", "goal", "measured", "of limit")
    return [
        {"regime": row["regime"], "figure": name, "ratio": row[name]}
        for name in figures
        if row.get(name) is not None
    ]


def main() -> None:
    """Measure all regimes, print them, write JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of mnist.npz, cifar10.npz")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="part of the names of regimes")
    parser.add_argument("--results", default="docs/results")
    options = parser.parse_args()
    if not options.results:  # a part, for the process that asked for it
        regimes = [r for r in [*REGIMES, *AVX2] if options.only in r.name]
        print(json.dumps([measure(r, options.rounds) for r in regimes]))
        return
    machine = limits()
    print({name: f"{value:.3g}" for name, value in machine.items()})
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        text = {k: f"{v:.3g}" for k, v in row.items() if isinstance(v, float)}
        print(row["regime"], text, flush=True)

    for regime in REGIMES:
        if options.only in regime.name:
            row = measure(regime, options.rounds)
            row["of limit"] = of_limit(regime, row["us a query"] / 1e6, machine)
            add(row)
    if not options.only:
        arguments = ["--rounds", str(options.rounds), "--only", "AVX2"]
        for row in in_process(arguments, **HASWELL):
            add(row)
        add(whole_ranking(options.rounds))
        for name in FIRST_CALLS:
            add(first_call(name))
    folder = Path(options.results)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"command": command(), **environment(), "faiss-cpu": version("faiss-cpu")}
    about |= machine
    content = {**about, "regimes": rows, "rows": [c for row in rows for c in long(row)]}
    (folder / "search-goals.json").write_text(json.dumps(content, indent=1) + "\n")
    plot(rows, folder / "search-goals.png")
    if options.only:
        return
    kinds = []
    for row in never_slower(options.data, options.rounds):
        kinds.append(row)
        print(row, flush=True)
        content = {**about, "rows": kinds}
        (folder / "search-auto.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
