"""A report as a page for browsers that loads nothing."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable
from datetime import datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from skhash.charts import Axes, Drawings, Line, whisker
from skhash.metrics._report.style import CSS

if TYPE_CHECKING:
    from skhash.metrics._report.report import RetrievalReport, Score

# What the numbers of code health should be.
_HEALTH = {
    "dead_bits": ("dead bits", "share of bits that never change; best 0"),
    "mean_balance": ("imbalance", "0: half of the items have each bit; best 0"),
    "bit_entropy": ("entropy of a bit", "in bits; best 1"),
    "mean_correlation": ("mean correlation", "of two bits, absolute; best 0"),
    "max_correlation": ("largest correlation", "1: a bit repeats another"),
    "n_distinct": ("distinct codes", "of all in the database"),
}


def page_of(report: RetrievalReport, title: str) -> str:
    """The whole page."""
    body = [
        _header(report, title),
        _section("Scores", _scores(report)),
        _section("Curves", f'<div class="charts">{_charts(report)}</div>'),
        '<div class="columns">',
        _section("Checks", _numbers(_checks(report))),
        _section("Code health", _numbers(_health(report.code_health))),
        "</div>",
        _section("Conventions", _conventions(report.conventions)),
        _footer(),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>\n"


def _header(report: RetrievalReport, title: str) -> str:
    checks = report.checks
    n_queries, n_items = int(checks["queries"]), int(checks["database items"])
    n_bytes = int(checks["bytes per code"])
    queries = "1 query" if n_queries == 1 else f"{_grouped(n_queries)} queries"
    size = "1 byte" if n_bytes == 1 else f"{n_bytes} bytes"
    about = f"{queries} against {_grouped(n_items)} items, codes of {size}"
    k = report.settings["k"]
    cards = "".join(
        f'<div class="card"><span>{escape(name)}</span>'
        f"<b>{_share(report.scores[name].mean, 3)}</b>"
        f"<span>{_interval(report.scores[name], 3)}</span></div>"
        for name in ("mAP", f"precision@{k}", f"recall@{k}", "MRR")
        if name in report.scores
    )
    return (
        f"<header><h1>{escape(title)}</h1><p>{escape(about)}</p></header>"
        f'<div class="heads">{cards}</div>\n'
    )


def _scores(report: RetrievalReport) -> str:
    """A row for each metric: mean, interval, and both as a picture."""
    rows = [
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td class="number">{_share(score.mean)}</td>'
        f'<td class="number"><small>{_interval(score)}</small></td>'
        f'<td class="picture">{whisker(score.low, score.mean, score.high)}</td></tr>'
        for name, score in report.scores.items()
    ]
    worst, best = report.tie_bounds
    rows.append(
        '<tr><th scope="row">mAP, ties at worst / best</th>'
        f'<td class="number" colspan="2">{_share(worst)} / {_share(best)}</td>'
        '<td class="picture"></td></tr>'
    )
    head = (
        '<thead><tr><th scope="col">metric</th><th scope="col" class="number">mean</th>'
        '<th scope="col" class="number">interval</th>'
        '<th scope="col" class="picture">from 0 to 1</th></tr></thead>'
    )
    return (
        f'<div class="table"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'
    )


def _charts(report: RetrievalReport) -> str:
    """Precision and recall over ranks and radii, and the spread over queries."""
    draw, parts = Drawings(), []
    if by_rank := report.curves.get("by rank"):
        precision, recall, ranks = by_rank
        end = f"from {_share(precision[0], 3)} at rank 1 to {_share(precision[-1], 3)}"
        parts.append(
            draw.lines(
                "Precision over recall",
                Axes("recall", "precision", 0, 1),
                [Line("precision", "first", recall, precision)],
                f"Mean precision among first ranks, {end} at all {ranks[-1]}.",
            )
        )
        parts.append(
            draw.lines(
                "Precision and recall by rank",
                Axes("first ranks", "share", 1, max(2, ranks[-1]), log=True),
                [
                    Line("precision", "first", ranks, precision),
                    Line("recall", "second", ranks, recall),
                ],
                f"Precision goes {end} as recall rises to {_share(recall[-1], 3)}.",
            )
        )
    if by_radius := report.curves.get("by radius"):
        precision, recall, radii = by_radius
        at = min(report.settings["radius"], len(radii) - 1)
        parts.append(
            draw.lines(
                "Precision and recall by radius",
                Axes("radius in bits", "share", 0, radii[-1]),
                [
                    Line("precision", "first", radii, precision),
                    Line("recall", "second", radii, recall),
                ],
                f"Within {radii[at]} bits precision is {_share(precision[at], 3)} and "
                f"recall {_share(recall[at], 3)}.",
            )
        )
    values = report.per_query["mAP"]
    values = values[~np.isnan(values)]
    if len(values):
        low, middle = np.quantile(values, [0.1, 0.5])
        parts.append(
            draw.histogram(
                "Average precision of the queries",
                values,
                "average precision",
                f"Half of the queries are above {middle:.3f}, a tenth below {low:.3f}.",
            )
        )
    return "".join(parts)


def _checks(report: RetrievalReport) -> list[tuple[str, str, str]]:
    return [(name, "", _number(value)) for name, value in report.checks.items()]


def _health(health: dict[str, float]) -> list[tuple[str, str, str]]:
    return [
        (*_HEALTH.get(name, (name, "")), _number(value))
        for name, value in health.items()
    ]


def _numbers(rows: Iterable[tuple[str, str, str]]) -> str:
    """Rows of a name, what it means, and a number."""
    lines = [
        f'<tr><th scope="row">{escape(name)}'
        + (f"<br><small>{escape(about)}</small>" if about else "")
        + f'</th><td class="number">{escape(number)}</td></tr>'
        for name, about, number in rows
    ]
    table = f'<table class="plain"><tbody>{"".join(lines)}</tbody></table>'
    return f'<div class="table">{table}</div>'


def _conventions(conventions: dict[str, str]) -> str:
    lines = [
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in conventions.items()
    ]
    return f'<div class="table"><dl>{"".join(lines)}</dl></div>'


def _footer() -> str:
    when = datetime.now().astimezone()
    told = ["skhash", "numpy", "scipy", "scikit-learn"]
    versions = [f"{name} {_version(name)}" for name in told]
    versions.append(f"Python {platform.python_version()}")
    return (
        f'<footer>Made on <time datetime="{when.isoformat(timespec="seconds")}">'
        f"{when:%Y-%m-%d %H:%M}</time> by {escape(', '.join(versions))}.</footer>"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from its sources
        return ""


def _share(value: float, digits: int = 4) -> str:
    """A number from 0 to 1; a dash for NaN."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "\u2013"


def _interval(score: Score, digits: int = 4) -> str:
    return f"{_share(score.low, digits)} \u2013 {_share(score.high, digits)}"


def _number(value: Any) -> str:
    return _grouped(value) if isinstance(value, int) else _share(value)


def _grouped(value: int) -> str:
    """A count, its thousands apart."""
    return f"{value:,}".replace(",", "\u202f")
