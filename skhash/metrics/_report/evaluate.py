"""All metrics of one retrieval task in one pass."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming.search import check_radius
from skhash.metrics._average_precision import average_precision_rows
from skhash.metrics._codes.duplicates import check_items, count_leaks
from skhash.metrics._codes.health import code_health
from skhash.metrics._dcg_rows import ideal_of_counts, ndcg_rows
from skhash.metrics._ndcg import ndcg
from skhash.metrics._radius_rows import (
    ball_counts,
    precision_within_rows,
    recall_within_rows,
)
from skhash.metrics._rank_rows import (
    first_hit_rows,
    hits_at_rows,
    r_precision_rows,
    recall_rows,
)
from skhash.metrics._relevance import as_given
from skhash.metrics._report.bootstrap import bootstrap_means, interval
from skhash.metrics._report.conventions import conventions_in_words
from skhash.metrics._report.report import RetrievalReport, Score
from skhash.metrics.averages import nothing_relevant
from skhash.metrics.options import (
    NORMALIZERS,
    check_confidence,
    check_option,
    check_rank,
)
from skhash.metrics.task import Retrieval

Rows = dict[str, np.ndarray]


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
    relevance: Any = None,
    exclude_self: bool = False,
    X_queries: Any = None,
    X_database: Any = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> RetrievalReport:
    """Measure retrieval with every metric, and say what the numbers mean.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    k : int, default=100
        Ranks of the metrics at k.
    radius : int, default=2
        Radius, in bits, of the metrics within a radius.
    normalizer : {"min_k_r", "hits", "relevant"}, default="min_k_r"
        Divisor of mAP at k, as in :func:`average_precision`.
    n_bits : int, default=None
        Number of bits of packed codes, for code health (see :func:`code_health`).
    relevance, exclude_self, n_jobs
        As in :func:`average_precision`.
    X_queries, X_database : array-like of shape (n, ...), default=None
        The items that were encoded. If given, queries that have an equal item in the
        database are counted (see :func:`find_duplicates`); with `exclude_self`, an
        equal other item.
    n_resamples : int, default=1000
        Bootstrap resamples of the queries behind the confidence intervals.
    confidence : float, default=0.95
        Coverage of the intervals.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.

    Returns
    -------
    report : RetrievalReport
        Readable when printed, and in notebooks.

    Raises
    ------
    ValueError
        If codes or labels do not fit together, or an option is unknown.

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
    >>> import numpy as np
    >>> from skhash.metrics import evaluate
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 4, 60)
    >>> codes = np.uint8([[0], [15], [51], [255]])[labels]
    >>> report = evaluate(codes[:20], codes[20:], labels[:20], labels[20:], k=5)
    >>> report.scores["precision@5"]
    Score(mean=1.0, low=1.0, high=1.0)
    >>> report.checks["queries without relevant items"]
    0
    """
    k = check_rank("k", k)
    check_option("normalizer", normalizer, NORMALIZERS)
    radius = check_radius(radius)
    confidence = check_confidence(confidence)
    n_resamples = check_rank("n_resamples", n_resamples)
    given = (queries, database, query_labels, database_labels)
    retrieval = Retrieval.of(*given, relevance, exclude_self, n_jobs)
    graded = relevance is not None or retrieval.query_labels.ndim == 2
    check_items("X_queries", X_queries, len(retrieval.queries))
    check_items("X_database", X_database, len(retrieval.database))
    rows = _joined(
        _rows_of_piece(n_total, n_relevant, k, radius, normalizer)
        for _, n_total, n_relevant in retrieval.pieces()
    )
    if graded:
        rows[f"nDCG@{k}"] = np.asarray(
            ndcg(
                *given,
                k=k,
                relevance=relevance,
                exclude_self=exclude_self,
                zero_relevant=0,
                average=None,
                n_jobs=n_jobs,
            )
        )
    facts = {name: rows.pop(name) for name in list(rows) if name.startswith("_")}
    lonely = facts["_lonely"]
    kept = ~lonely
    for values in rows.values():
        values[lonely] = np.nan
    table = np.stack(list(rows.values()), axis=1)[kept]
    low, high = interval(bootstrap_means(table, n_resamples, random_state), confidence)
    means = table.mean(axis=0) if len(table) else np.full(table.shape[1], np.nan)
    scores = zip(means.tolist(), low.tolist(), high.tolist(), strict=True)
    return RetrievalReport(
        scores=dict(zip(rows, (Score(*score) for score in scores), strict=True)),
        tie_bounds=(_mean(facts["_worst"][kept]), _mean(facts["_best"][kept])),
        conventions=conventions_in_words(
            k, radius, normalizer, exclude_self, graded, relevance, confidence
        ),
        checks=_checks(retrieval, facts, lonely, k, radius, (X_queries, X_database)),
        code_health=code_health(database, n_bits),
        per_query=rows,
        settings={
            "k": k,
            "radius": radius,
            "normalizer": normalizer,
            "exclude_self": bool(exclude_self),
            "relevance": None if relevance is None else retrieval.fingerprint(),
        },
        query_labels=as_given(
            query_labels, relevance, "query_labels", len(retrieval.queries)
        ),
        database_labels=as_given(
            database_labels, relevance, "database_labels", len(retrieval.database)
        ),
    )


def _rows_of_piece(
    n_total: np.ndarray, n_relevant: np.ndarray, k: int, radius: int, normalizer: str
) -> Rows:
    """Every metric and fact of a run of queries; facts start with an underscore."""
    both = (n_total, n_relevant)
    own = n_relevant.sum(axis=1)
    gains = n_relevant.astype(np.float64)
    ideal = ideal_of_counts(own[:, None], np.ones(1), k)
    after = np.cumsum(n_total, axis=1)
    cut = (after - n_total < k) & (k < after)
    return {
        "mAP": average_precision_rows(*both, None, "expected", normalizer),
        f"mAP@{k}": average_precision_rows(*both, k, "expected", normalizer),
        "mAP@R": average_precision_rows(*both, own, "expected", "relevant"),
        f"precision@{k}": hits_at_rows(*both, k, "expected") / k,
        f"recall@{k}": recall_rows(*both, k, "expected"),
        f"hit rate@{k}": first_hit_rows(*both, k, "expected", reciprocal=False),
        "MRR": first_hit_rows(*both, None, "expected", reciprocal=True),
        "R-precision": r_precision_rows(*both, "expected"),
        f"nDCG@{k}": ndcg_rows(n_total, gains, ideal, k),
        f"precision within {radius}": precision_within_rows(*both, radius, 0),
        f"recall within {radius}": recall_within_rows(*both, radius),
        "_worst": average_precision_rows(*both, None, "pessimistic", normalizer),
        "_best": average_precision_rows(*both, None, "optimistic", normalizer),
        "_empty": ball_counts(*both, radius)[0] == 0,
        "_cut": cut.any(axis=1),
        "_tied": (n_total * cut).sum(axis=1),
        "_found": n_total[:, 0] > 0,
        "_lonely": nothing_relevant(n_relevant),
    }


def _joined(pieces: Iterable[Rows]) -> Rows:
    parts = list(pieces)
    if not parts:
        raise ValueError("Found array with 0 sample(s): there are no queries.")
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _checks(
    retrieval: Retrieval,
    facts: Rows,
    lonely: np.ndarray,
    k: int,
    radius: int,
    items: tuple[Any, Any],
) -> dict[str, float]:
    tied = facts["_tied"][facts["_cut"]]
    checks: dict[str, float] = {
        "queries": len(retrieval.queries),
        "database items": len(retrieval.database),
        "bytes per code": retrieval.database.shape[1],
        "queries without relevant items": int(lonely.sum()),
        f"share of queries with nothing within {radius}": _mean(facts["_empty"]),
        f"share of queries with a tie across rank {k}": _mean(facts["_cut"]),
        f"mean size of the tie across rank {k}": _mean(tied),
        "share of queries with an equal code in the database": _mean(facts["_found"]),
    }
    if items[0] is not None and items[1] is not None:
        checks["queries that are in the database"] = count_leaks(
            *items, retrieval.exclude_self
        )
    return checks


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
