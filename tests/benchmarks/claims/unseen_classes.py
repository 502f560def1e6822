"""Classes that were never trained on, beside those that were: all families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _claim import Claim, Finding, Part, Records, Table
from _findings import (
    PAIRWISE,
    SIX,
    Difference,
    best_of,
    cell,
    clause,
    in_words,
    legend,
    mean_of,
    new_figure,
    save,
)
from _intervals import with_interval
from _main import main
from _record import Key, Record
from _sets import SETS, Images
from _training import Bench, Run, trained

from skhash import DeepHashEncoder
from skhash.metrics import average_precision

N_BITS, N_UNSEEN, SEEDS = 24, 3, (0, 1, 2)
SETS_USED = ("fashion_mnist-10000", "cifar10-10000")
OF_CLASSES = tuple(loss for loss in SIX if loss not in PAIRWISE)


def key(where: str, loss: str, seed: int = 0) -> Key:
    """The run of a loss; the seed draws the classes, too."""
    return Key("unseen_classes", where, loss, "seen", N_BITS, seed)


def unseen_of(y: np.ndarray, seed: int) -> np.ndarray:
    """The classes that a seed leaves out."""
    classes = np.unique(y)
    return np.sort(np.random.default_rng(seed).choice(classes, N_UNSEEN, replace=False))


def seen_and_unseen(key: Key, bench: Bench) -> dict[str, Any]:
    """The work of a run: train without three classes, measure with and without them."""
    taken = bench.images(key.set)
    unseen = unseen_of(taken.y, key.seed)
    kept = ~np.isin(taken.y, unseen)
    seen = taken._replace(X=taken.X[kept], y=taken.y[kept])
    encoder, row = trained(key, bench, seen, {})
    return row | two_scores(encoder, taken, unseen)


def two_scores(
    encoder: DeepHashEncoder, taken: Images, unseen: np.ndarray
) -> dict[str, Any]:
    """mAP of seen queries among seen items, and of unseen queries among all."""
    queries = encoder.transform(taken.X_query)
    database = encoder.transform(taken.X_database)
    strange, strange_items = (
        np.isin(y, unseen) for y in (taken.y_query, taken.y_database)
    )
    seen = average_precision(
        queries[~strange],
        database[~strange_items],
        taken.y_query[~strange],
        taken.y_database[~strange_items],
    )
    among_all = average_precision(
        queries[strange], database, taken.y_query[strange], taken.y_database
    )
    return {
        "unseen": [int(label) for label in unseen],
        **with_interval("mAP", seen),
        **with_interval("unseen_at_all", among_all),
    }


def runs(where: str, seed: int, order: int) -> list[Run]:
    """All families with a seed."""
    minutes = SETS[where].minutes
    return [
        Run(key(where, loss, seed), seen_and_unseen, minutes, order) for loss in SIX
    ]


RUNS = [
    *runs("fashion_mnist-10000", 0, 5),
    *runs("fashion_mnist-10000", 1, 7),
    *runs("fashion_mnist-10000", 2, 7),
    *runs("cifar10-10000", 0, 8),
]


def of_kinds(
    record: Record, where: str, name: str
) -> tuple[Key, Key, Difference] | None:
    """The best family of classes and of pairs, if all were run, and the former minus
    the latter.
    """
    ours, other = (
        best_of(record, [key(where, loss) for loss in losses], name)
        for losses in (OF_CLASSES, PAIRWISE)
    )
    if ours is None or other is None:
        return None
    return ours, other, Difference(record, other, ours, name)


def parts_of(record: Record, where: str) -> list[Part]:
    """Who is best on either side."""
    made = []
    for name, says in (("mAP", "seen"), ("unseen_at_all", "unseen")):
        kind = "classes" if says == "seen" else "pairs"
        statement = f"{SETS[where].title}, {says} classes: losses of {kind} win"
        found = of_kinds(record, where, name)
        if found is None:
            made.append(Part(statement, None))
            continue
        ours, other, gain = found
        figures = f"``{ours.loss}`` minus ``{other.loss}``: {gain}"
        holds = gain.above if says == "seen" else gain.below
        made.append(Part(statement, holds, figures))
    return made


def finding(records: Records) -> Finding:
    """Both scores of all families."""
    record = records["unseen_classes"]
    columns = [
        (where, name) for where in SETS_USED for name in ("mAP", "unseen_at_all")
    ]
    says = {"mAP": "seen@seen", "unseen_at_all": "unseen@all"}
    head = [f"{SETS[where].title}, {says[name]}" for where, name in columns]
    rows = [["mAP, 24 bits", *head]]
    for loss in SIX:
        cells = [cell(record, key(where, loss), name) for where, name in columns]
        rows.append([f"``{loss}``", *cells])

    def draw(path: Path) -> None:
        figure, axes = new_figure(len(SETS_USED))
        for ax, where in zip(axes, SETS_USED, strict=True):
            for marker, loss in zip("osD^vP", SIX, strict=True):
                x, y = (
                    mean_of(record, key(where, loss), name)
                    for name in ("mAP", "unseen_at_all")
                )
                if x is not None and y is not None:
                    ax.plot(x, y, marker, label=loss)
            ax.set(xlabel="seen@seen", ylabel="unseen@all", title=SETS[where].title)
            if ax.lines:
                legend(ax)
        save(figure, path)

    parts = [part for where in SETS_USED for part in parts_of(record, where)]
    headline = [
        clause(f"{part.statement.partition(':')[0]},", part.figures) for part in parts
    ]
    return Finding(parts, [Table("Seen and unseen", rows)], draw, headline)


SAYS = f"""\
A study of 17 methods (aassxun/DSH_Analysis, 2024) finds that losses of classes win on
classes that were trained on, and losses of pairs on others. Here three classes of ten,
drawn by the seed, are left out of the training: *seen@seen* ranks images of the other
seven among their own kind, *unseen@all* ranks images of the three among all. Losses of
classes are {in_words(OF_CLASSES)}; of pairs, {in_words(PAIRWISE)}.

A part holds if the best of the kind that it names beats the best of the other kind, the
95 % interval of the difference on that side of 0. It takes the queries for the sample,
not the classes: three seeds draw three sets of them.
"""
CLAIM = Claim("unseen_classes", "Seen and unseen classes", SAYS, RUNS, [], finding)

if __name__ == "__main__":
    main(CLAIM, description=__doc__.splitlines()[0])
