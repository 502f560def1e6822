"""Small pictures as SVG text, in the colours that the page's style gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import count
from typing import NamedTuple

import numpy as np

# Width and height of a chart, and of what lies at the left, top, right and bottom of
# its plot, in its own units.
WIDTH, HEIGHT = 400, 250
_LEFT, _TOP, _RIGHT, _BOTTOM = 50, 12, 14, 42


class Line(NamedTuple):
    """A line of a chart: its name, its class in the style, x and y."""

    name: str
    style: str
    x: np.ndarray
    y: np.ndarray


class Axes(NamedTuple):
    """The horizontal axis of a chart, and the names of both; y is from 0 to 1."""

    x_name: str
    y_name: str
    low: float
    high: float
    log: bool = False

    def x(self, value: float) -> float:
        """Where a value stands, in units of the chart."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        share = (value - low) / (high - low) if high > low else 0.5
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    @staticmethod
    def y(value: float) -> float:
        """Where a share stands, in units of the chart."""
        return _TOP + (1 - value) * (HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values on the horizontal axis, and how they are written."""
        if self.log:
            last = math.floor(math.log10(self.high))
            values = [10.0**e for e in range(math.ceil(math.log10(self.low)), last + 1)]
        else:
            step = _round_step(self.high - self.low)
            first = math.ceil(self.low / step)
            values = [
                step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)
            ]
        return [(value, _short(value)) for value in values]


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, of which four to eight make up the span."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    return next(power * i for i in (1, 2, 5, 10) if span / (power * i) <= 8)


def _short(value: float) -> str:
    """A value on an axis: 0.2, 50, 10k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.6g}"


class Drawings:
    """Makes the charts of one page, with ids of their own."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def lines(self, title: str, axes: Axes, lines: Sequence[Line], about: str) -> str:
        """A chart of lines; `about` says in words what it shows."""
        parts = [_path(line, axes.x, axes.y) for line in lines]
        return self._chart(title, axes, parts, about, lines if len(lines) > 1 else ())

    def histogram(self, title: str, values: np.ndarray, names: str, about: str) -> str:
        """A chart of the shares of values from 0 to 1, in 20 parts."""
        counts, edges = np.histogram(np.clip(values, 0, 1), 20, (0, 1))
        share = counts / max(1, counts.sum())
        top = _round_up(share.max() if len(share) else 1.0)
        axes = Axes(names, "share of the queries", 0, 1)
        bars = [
            f'<rect class="bar" x="{axes.x(left) + 0.75:.1f}" '
            f'y="{axes.y(height / top):.1f}" '
            f'width="{axes.x(right) - axes.x(left) - 1.5:.1f}" '
            f'height="{axes.y(0) - axes.y(height / top):.1f}">'
            f"<title>{left:.2f} to {right:.2f}: {count} queries</title></rect>"
            for left, right, height, count in zip(
                edges[:-1], edges[1:], share, counts, strict=True
            )
            if count
        ]
        return self._chart(title, axes, bars, about, (), top)

    def _chart(
        self,
        title: str,
        axes: Axes,
        parts: list[str],
        about: str,
        legend: Sequence[Line],
        top: float = 1.0,
    ) -> str:
        name = f"chart-{next(self._numbers)}"
        keys = " ".join(
            f'<span class="key"><i class="{line.style}"></i>{escape(line.name)}</span>'
            for line in legend
        )
        return (
            f"<figure><figcaption>{escape(title)}<div>{keys}</div></figcaption>"
            f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'aria-labelledby="{name}-title {name}-about">'
            f'<title id="{name}-title">{escape(title)}</title>'
            f'<desc id="{name}-about">{escape(about)}</desc>'
            f"{_frame(axes, top)}{''.join(parts)}</svg></figure>"
        )


def _round_up(value: float) -> float:
    """The next round share, so that a chart has some air above its bars."""
    return next(top for top in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if value <= top)


def _frame(axes: Axes, top: float) -> str:
    """Lines and numbers of both axes, and their names."""
    left, right, bottom = axes.x(axes.low), axes.x(axes.high), axes.y(0)
    parts = []
    for fifth in range(6):
        y = axes.y(fifth / 5)
        style = "grid" if fifth else "axis"
        parts.append(f'<path class="{style}" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
        text = f"{top * fifth / 5:.2f}".rstrip("0").rstrip(".")
        parts.append(_label(left - 7, y + 4, text, "end"))
    for value, text in axes.ticks():
        x = axes.x(value)
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom:.1f}v4"/>')
        parts.append(_label(x, bottom + 18, text))
    middle = (_TOP + bottom) / 2
    parts.append(_label((left + right) / 2, HEIGHT - 7, axes.x_name))
    parts.append(
        f'<text transform="translate(11 {middle:.1f}) rotate(-90)" '
        f'text-anchor="middle">{escape(axes.y_name)}</text>'
    )
    return "".join(parts)


def _label(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _path(line: Line, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """A line through all points that have a value, and dots where these are few."""
    points = [
        (x(float(a)), y(float(b)))
        for a, b in zip(line.x, line.y, strict=True)
        if math.isfinite(a) and math.isfinite(b)
    ]
    if not points:
        return ""
    steps = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    dots = "".join(
        f'<circle class="{line.style}" cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>'
        for a, b in (points if len(points) <= 40 else ())
    )
    return f'<path class="line {line.style}" d="M{steps}"/>{dots}'


def whisker(low: float, mean: float, high: float) -> str:
    """An interval and its mean between 0 and 1; decoration of numbers beside it."""
    if not all(map(math.isfinite, (low, mean, high))):
        return ""
    return (
        '<svg class="whisker" viewBox="-3 0 206 12" aria-hidden="true">'
        '<path class="grid" d="M0 6H200M0 3V9M100 4V8M200 3V9"/>'
        f'<path class="span" d="M{200 * low:.1f} 6H{200 * high:.1f}"/>'
        f'<path class="mean" d="M{200 * mean:.1f} 1V11"/></svg>'
    )
