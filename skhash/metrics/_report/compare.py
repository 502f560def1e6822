"""Is one set of codes better than another on the same queries?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skhash.metrics._report.report import RetrievalReport, html_table
from skhash.metrics.averages import bootstrap_means, interval
from skhash.metrics.options import check_confidence, check_rank
from skhash.metrics.relevance import equal_labels


class Difference(NamedTuple):
    """Mean over queries of B minus A, its interval, and a two-sided p-value."""

    mean: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, repr=False)
class Comparison:
    """Result of :func:`skhash.metrics.compare`.

    Attributes
    ----------
    differences : dict of str to Difference
        For each metric, B minus A.
    n_queries : int
        Queries that both were measured on.
    confidence : float
        Coverage of the intervals.

    Examples
    --------
    >>> from skhash.metrics import compare, evaluate
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> good = evaluate([[0], [255]], [[0], [1], [254], [255]], ["cat", "dog"], labels)
    >>> compare(good, good).differences["mAP"]
    Difference(mean=0.0, low=0.0, high=0.0, p_value=1.0)
    """

    differences: dict[str, Difference]
    n_queries: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and dicts, ready for JSON.

        Returns
        -------
        comparison : dict
        """
        return {
            "differences": {
                name: difference._asdict()
                for name, difference in self.differences.items()
            },
            "n_queries": self.n_queries,
            "confidence": self.confidence,
        }

    def __repr__(self) -> str:
        lines = [
            f"Difference B - A over {self.n_queries} queries, paired bootstrap",
            f"  {'':<22}{'mean':>8}   {f'{self.confidence:.0%} interval':^20}  p",
        ]
        for name, mean, span, p_value in self._rows():
            lines.append(f"  {name:<22}{mean:>8}   {span}  {p_value}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "metric", "mean", f"{self.confidence:.0%} interval", "p"
        table = html_table(self._rows(), head)
        return f"<p>Difference B - A over {self.n_queries} queries</p>{table}"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Metric, mean, interval and p-value as text."""
        return [
            (name, f"{mean:+.4f}", f"[{low:+.4f}, {high:+.4f}]", f"{p_value:.3g}")
            for name, (mean, low, high, p_value) in self.differences.items()
        ]


def compare(
    report_a: RetrievalReport,
    report_b: RetrievalReport,
    *,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    random_state: Any = 0,
) -> Comparison:
    """Compare two reports on the same queries by a paired bootstrap.

    Queries differ in difficulty far more than encoders do. Resampling the difference
    that each query sees takes their difficulty out.

    Parameters
    ----------
    report_a, report_b : RetrievalReport
        Results of :func:`evaluate` with the same queries and the same database, in the
        same order, with the same weights and the same options. Only the codes differ.
    n_resamples : int, default=10_000
        Bootstrap resamples; the smallest p-value is ``2 / (n_resamples + 1)``.
    confidence : float, default=0.95
        Coverage of the intervals.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.

    Returns
    -------
    comparison : Comparison
        The difference B - A of every metric; readable when printed.

    Raises
    ------
    ValueError
        If the reports were made with other options, or of other queries, weights or
        databases.

    References
    ----------
    B. Efron and R. Tibshirani, "An introduction to the bootstrap", Chapman & Hall,
    1993.

    Examples
    --------
    >>> from skhash.metrics import compare, evaluate
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> good = evaluate([[0], [255]], [[0], [1], [254], [255]], ["cat", "dog"], labels)
    >>> poor = evaluate([[0], [255]], [[0], [255], [0], [1]], ["cat", "dog"], labels)
    >>> compare(poor, good).differences["mAP"].mean > 0
    True
    """
    n_resamples = check_rank("n_resamples", n_resamples)
    confidence = check_confidence(confidence)
    _check_same_task(report_a, report_b)
    names = list(report_a.per_query)
    difference = np.stack(
        [report_b.per_query[name] - report_a.per_query[name] for name in names], axis=1
    )
    kept, weight = ~np.isnan(difference).any(axis=1), report_a.sample_weight
    if weight is not None:
        kept &= weight > 0
        weight = weight[kept]
    difference = difference[kept]
    if len(difference) == 0:
        raise ValueError("No query has a relevant item: there is nothing to compare.")
    means = bootstrap_means(difference, n_resamples, random_state, weight)
    low, high = interval(means, confidence)
    tails = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    p_values = np.minimum(1.0, 2 * (tails + 1) / (n_resamples + 1))
    mean = np.average(difference, axis=0, weights=weight)
    columns = zip(names, mean, low, high, p_values, strict=True)
    return Comparison(
        {name: Difference(*map(float, numbers)) for name, *numbers in columns},
        len(difference),
        confidence,
    )


def _check_same_task(a: RetrievalReport, b: RetrievalReport) -> None:
    """Raise unless the reports differ in codes only."""
    if a.settings != b.settings:
        raise ValueError(
            "The reports were made with different options and cannot be compared: "
            f"{a.settings} and {b.settings}."
        )
    for items, labels_a, labels_b in (
        ("queries", a.query_labels, b.query_labels),
        ("database items", a.database_labels, b.database_labels),
    ):
        sizes = a.checks[items], b.checks[items]
        if sizes[0] != sizes[1]:
            how = f"{sizes[0]} and {sizes[1]}"
        elif not equal_labels(labels_a, labels_b):
            how = "their labels differ"
        else:
            continue
        raise ValueError(
            f"The reports are of different {items} ({how}); a paired comparison needs "
            "the same items in the same order, encoded in two ways."
        )
    if not equal_labels(a.sample_weight, b.sample_weight):
        raise ValueError(
            "The reports weigh the queries differently; make both with the same "
            "sample_weight, or both without."
        )
