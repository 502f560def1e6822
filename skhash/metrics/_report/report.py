"""What an evaluation found, and how it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

import numpy as np

from skhash.metrics._curves import RetrievalCurve


class Score(NamedTuple):
    """A mean over queries with its confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class RetrievalReport:
    """Result of :func:`skhash.metrics.evaluate`.

    Attributes
    ----------
    scores : dict of str to Score
        Mean over queries, lower and upper end of the confidence interval.
    tie_bounds : tuple of float
        mAP if ties were broken in the worst and in the best possible way.
    conventions : dict of str to str
        What the numbers mean, in words.
    checks : dict of str to float
        Sizes, and what should be known before the numbers are believed.
    code_health : dict of str to float
        Of the database codes; see :func:`skhash.metrics.code_health`.
    per_query : dict of str to ndarray of shape (n_queries,)
        Each metric's values; NaN for queries without any relevant item.
    settings : dict
        The options that two reports must share to be compared. For `relevance` it is
        None, or a fingerprint of the grades of all pairs.
    query_labels, database_labels : ndarray of shape (n,) or (n, n_classes), or None
        As given; label sets as bool rows. Of a database in shards a checksum, uint64
        of shape (2,).
    sample_weight : ndarray of shape (n_queries,), float64, or None
        Weights of the queries in the means; None means equal ones.
    curves : dict of str to RetrievalCurve
        Mean precision and recall: "by radius", within each number of bits, and "by
        rank", among first ranks, up to 25 of which from one to all.

    Examples
    --------
    >>> from skhash.metrics import evaluate
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> report = evaluate([[0]], [[0], [1], [254], [255]], ["cat"], labels)
    >>> report.scores["mAP"].mean
    1.0
    >>> sorted(report.to_dict())
    ['checks', 'code_health', 'conventions', 'scores', 'tie_bounds']
    """

    scores: dict[str, Score]
    tie_bounds: tuple[float, float]
    conventions: dict[str, str]
    checks: dict[str, float]
    code_health: dict[str, float]
    per_query: dict[str, np.ndarray] = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    query_labels: np.ndarray | None = field(repr=False)
    database_labels: np.ndarray | None = field(repr=False)
    sample_weight: np.ndarray | None = field(repr=False, default=None)
    curves: dict[str, RetrievalCurve] = field(repr=False, default_factory=dict)

    def to_dict(self, *, per_query: bool = False) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts, ready for JSON.

        JSON has no NaN: what has no value is None.

        Parameters
        ----------
        per_query : bool, default=False
            Whether each query's values are wanted too.

        Returns
        -------
        report : dict
        """
        plain: dict[str, Any] = {
            "scores": {name: score._asdict() for name, score in self.scores.items()},
            "tie_bounds": list(self.tie_bounds),
            "conventions": dict(self.conventions),
            "checks": dict(self.checks),
            "code_health": dict(self.code_health),
        }
        if per_query:
            plain["per_query"] = {
                name: values.tolist() for name, values in self.per_query.items()
            }
        return nan_to_none(plain)

    def to_html(self, *, title: str = "Retrieval report") -> str:
        """The report as a page for browsers, complete in itself.

        Scores with their intervals, curves, the spread over queries, checks, code
        health, conventions, versions and the date. It loads nothing, and suits screens
        of any width, light and dark.

        Parameters
        ----------
        title : str, default="Retrieval report"
            Its heading.

        Returns
        -------
        page : str
            HTML; write it in UTF-8.

        Examples
        --------
        >>> from skhash.metrics import evaluate
        >>> labels = ["cat", "cat", "dog", "dog"]
        >>> report = evaluate([[0]], [[0], [1], [254], [255]], ["cat"], labels)
        >>> page = report.to_html(title="Cats and dogs")
        >>> page[:15], "<h1>Cats and dogs</h1>" in page
        ('<!doctype html>', True)
        """
        # Here, since most reports are printed.
        from skhash.metrics._report.page import page_of

        return page_of(self, title)

    def __repr__(self) -> str:
        tables = self._tables()
        width = 2 + max(len(name) for _, rows in tables for name, _ in rows)
        lines = ["Retrieval report"]
        for title, rows in tables:
            lines += ["", title] if title else [""]
            lines += [f"  {name:<{width}}{text}" for name, text in rows]
        lines += ["", "Conventions"]
        lines += [f"  {name}: {text}" for name, text in self.conventions.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        (_, scores), *others = self._tables()
        others.append(("Conventions", list(self.conventions.items())))
        details = "".join(
            f"<details><summary>{escape(title)}</summary>{html_table(rows)}</details>"
            for title, rows in others
        )
        head = "metric", "mean and interval"
        return f'<div class="skhash-report">{html_table(scores, head)}{details}</div>'

    def _tables(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Titles, and rows of a name and a text, of all that is shown as numbers."""
        scores = [
            (name, f"{mean:.4f}  [{low:.4f}, {high:.4f}]")
            for name, (mean, low, high) in self.scores.items()
        ]
        worst, best = self.tie_bounds
        scores.append(("mAP, ties at worst / best", f"{worst:.4f} / {best:.4f}"))
        return [
            ("", scores),
            ("Checks", _rows_of_numbers(self.checks)),
            ("Code health (database)", _rows_of_numbers(self.code_health)),
        ]


def nan_to_none(value: Any) -> Any:
    """Plain data with None for NaN, all the way down."""
    if isinstance(value, dict):
        return {key: nan_to_none(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [nan_to_none(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def html_table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Rows of text as an HTML table; the first cell of each row names it."""
    lines = [
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in ([head, *rows] if head else rows)
    ]
    return f"<table>{''.join(lines)}</table>"


def _rows_of_numbers(numbers: dict[str, float]) -> list[tuple[str, str]]:
    """Names with counts as they are, and shares with four digits."""
    return [
        (name, f"{value:d}" if isinstance(value, int) else f"{value:.4f}")
        for name, value in numbers.items()
    ]


def conventions_in_words(
    settings: dict[str, Any], graded: bool, weighted: bool, confidence: float
) -> dict[str, str]:
    """One sentence for every choice that published numbers differ by."""
    k, radius = settings["k"], settings["radius"]
    divisor = {
        "min_k_r": f"min({k}, number of relevant items)",
        "hits": f"the number of relevant items among the first {k}",
        "relevant": "the number of relevant items in the database",
    }[settings["normalizer"]]
    if settings["relevance"] is not None:
        relevant = "as the given relevance says (above 0)"
    else:
        relevant = "an item that shares a class" if graded else "an item of equal label"
    return {
        "relevant": relevant,
        "ranking": "all items of the database by Hamming distance",
        "ties": "exact expectation over all orders of equally distant items",
        "mAP": "whole ranking, divided by the number of relevant items",
        f"mAP@{k}": f"divided by {divisor}",
        "nDCG": "gain 2^grade - 1, discount 1 / log2(1 + rank)",
        f"within {radius}": f"distance at most {radius} bits; precision of none is 0",
        "queries without relevant items": "left out of every mean",
        "self": (
            "query i does not find item i"
            if settings["exclude_self"]
            else "queries and database are taken to be different items"
        ),
        "mean": "over queries, by their weights" if weighted else "over queries",
        "interval": (
            f"{confidence:.0%} percentile bootstrap over queries; codes and database "
            "are taken as they are"
        ),
    }
