"""How findings are read off rows: means, differences, tables, pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from _claim import Part, Table
from _record import Key, Record

# Stands for what was not run yet.
NOT_RUN = "\N{EN DASH}"
SIX = ("dcwh", "dhn", "dual_hinge", "exponentiated", "hashnet", "von_mises_fisher")
PAIRWISE = ("dhn", "dual_hinge", "exponentiated", "hashnet")
LABELS = {
    "within_2": "precision within 2",
    "ndcg": "nDCG@1000",
    "seconds": "seconds of a training",
    "cpu_seconds": "seconds of the processor",
}
# What runs share that differ in their seeds.
SAME = ("set", "loss", "variant", "n_bits")
# Told apart in grey, too, by their markers.
MARKERS = "osD^vPX*<>"


def values(record: Record, key: Key, name: str = "mAP") -> list[Any]:
    """A value of a run, of each seed that was run."""
    wanted = {k: v for k, v in key._asdict().items() if k in SAME}
    return [row[name] for row in record.select(**wanted) if row.get(name) is not None]


def mean_of(record: Record, key: Key, name: str = "mAP") -> float | None:
    """Its mean over seeds, None if it was not run."""
    found = values(record, key, name)
    return mean(found) if found else None


def cell(record: Record, key: Key, name: str = "mAP", digits: int = 3) -> str:
    """Mean over seeds, with the seeds' spread, or the interval over queries of one."""
    found = values(record, key, name)
    if not found:
        return NOT_RUN
    text = f"{mean(found):.{digits}f}"
    if len(found) > 1:
        ends = (min(found), max(found))
        seeds = f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}, {len(found)} seeds"
        return f"{text} ({seeds})"
    ends = values(record, key, f"{name}_interval")
    return (
        f"{text} [{ends[0][0]:.{digits}f}, {ends[0][1]:.{digits}f}]" if ends else text
    )


def best_of(record: Record, keys: Sequence[Key], name: str = "mAP") -> Key | None:
    """The run with the highest mean, None if any was not made."""
    found = {key: mean_of(record, key, name) for key in keys}
    return None if None in found.values() else max(found, key=lambda k: found[k])


def grid_table(
    title: str,
    record: Record,
    lines: Sequence[tuple[str, Key]],
    bits: Sequence[int],
    name: str = "mAP",
    digits: int = 3,
) -> Table:
    """Lines of keys, columns of bits."""
    head = [LABELS.get(name, name), *(f"{n_bits} bits" for n_bits in bits)]
    rows = [
        [label, *(cell(record, k._replace(n_bits=n), name, digits) for n in bits)]
        for label, k in lines
    ]
    return Table(title, [head, *rows])


class Difference:
    """Run b minus run a: mean over seeds, interval, and a verdict.

    The interval is that of the paired bootstrap over queries of each seed. Where it was
    not made, since what it needs is not kept for ever, that of two independent means
    stands for it, which is the wider one as long as queries are hard or easy for both.
    Of several seeds, it is the widest reach of them.
    """

    def __init__(self, record: Record, a: Key, b: Key, name: str = "mAP") -> None:
        paired = _paired(record, a, b, name)
        for seed, (middle, low, high) in _paired(record, b, a, name).items():
            paired.setdefault(seed, [-middle, -high, -low])
        unpaired = _unpaired(record, a, b, name)
        made = [(unpaired | paired)[seed] for seed in sorted(unpaired | paired)]
        self.n_seeds, self.paired = len(made), unpaired.keys() <= paired.keys()
        if made:
            self.mean = mean(each[0] for each in made)
            self.low, self.high = min(e[1] for e in made), max(e[2] for e in made)

    def __bool__(self) -> bool:
        return self.n_seeds > 0

    @property
    def above(self) -> bool | None:
        """Whether b is better beyond doubt: its interval lies above 0."""
        return self.low > 0 if self else None

    @property
    def below(self) -> bool | None:
        """Whether b is less beyond doubt: its interval lies below 0."""
        return self.high < 0 if self else None

    @property
    def not_below(self) -> bool | None:
        """Whether b may be as good: its interval does not lie below 0."""
        return self.high >= 0 if self else None

    def __str__(self) -> str:
        if not self:
            return NOT_RUN
        notes = f", {self.n_seeds} seeds" if self.n_seeds > 1 else ""
        notes += "" if self.paired else ", not paired"
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}{notes}]"


