"""What an evaluation found, and how it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

import numpy as np


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
        As given; label sets as bool rows.
    sample_weight : ndarray of shape (n_queries,), float64, or None
        Weights of the queries in the means; None means equal ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import evaluate
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 4, 60)
    >>> codes = np.uint8([[0], [15], [51], [255]])[labels]
    >>> report = evaluate(codes[:20], codes[20:], labels[:20], labels[20:], k=5)
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

    def __repr__(self) -> str:
        bounds = "mAP, ties at worst / best"
        tables = [*self._tables(), ("", {bounds: 0.0})]
        width = 2 + max(len(name) for _, table in tables for name in table)
        lines = ["Retrieval report", ""]
        for name, score in self.scores.items():
            span = f"[{score.low:.4f}, {score.high:.4f}]"
            lines.append(f"  {name:<{width}}{score.mean:.4f}  {span}")
        low, high = self.tie_bounds
        lines.append(f"  {bounds:<{width}}{low:.4f} / {high:.4f}")
        for title, table in self._tables():
            lines += ["", title]
            lines += [
                f"  {name:<{width}}{_number(value)}" for name, value in table.items()
            ]
        lines += ["", "Conventions"]
        lines += [f"  {name}: {text}" for name, text in self.conventions.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{score.mean:.4f}</td>"
            f"<td>[{score.low:.4f}, {score.high:.4f}]</td></tr>"
            for name, score in self.scores.items()
        )
        low, high = self.tie_bounds
        rows += (
            "<tr><th>mAP, ties at worst and at best</th>"
            f"<td>{low:.4f}</td><td>{high:.4f}</td></tr>"
        )
        parts = [
            "<table><thead><tr><th>metric</th><td>mean</td><td>interval</td></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
        ]
        for title, table in self._tables():
            body = "".join(
                f"<tr><th>{escape(name)}</th><td>{_number(value)}</td></tr>"
                for name, value in table.items()
            )
            parts.append(_details(title, f"<table><tbody>{body}</tbody></table>"))
        words = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
            for name, text in self.conventions.items()
        )
        parts.append(_details("Conventions", f"<dl>{words}</dl>"))
        return f'<div class="skhash-report">{"".join(parts)}</div>'

    def _tables(self) -> list[tuple[str, dict[str, float]]]:
        return [("Checks", self.checks), ("Code health (database)", self.code_health)]


def nan_to_none(value: Any) -> Any:
    """Plain data with None for NaN, all the way down."""
    if isinstance(value, dict):
        return {key: nan_to_none(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [nan_to_none(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _details(title: str, body: str) -> str:
    """HTML that unfolds."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _number(value: float) -> str:
    """A count as it is, a share with four digits."""
    return f"{value:d}" if isinstance(value, int) else f"{value:.4f}"


def conventions_in_words(
    k: int,
    radius: int,
    normalizer: str,
    exclude_self: bool,
    graded: bool,
    relevance: Any,
    weighted: bool,
    confidence: float,
) -> dict[str, str]:
    """One sentence for every choice that published numbers differ by."""
    divisor = {
        "min_k_r": f"min({k}, number of relevant items)",
        "hits": f"the number of relevant items among the first {k}",
        "relevant": "the number of relevant items in the database",
    }[normalizer]
    if relevance is not None:
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
            if exclude_self
            else "queries and database are taken to be different items"
        ),
        "mean": "over queries, by their weights" if weighted else "over queries",
        "interval": (
            f"{confidence:.0%} percentile bootstrap over queries; codes and database "
            "are taken as they are"
        ),
    }
