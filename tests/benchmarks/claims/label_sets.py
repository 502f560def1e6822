"""Label sets: all families where items share some of their labels."""

from __future__ import annotations

from pathlib import Path

from _claim import Claim, Finding, Part, Records
from _findings import (
    SIX,
    Difference,
    against,
    better,
    better_than_all,
    clause,
    draw_lines,
    grid_table,
    new_figure,
    save,
)
from _main import main
from _record import Key
from _sets import SETS
from _training import Run, training

SETS_USED, BITS, SEEDS = ("scene", "corel5k"), (12, 32), (0, 1, 2)
# Families that can weigh a similar pair by the share of labels that it has in common.
OVERLAP = ("dual_hinge", "exponentiated", "hashnet")
VARIANTS = {
    "defaults": ({}, SIX),
    "overlap": ({"loss__similarity": "jaccard"}, OVERLAP),
}
LINES = [
    (loss, variant) for variant, (_, losses) in VARIANTS.items() for loss in losses
]


def key(where: str, loss: str, n_bits: int, variant: str = "defaults", seed=0) -> Key:
    """The run of a loss."""
    return Key("label_sets", where, loss, variant, n_bits, seed)


RUNS = [
    Run(
        key(where, loss, n_bits, variant, seed),
        training(VARIANTS[variant][0]),
        SETS[where].minutes,
        4,
    )
    for seed in SEEDS
    for where in SETS_USED
    for n_bits in BITS
    for loss, variant in LINES
]
PAIRS = [
    (key(where, a, n_bits, v, seed), key(where, b, n_bits, w, seed))
    for seed in SEEDS
    for where in SETS_USED
    for n_bits in BITS
    for a, v, b, w in [
        *((a, "defaults", "dual_hinge", "defaults") for a in SIX if a != "dual_hinge"),
        *((a, "defaults", a, "overlap") for a in OVERLAP),
        ("dhn", "defaults", "hashnet", "defaults"),
    ]
]


def finding(records: Records) -> Finding:
    """Which family is best by shared labels, and what weighing by overlap does."""
    record = records["label_sets"]
    parts: list[Part] = []
    for where in SETS_USED:
        for n in BITS:
            of = {loss: key(where, loss, n) for loss in SIX}
            on = f"{where}, {n} bits"
            others = [of[loss] for loss in SIX if loss != "dual_hinge"]
            weighed = key(where, "hashnet", n, "overlap")
            parts += [
                better(f"HashNet beats DHN, {on}", record, of["dhn"], of["hashnet"]),
                better_than_all(
                    f"dual hinge beats all, {on}",
                    against(record, of["dual_hinge"], others),
                ),
                better(
                    f"HashNet weighed by overlap beats itself, {on}",
                    *(record, of["hashnet"], weighed, "ndcg"),
                ),
            ]
    parts.sort(key=lambda part: part.statement.partition(",")[0])
    tables = []
    for where in SETS_USED:
        lines = [
            (f"``{loss}``" + (", overlap" if variant == "overlap" else ""), k)
            for loss, variant in LINES
            for k in [key(where, loss, 12, variant)]
        ]
        for name in ("mAP", "ndcg"):
            tables.append(grid_table(where, record, lines, BITS, name))

    def draw(path: Path) -> None:
        figure, axes = new_figure(2 * len(SETS_USED))
        places = [(where, name) for where in SETS_USED for name in ("mAP", "ndcg")]
        for ax, (where, name) in zip(axes, places, strict=True):
            of = [(loss, key(where, loss, 12)) for loss in SIX]
            draw_lines(ax, record, of, BITS, name)
            ax.set_title(where)
        save(figure, path)

    headline = [
        clause(
            f"HashNet minus DHN on {where} at 32 bits",
            Difference(record, key(where, "dhn", 32), key(where, "hashnet", 32)),
        )
        for where in SETS_USED
    ] + [
        clause(
            f"overlap changes HashNet's nDCG\\@1000 on {where} at 32 bits by",
            Difference(
                *(record, key(where, "hashnet", 32)),
                *(key(where, "hashnet", 32, "overlap"), "ndcg"),
            ),
        )
        for where in SETS_USED
    ]
    return Finding(parts, tables, draw, headline)


SAYS = """\
HashNet, DHN and DCWH were shown on photos with several labels each, two of which are
similar if they share one. Two small sets of that kind are measured here: *scene*, whose
photos have 1.07 of 6 labels, and *corel5k*, with 3.5 of 374. The networks are two dense
layers on the features that come with the sets, a thousand steps each; the items to
learn from are the database. nDCG\\@1000 counts how many labels an item shares with the
query, mAP asks only whether it shares one. *Overlap* is the paper's HashNet+C: a
similar pair counts by the labels that it shares among those that either has; dual
hinge and exponentiated can do so, too.

A part holds if the 95 % interval of the difference lies above 0, against every family
that it names; in nDCG\\@1000 if it is about overlap, else in mAP.
"""
CLAIM = Claim("label_sets", "Label sets", SAYS, RUNS, PAIRS, finding)

if __name__ == "__main__":
    main(CLAIM, description=__doc__.splitlines()[0])