def _paired(record: Record, a: Key, b: Key, name: str) -> dict[int, list[float]]:
    """Of each seed, the difference and its interval, if they were compared."""
    return {
        made["a"][-1]: made[name][:3]
        for made in record.comparisons
        if _apart_from_seed(made["a"]) == _apart_from_seed(a[1:])
        and _apart_from_seed(made["b"]) == _apart_from_seed(b[1:])
        and name in made
    }


def _unpaired(record: Record, a: Key, b: Key, name: str) -> dict[int, list[float]]:
    """Of each seed of both, the difference and its interval, were they independent.

    Reference: G. Zou and A. Donner, "Construction of confidence limits about effect
    measures", Statistics in Medicine 27, 2008.
    """
    sides = []
    for key in (a, b):
        rows = record.select(**{k: v for k, v in key._asdict().items() if k in SAME})
        ends = {r["seed"]: (r.get(name), r.get(f"{name}_interval")) for r in rows}
        sides.append({s: (v, *e) for s, (v, e) in ends.items() if v is not None and e})
    made = {}
    for seed in sides[0].keys() & sides[1].keys():
        (x, low_x, high_x), (y, low_y, high_y) = sides[0][seed], sides[1][seed]
        low = y - x - math.hypot(y - low_y, high_x - x)
        made[seed] = [y - x, low, y - x + math.hypot(high_y - y, x - low_x)]
    return made


def _apart_from_seed(identity: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(identity[:-1])


def better(statement: str, record: Record, a: Key, b: Key, name: str = "mAP") -> Part:
    """A part that holds if b beats a beyond doubt."""
    found = Difference(record, a, b, name)
    return Part(statement, found.above, f"{name} {found}" if found else "")


def against(
    record: Record, ours: Key, others: Sequence[Key], name: str = "mAP"
) -> dict[str, Difference]:
    """Ours minus each of the others, by their losses."""
    return {other.loss: Difference(record, other, ours, name) for other in others}


def better_than_all(statement: str, found: dict[str, Difference]) -> Part:
    """A part that holds if ours beats every other beyond doubt."""
    verdicts = [each.above for each in found.values() if each]
    if not verdicts:
        return Part(statement, None)
    holds = True if len(verdicts) == len(found) else None
    figures = f"ahead of {sum(verdicts)} of {len(verdicts)}; {against_best(found)}"
    return Part(statement, holds if all(verdicts) else False, figures)


def against_best(found: dict[str, Difference]) -> str:
    """Ours minus the best of the others that were run."""
    ran = {name: each for name, each in found.items() if each}
    if not ran:
        return ""
    best = min(ran, key=lambda name: ran[name].mean)
    return f"against the best, ``{best}``, {ran[best]}"


def clause(text: str, figure: object) -> str:
    """Words and a figure, or nothing if it was not run."""
    return f"{text} {figure}" if figure else ""


def in_words(losses: Sequence[str]) -> str:
    """Names with commas."""
    return ", ".join(f"``{name}``" for name in losses)


def save(figure: Any, path: Path) -> None:
    """Write a picture without a date in it, so that equal numbers give equal files."""
    for ax in figure.axes:
        if not ax.lines:
            ax.set(xticks=[], yticks=[])
            ax.text(0.5, 0.5, "not run yet", transform=ax.transAxes, ha="center")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def new_figure(n: int = 1, width: float = 4.6, height: float = 3.4) -> Any:
    """A figure without a window, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * n, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, n, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend(ax: Any) -> None:
    """A legend beside the picture, where it hides nothing."""
    ax.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def draw_lines(
    ax: Any,
    record: Record,
    lines: Sequence[tuple[str, Key]],
    bits: Sequence[int],
    name: str = "mAP",
) -> None:
    """A value over the number of bits, one line a key; what was not run is left out."""
    for marker, (label, k) in zip(MARKERS, lines, strict=False):
        points = [(n, mean_of(record, k._replace(n_bits=n), name)) for n in bits]
        points = [(n, value) for n, value in points if value is not None]
        if points:
            ax.plot(*zip(*points, strict=True), marker=marker, label=label)
    ax.set(xlabel="bits", ylabel=name, xticks=list(bits))
    if ax.lines:
        legend(ax)
