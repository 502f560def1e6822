"""One run: train an encoder, measure its codes, keep what a comparison needs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from _record import Key, Record
from _sets import SETS, Images, images

from skhash import DeepHashEncoder
from skhash.hamming import histograms
from skhash.losses import LOSSES, HashLoss
from skhash.metrics import RetrievalReport, compare, evaluate

# Not results, but what unfinished runs and paired comparisons need.
KEPT = Path(__file__).parents[3] / "build" / "claims"
METRICS = {
    "mAP": "mAP",
    "mAP@1000": "mAP@1000",
    "precision within 2": "within_2",
    "nDCG@1000": "ndcg",
}


class Bench(NamedTuple):
    """Where a run finds its images, what was measured before, and its threads."""

    data: Path
    record: Record
    n_jobs: int = 2
    kept: Path = KEPT

    def images(self, name: str) -> Images:
        """The images of a set."""
        return images(self.data, name)


Work = Callable[[Key, Bench], dict[str, Any]]
More = Callable[[DeepHashEncoder, Images], dict[str, Any]]


class Run(NamedTuple):
    """A run of the plan: what it is, what it does, its place in the order.

    `minutes` are those of one thread; `after` is a run that must have been made.
    """

    key: Key
    work: Work
    minutes: float
    order: int
    after: Key | None = None


def training(params: dict[str, Any] | None = None, more: More | None = None) -> Work:
    """The work of a run that trains one encoder and measures it.

    Parameters
    ----------
    params : dict
        Parameters of the encoder that make the variant; ``loss__*`` are the loss's.
    more : callable
        ``more(encoder, images) -> dict``, further entries of the row.
    """

    def work(key: Key, bench: Bench) -> dict[str, Any]:
        taken = bench.images(key.set)
        encoder, row = trained(key, bench, taken, params or {})
        row |= measured(key, bench, encoder, taken)
        return row | (more(encoder, taken) if more else {})

    return work


def new_encoder(
    key: Key, n_jobs: int, params: dict[str, Any], **others: Any
) -> DeepHashEncoder:
    """The encoder of a run, with the budget of its images."""
    params = {**SETS[key.set].budget, **params}
    loss: str | HashLoss = params.pop("loss", None) or LOSSES[key.loss]()
    encoder = DeepHashEncoder(
        key.n_bits, loss=loss, random_state=key.seed, n_jobs=n_jobs, **others
    )
    return encoder.set_params(**params)


def trained(
    key: Key, bench: Bench, taken: Images, params: dict[str, Any]
) -> tuple[DeepHashEncoder, dict[str, Any]]:
    """The trained encoder and what its training took.

    A training that was cut goes on where it was; then the epochs' own seconds are all
    that is known of it, and the processor's are not.
    """
    checkpoint = bench.kept / f"{key.slug}.ckpt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    cut = checkpoint.exists()
    encoder = new_encoder(key, bench.n_jobs, params, checkpoint=str(checkpoint))
    start, cpu = time.perf_counter(), time.process_time()
    encoder.fit(taken.X, taken.y)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if cut:
        seconds = sum(epoch["dur"] for epoch in encoder.history_)
    return encoder, {
        "params": {name: _plain(value) for name, value in params.items()},
        "epochs": encoder.n_iter_,
        "n_images": len(taken.X),
        "seconds": round(seconds, 1),
        "cpu_seconds": None if cut else round(cpu, 1),
        "n_jobs": bench.n_jobs,
    }


def measured(
    key: Key, bench: Bench, encoder: DeepHashEncoder, taken: Images
) -> dict[str, Any]:
    """Scores of the codes with their intervals; the report is kept for comparisons."""
    report = evaluate(
        encoder.transform(taken.X_query),
        encoder.transform(taken.X_database),
        taken.y_query,
        taken.y_database,
        k=1000,
        radius=2,
        n_bits=key.n_bits,
        n_jobs=bench.n_jobs,
    )
    file = report_file(bench, key)
    part = file.with_suffix(f".{os.getpid()}.part")
    joblib.dump(report, part, compress=3)
    part.replace(file)  # another process may read it at any time
    return scores(report)


def scores(report: RetrievalReport) -> dict[str, Any]:
    """Mean and interval of the metrics of all claims."""
    row = {}
    for metric, name in METRICS.items():
        mean, low, high = report.scores[metric]
        row |= {
            name: round(mean, 5),
            f"{name}_interval": [round(low, 5), round(high, 5)],
        }
    return row


def report_file(bench: Bench, key: Key) -> Path:
    """Where the report of a run is kept."""
    bench.kept.mkdir(parents=True, exist_ok=True)
    return bench.kept / f"{key.slug}.report"


def compare_runs(bench: Bench, pairs: list[tuple[Key, Key]]) -> int:
    """Compare, by a paired bootstrap, the pairs whose reports are both here.

    Returns how many comparisons are new.
    """
    new = 0
    for a, b in pairs:
        files = report_file(bench, a), report_file(bench, b)
        if bench.record.comparison(a, b) or not all(file.exists() for file in files):
            continue
        result = compare(*map(joblib.load, files))
        values = {
            name: [round(number, 6) for number in result.differences[metric]]
            for metric, name in METRICS.items()
        }
        bench.record.compare(a, b, **values)
        new += 1
    return new


def _plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    return (
        value if isinstance(value, (bool, int, float, str, type(None))) else repr(value)
    )


def pair_distances(encoder: DeepHashEncoder, taken: Images) -> dict[str, Any]:
    """Shares of the pairs of a query and an item at each distance, by kind of pair."""
    sides = encoder.transform(taken.X_query), encoder.transform(taken.X_database)
    total, relevant = histograms(*sides, taken.y_query, taken.y_database)
    apart = (total - relevant).sum(0)[: encoder.n_bits + 1]
    alike = relevant.sum(0)[: encoder.n_bits + 1]
    return {
        "similar_at": [round(float(share), 6) for share in alike / alike.sum()],
        "dissimilar_at": [round(float(share), 6) for share in apart / apart.sum()],
    }
