"""Draw recall over bytes of every method, from what the other scripts have measured.

Reads ``label-free.json`` and ``embedding-search.json`` in ``docs/results``, and writes
``embedding-recall.png`` beside them: recall of the ten nearest texts by codes alone,
and after vectors were read, over the bytes that are scanned or walked through::

    python tests/benchmarks/embedding_picture.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "results"
DATA = "Debian texts"
ALONE = "codes alone"
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKS = "os^Dv<>pPXh*"
Points = dict[str, list[tuple[float, float]]]


def rows_of(name: str) -> list[dict[str, Any]]:
    """The rows of a file of results."""
    return json.loads((FOLDER / name).read_text())["rows"]


def points() -> tuple[Points, Points]:
    """Bytes and recall of each method: by codes alone, and after vectors were read."""
    alone: Points = defaultdict(list)
    reread: Points = defaultdict(list)
    for row in rows_of("label-free.json"):
        name = f"{row['method']}, Hamming"
        alone[name].append((row["bits"] / 8, row["recall"]))
        reread[name].append((row["bits"] / 8, row["recall_10x"]))
    best: dict[tuple[str, float], float] = {}
    for row in rows_of("embedding-search.json"):
        if row["data"] != DATA:
            continue
        if row["option"].endswith(ALONE):
            chosen, key = alone, (f"{row['method']}/alone", row["code_bytes"])
        else:
            chosen, key = reread, (row["method"], row["code_bytes"])
        # Of several options of one size, the best.
        if row["recall"] > best.get(key, -1):
            best[key] = row["recall"]
            others = [p for p in chosen[row["method"]] if p[0] != key[1]]
            chosen[row["method"]] = [*others, (row["code_bytes"], row["recall"])]
    return alone, reread


def draw(path: Path) -> None:
    """Two panels with one legend."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    panels = points()
    names = sorted({name for panel in panels for name in panel}, key=str.lower)
    figure, axes = plt.subplots(
        1, 2, figsize=(10.5, 4.2), sharey=True, layout="constrained"
    )
    titles = "codes alone", "after vectors were read"
    for ax, panel, title in zip(axes, panels, titles, strict=True):
        for name, found in sorted(panel.items()):
            place = names.index(name)
            x, y = zip(*sorted(found), strict=True)
            style = {"color": COLORS[place % 7], "marker": MARKS[place % len(MARKS)]}
            line = "--" if name.endswith("Hamming") else "-"
            wide = 2.4 if name.startswith(("skhash", "neighbor_d")) else 1.2
            ax.plot(x, y, line, label=name, linewidth=wide, **style)
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.set(title=title, xlabel="bytes an item that are searched", ylim=(0, 1.02))
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("recall@10")
    keys: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        keys.update(zip(labels, handles, strict=True))
    shown = [keys[name] for name in names]
    figure.legend(shown, names, loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    draw(FOLDER / "embedding-recall.png")
