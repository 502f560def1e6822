"""All metrics of one retrieval task in one pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming.search import check_radius
from skhash.metrics import from_histograms
from skhash.metrics._codes.duplicates import check_items, count_leaks
from skhash.metrics._codes.health import code_health
from skhash.metrics._curves import CurveMean, RetrievalCurve
from skhash.metrics._ndcg import GradedPiece, graded_pieces
from skhash.metrics._report.report import RetrievalReport, Score, conventions_in_words
from skhash.metrics.averages import bootstrap_means, interval, nothing_relevant
from skhash.metrics.elsewhere import located
from skhash.metrics.options import (
    NORMALIZERS,
    check_confidence,
    check_option,
    check_rank,
)
from skhash.metrics.task import Retrieval
from skhash.progress import followed

# Most ranks of the curve by rank.
_RANKS = 25


def evaluate(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int = 100,
    radius: int = 2,
    normalizer: str = "min_k_r",
    n_bits: int | None = None,
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    X_queries: Any = None,
    X_database: Any = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> RetrievalReport:
    """Measure retrieval with every metric, and say what the numbers mean.

    All else is as in :func:`average_precision`.

    Parameters
    ----------
    k : int, default=100
        Ranks of the metrics at k.
    radius : int, default=2
        Radius, in bits, of the metrics within a radius.
    n_bits : int, default=None
        Number of bits of packed codes, for code health (see :func:`code_health`).
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the means and intervals; None means equal ones, and 0
        leaves a query out of both. Shares under `checks` count all queries alike.
    X_queries, X_database : array-like of shape (n, ...), default=None
        The items that were encoded. If given, queries that have an equal item in the
        database are counted (see :func:`find_duplicates`); with `exclude_self`, an
        equal other item.
    n_resamples : int, default=1000
        Bootstrap resamples of the queries behind the confidence intervals. Queries are
        drawn alike and averaged by their weights.
    confidence : float, default=0.95
        Coverage of the intervals.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.
    verbose : int, default=0
        1 shows how far a long evaluation is.

    Returns
    -------
    report : RetrievalReport
        Readable when printed, and in notebooks.

    See Also
    --------
    compare : Is one report better than another?

    References
    ----------
    F. McSherry and M. Najork, "Computing information retrieval performance measures
    efficiently in the presence of tied scores", ECIR 2008. Intervals: B. Efron and
    R. Tibshirani, "An introduction to the bootstrap", Chapman & Hall, 1993.

    Examples
    --------
    >>> from skhash.metrics import evaluate
    >>> codes, labels = [[0], [1], [254], [255]], ["cat", "cat", "dog", "dog"]
    >>> report = evaluate([[0], [255]], codes, ["cat", "dog"], labels, k=2)
    >>> report.scores["precision@2"]
    Score(mean=1.0, low=1.0, high=1.0)
    >>> report.checks["queries without relevant items"]
    0
    """
    k = check_rank("k", k)
    check_option("normalizer", normalizer, NORMALIZERS)
    radius = check_radius(radius)
    confidence = check_confidence(confidence)
    n_resamples = check_rank("n_resamples", n_resamples)
    database, database_labels = located(database, database_labels)
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    if len(task.queries) == 0:
        raise ValueError("Found array with 0 sample(s): there are no queries.")
    check_items("X_queries", X_queries, len(task.queries))
    check_items("X_database", X_database, len(task.database))
    per_query, facts, curves = _measure(task, k, radius, normalizer, verbose)
    kept, weight = ~facts.undefined, task.sample_weight
    if weight is not None:
        kept &= weight > 0
        weight = weight[kept]
    columns = {name: values[kept] for name, values in per_query.items()}
    relevant = None if relevance is None else _fingerprint(task)
    settings = {"k": k, "radius": radius, "normalizer": normalizer}
    settings |= {"exclude_self": task.exclude_self, "relevance": relevant}
    weighted = weight is not None
    return RetrievalReport(
        scores=_scores(columns, weight, n_resamples, random_state, confidence),
        tie_bounds=(
            _mean(facts.pessimistic[kept], weight),
            _mean(facts.optimistic[kept], weight),
        ),
        conventions=conventions_in_words(
            settings, task.is_graded, weighted, confidence
        ),
        checks=_checks(task, facts, k, radius, X_queries, X_database),
        code_health=code_health(database, n_bits),
        per_query=per_query,
        settings=settings,
        query_labels=task.copy_query_labels(),
        database_labels=task.copy_database_labels(),
        sample_weight=None if weight is None else np.array(task.sample_weight),
        curves=curves,
    )


def _metrics(
    k: int, radius: int, normalizer: str
) -> dict[str, Callable[[GradedPiece], np.ndarray]]:
    """Every metric of a report, as a function of a piece."""
    of = _of_histograms
    return {
        "mAP": of(from_histograms.average_precision, normalizer=normalizer),
        f"mAP@{k}": of(from_histograms.average_precision, k=k, normalizer=normalizer),
        "mAP@R": of(from_histograms.average_precision_at_r),
        f"precision@{k}": of(from_histograms.precision_at_k, k=k),
        f"recall@{k}": of(from_histograms.recall_at_k, k=k),
        f"hit rate@{k}": of(from_histograms.hit_rate_at_k, k=k),
        "MRR": of(from_histograms.reciprocal_rank),
        "R-precision": of(from_histograms.r_precision),
        # Grades may be so small that no item gains anything.
        f"nDCG@{k}": lambda piece: np.nan_to_num(piece.ndcg(k)),
        f"precision within {radius}": of(
            from_histograms.precision_at_radius, radius=radius
        ),
        f"recall within {radius}": of(from_histograms.recall_at_radius, radius=radius),
    }


def _of_histograms(
    metric: Callable[..., np.ndarray], **options: Any
) -> Callable[[GradedPiece], np.ndarray]:
    """A metric of histograms as a function of a piece; 0 where nothing is relevant."""
    return lambda piece: metric(
        piece.n_total, piece.n_relevant, zero_relevant=0, **options
    )


class _Facts(NamedTuple):
    """What should be known of each query before the numbers are believed."""

    undefined: np.ndarray  # nothing is relevant
    empty: np.ndarray  # nothing is within the radius
    equal: np.ndarray  # an item has the same code
    cut: np.ndarray  # a tie lies across rank k
    tied: np.ndarray  # items in that tie
    pessimistic: np.ndarray  # average precision with relevant items last in ties
    optimistic: np.ndarray  # and first

    @classmethod
    def of(cls, piece: GradedPiece, k: int, radius: int) -> _Facts:
        """Facts about a run of queries."""
        n_total = piece.n_total
        after = np.cumsum(n_total, axis=1)
        across = (after - n_total < k) & (k < after)
        pessimistic, optimistic = (
            _of_histograms(from_histograms.average_precision, ties=ties)(piece)
            for ties in ("pessimistic", "optimistic")
        )
        return cls(
            undefined=nothing_relevant(piece.n_relevant),
            empty=n_total[:, : radius + 1].sum(axis=1) == 0,
            equal=n_total[:, 0] > 0,
            cut=across.any(axis=1),
            tied=(n_total * across).sum(axis=1),
            pessimistic=pessimistic,
            optimistic=optimistic,
        )


def _measure(
    task: Retrieval, k: int, radius: int, normalizer: str, verbose: int
) -> tuple[dict[str, np.ndarray], _Facts, dict[str, RetrievalCurve]]:
    """Every metric of every query, NaN where nothing is relevant; facts; curves."""
    metrics, curves = _metrics(k, radius, normalizer), _curves(task)
    values: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    parts = []
    pieces = followed(
        graded_pieces(task, "exponential", k),
        "evaluating",
        len(task.queries),
        size=lambda piece: len(piece.n_total),
        verbose=verbose,
    )
    for piece in pieces:
        for name, metric in metrics.items():
            values[name].append(metric(piece))
        parts.append(_Facts.of(piece, k, radius))
        for curve in curves.values():
            curve.add(piece.rows, piece.n_total, piece.n_relevant)
    facts = _Facts(*map(np.concatenate, zip(*parts, strict=True)))
    per_query = {name: np.concatenate(runs) for name, runs in values.items()}
    for column in per_query.values():
        column[facts.undefined] = np.nan
    return per_query, facts, {name: mean.curve() for name, mean in curves.items()}


def _curves(task: Retrieval) -> dict[str, CurveMean]:
    """Precision and recall by radius, and by some ranks, to be averaged."""
    of = from_histograms
    grid = np.geomspace(1, max(1, task.n_candidates), _RANKS)
    ranks = np.unique(np.round(grid).astype(np.int64))
    by_rank = partial(of.precision_recall_by_rank, ranks=ranks)
    radii = np.arange(task.n_bins)
    return {
        "by radius": CurveMean(task, of.precision_recall_by_radius, radii),
        "by rank": CurveMean(task, by_rank, ranks),
    }


def _fingerprint(task: Retrieval) -> str:
    """The same for the same grades of all pairs, however they are given."""
    digest = sha256()
    for rows in task.small_runs():
        row, item, grade = task.pairs(rows)
        order = np.lexsort((item, row))
        for part in (row + rows.start, item):
            digest.update(part[order].astype(np.int64).tobytes())
        digest.update(grade[order].tobytes())
    return digest.hexdigest()[:16]


def _scores(
    columns: dict[str, np.ndarray],
    weight: np.ndarray | None,
    n_resamples: int,
    random_state: Any,
    confidence: float,
) -> dict[str, Score]:
    """Mean and interval of each column of values; NaN of no queries."""
    table = np.stack(list(columns.values()), axis=1)
    means = np.full(table.shape[1], np.nan)
    if len(table):
        means = np.average(table, axis=0, weights=weight)
    resampled = bootstrap_means(table, n_resamples, random_state, weight)
    numbers = (means, *interval(resampled, confidence))
    scores = map(Score, *(each.tolist() for each in numbers))
    return dict(zip(columns, scores, strict=True))


def _checks(
    task: Retrieval, facts: _Facts, k: int, radius: int, X_queries: Any, X_database: Any
) -> dict[str, float]:
    """Sizes, and shares of all queries, for a report."""
    checks: dict[str, float] = {
        "queries": len(task.queries),
        "database items": len(task.database),
        "bytes per code": task.database.shape[1],
        "queries without relevant items": int(facts.undefined.sum()),
        f"share of queries with nothing within {radius}": _mean(facts.empty),
        f"share of queries with a tie across rank {k}": _mean(facts.cut),
        f"mean size of the tie across rank {k}": _mean(facts.tied[facts.cut]),
        "share of queries with an equal code in the database": _mean(facts.equal),
    }
    if X_queries is not None and X_database is not None:
        leaks = count_leaks(X_queries, X_database, task.exclude_self)
        checks["queries that are in the database"] = leaks
    return checks


def _mean(values: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Weighted mean; NaN of nothing."""
    return float(np.average(values, weights=weight)) if len(values) else float("nan")
