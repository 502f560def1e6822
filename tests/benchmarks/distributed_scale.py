"""Time of a search of codes in shards, on 1 and 2 worker processes and without any.

Codes are drawn at random, so that no index pays and each is compared: 64 bits, in files
of five million. Each worker has one thread. Run it on an idle machine::

    python tests/benchmarks/distributed_scale.py --folder FOLDER

FOLDER takes the files, 800 MB. Results go to ``docs/results/distributed.json``: seconds
to load the shards, and of a batch of queries, median of three, beside the time that a
search in one process takes, and the one in which its memory can be read at all; and the
record of what the workers did when, which is drawn as ``distributed-tasks.png``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import numpy as np
from _harness import environment
from distributed import Client, LocalCluster, get_task_stream

from skhash.distributed import HammingNeighbors
from skhash.hamming import warm_up
from skhash.neighbors import HammingNeighbors as Local

FOLDER = Path(__file__).parents[2] / "docs" / "results"
N_ITEMS, CHUNK, K = 100_000_000, 5_000_000, 10
BATCHES = (1, 10, 100)


def write(folder: Path, n_items: int) -> None:
    """Files of codes, unless they are there."""
    for i in range(n_items // CHUNK):
        path = folder / f"codes-{i}.npy"
        if not path.exists():
            rng = np.random.default_rng(i)
            np.save(path, rng.integers(256, size=(CHUNK, 8), dtype=np.uint8))


def read(path: str) -> np.ndarray:
    """A file of codes."""
    return np.load(path)


def chunks_of(folder: Path, n_items: int) -> da.Array:
    """The files as one dask array."""
    load = dask.delayed(read, pure=True)
    return da.concatenate(
        [
            da.from_delayed(
                load(str(folder / f"codes-{i}.npy")), (CHUNK, 8), dtype=np.uint8
            )
            for i in range(n_items // CHUNK)
        ]
    )


def seconds(work: Callable[[int], Any], times: int = 3) -> float:
    """Median time of some runs, each of which gets its number."""
    taken = []
    for i in range(times):
        start = perf_counter()
        work(i)
        taken.append(perf_counter() - start)
    return median(taken)


def search_seconds(neighbors: Any, queries: np.ndarray) -> dict[int, float]:
    """Median time of batches of queries, never twice the same, which dask may know."""
    return {
        n: seconds(lambda i, n=n: neighbors.kneighbors(queries[:n] + np.uint8(i + n)))
        for n in BATCHES
    }


def in_one_process(folder: Path, n_items: int, queries: np.ndarray) -> dict[str, Any]:
    """The codes in one array, searched with one thread and with two."""
    start = perf_counter()
    codes = np.concatenate(
        [read(str(folder / f"codes-{i}.npy")) for i in range(n_items // CHUNK)]
    )
    loaded = perf_counter() - start
    words = codes.view(np.uint64)
    found: dict[str, Any] = {
        "load_seconds": loaded,
        "read_seconds": seconds(lambda i: words.max()),
    }
    for n_jobs in (1, 2):
        neighbors = Local(K, algorithm="brute", n_jobs=n_jobs).fit(codes)
        found[f"search_seconds_{n_jobs}"] = search_seconds(neighbors, queries)
    found["answer"] = neighbors.kneighbors(queries[:100])
    return found


def on_workers(
    n_workers: int, folder: Path, n_items: int, queries: np.ndarray
) -> tuple[dict[str, Any], tuple, list]:
    """The same on workers, with an answer and the record of tasks."""
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        few = chunks_of(folder, n_items)[:1000]
        HammingNeighbors(K, algorithm="brute").fit(few).kneighbors(queries)
        with get_task_stream(client) as stream:
            start = perf_counter()
            neighbors = HammingNeighbors(K, algorithm="brute").fit(
                chunks_of(folder, n_items)
            )
            loaded = perf_counter() - start
            for i in range(2):
                neighbors.kneighbors(queries + np.uint8(200 + i))
        taken = search_seconds(neighbors, queries)
        answer = neighbors.kneighbors(queries[:100])
    found = {"load_seconds": loaded, "search_seconds": taken}
    return found, answer, stream.data


def draw(stream: list, path: Path) -> None:
    """What each worker did when, as the dashboard shows it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    workers = sorted({each["worker"] for each in stream})
    spans = [(each, span) for each in stream for span in each["startstops"]]
    first = min(span["start"] for _, span in spans)
    kinds = {"build": "C0", "facts": "C4", "nearest": "C2", "Nearest": "C1"}
    figure, axes = plt.subplots(figsize=(8, 1 + 0.6 * len(workers)), layout="tight")
    for each, span in spans:
        name = each["key"] if isinstance(each["key"], str) else each["key"][0]
        kind = name.rsplit("-", 5)[0]
        colour = "C3" if span["action"] == "transfer" else kinds.get(kind, "0.7")
        axes.barh(
            workers.index(each["worker"]),
            span["stop"] - span["start"],
            left=span["start"] - first,
            color=colour,
            edgecolor="white",
            linewidth=0.5,
        )
    axes.set_yticks(range(len(workers)), [f"worker {i}" for i in range(len(workers))])
    axes.set_xlabel("seconds")
    names = ["build a shard", "search it", "merge", "receive", "read, other"]
    for name, colour in zip(names, ("C0", "C2", "C1", "C3", "0.7"), strict=True):
        axes.bar(0, 0, color=colour, label=name)
    axes.legend(ncols=5, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--items", type=int, default=N_ITEMS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    write(options.folder, options.items)
    warm_up(64)
    queries = np.random.default_rng(99).integers(256, size=(max(BATCHES), 8))
    queries = queries.astype(np.uint8)
    rows: dict[str, Any] = {}
    local = in_one_process(options.folder, options.items, queries)
    wanted = local.pop("answer")
    rows["one process"] = local
    print(local, flush=True)
    for n_workers in (1, 2):
        found, answer, stream = on_workers(
            n_workers, options.folder, options.items, queries
        )
        found["same_answer"] = all(map(np.array_equal, answer, wanted))
        rows[f"{n_workers} workers"] = found
        print(n_workers, found, flush=True)
    draw(stream, FOLDER / "distributed-tasks.png")
    content = {
        "command": "python tests/benchmarks/distributed_scale.py --folder FOLDER"
    }
    content |= {**environment(), "dask": dask.__version__}
    content |= {"n_items": options.items, "n_bits": 64, "k": K, "rows": rows}
    path = FOLDER / "distributed.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
