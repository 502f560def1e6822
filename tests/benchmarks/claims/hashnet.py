"""HashNet: continuation and the gap to the sign, weights and few similar pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from _claim import Claim, Finding, Part, Records
from _findings import (
    Difference,
    better,
    clause,
    draw_lines,
    grid_table,
    mean_of,
    new_figure,
    save,
)
from _main import main
from _real_ranking import real_scores
from _record import Key, Record
from _sets import SETS, Images
from _training import Run, training

from skhash import DeepHashEncoder

SET, BITS, SEEDS = "fashion_mnist-10000", (12, 24, 48), (0, 1, 2)
FEW, FEW_BITS = "fashion_mnist-100-classes", (24, 48)
ONE_STAGE = {"loss__n_stages": 1}
# The paper's scale, and z as the network gives it.
PAPER = {"normalize_z": False}
CONTINUED = {
    "continuation": lambda n_bits: {},
    "no continuation": lambda n_bits: ONE_STAGE,
    "paper's scale, continuation": lambda n: {**PAPER, "loss__alpha": 10 / n},
    "paper's scale, no continuation": lambda n: {
        **PAPER,
        **ONE_STAGE,
        "loss__alpha": 10 / n,
    },
}
# Batches as they come, so that a hundredth of their pairs are similar.
SHUFFLED = {"balanced_batches": False}
WEIGHTED = {
    "weights of the batch": ("hashnet", {}),
    "weights of the set": ("hashnet", {"loss__weighting": "dataset"}),
    "no weights": ("hashnet", {"loss__weighting": None}),
    "DHN": ("dhn", {}),
}


def key(where: str, variant: str, n_bits: int, seed: int = 0) -> Key:
    """The run of a variant."""
    loss = WEIGHTED[variant][0] if variant in WEIGHTED else "hashnet"
    return Key("hashnet", where, loss, variant, n_bits, seed)


def gap(encoder: DeepHashEncoder, taken: Images) -> dict[str, Any]:
    """Mean average precision of z by cosine minus that of the codes, same queries."""
    return real_scores(encoder, taken)


def runs(seed: int, order: int) -> list[Run]:
    """All variants with a seed."""
    return [
        *(
            Run(
                key(SET, variant, n_bits, seed),
                training(params(n_bits), gap),
                SETS[SET].minutes,
                order,
            )
            for variant, params in CONTINUED.items()
            for n_bits in BITS
        ),
        *(
            Run(
                key(FEW, variant, n_bits, seed),
                training({**SHUFFLED, **params}),
                SETS[FEW].minutes,
                order,
            )
            for variant, (_, params) in WEIGHTED.items()
            for n_bits in FEW_BITS
        ),
    ]


RUNS = [*runs(0, 3), *runs(1, 7), *runs(2, 7)]
CONTINUATIONS = [
    ("no continuation", "continuation"),
    ("paper's scale, no continuation", "paper's scale, continuation"),
]
PAIRS = [
    (key(SET, a, n_bits, seed), key(SET, b, n_bits, seed))
    for seed in SEEDS
    for n_bits in BITS
    for a, b in CONTINUATIONS
] + [
    (key(FEW, other, n, seed), key(FEW, "weights of the batch", n, seed))
    for seed in SEEDS
    for n in FEW_BITS
    for other in ("no weights", "weights of the set", "DHN")
]


def smaller_gap(record: Record, without: str, continued: str, n_bits: int) -> Part:
    """A part that holds if continuation makes the gap smaller beyond doubt."""
    a, b = key(SET, without, n_bits), key(SET, continued, n_bits)
    found, statement = Difference(record, a, b, "gap"), f"{continued}: smaller gap"
    statement += f" at {n_bits} bits"
    if not found:
        return Part(statement, None)
    gaps = [mean_of(record, k, "gap") for k in (a, b)]
    figures = f"gap {gaps[0]:+.3f} without, {gaps[1]:+.3f} with it: {found}"
    return Part(statement, found.below, f"{figures}; codes {Difference(record, a, b)}")


def finding(records: Records) -> Finding:
    """The gap with and without continuation; weights where similar pairs are few."""
    record = records["hashnet"]
    parts = [
        smaller_gap(record, without, continued, n_bits)
        for without, continued in CONTINUATIONS
        for n_bits in BITS
    ]
    for other in ("no weights", "DHN"):
        for n_bits in FEW_BITS:
            a, b = (key(FEW, v, n_bits) for v in (other, "weights of the batch"))
            statement = f"100 classes, {n_bits} bits: better than {other}"
            parts.append(better(statement, record, a, b))
    lines = [(variant, key(SET, variant, 12)) for variant in CONTINUED]
    few = [(variant, key(FEW, variant, 24)) for variant in WEIGHTED]
    tables = [
        grid_table("Codes", record, lines, BITS),
        grid_table("Gap: z by cosine minus codes", record, lines, BITS, "gap"),
        grid_table("100 classes, 1 % similar pairs", record, few, FEW_BITS),
    ]

    def draw(path: Path) -> None:
        figure, (left, right) = new_figure(2)
        draw_lines(left, record, lines, BITS, "gap")
        left.set_title("what the sign costs")
        draw_lines(right, record, few, FEW_BITS)
        right.set_title("100 classes")
        save(figure, path)

    headline = [
        clause(
            f"continuation changes the gap at {n} bits by",
            Difference(
                *(record, key(SET, "no continuation", n), key(SET, "continuation", n)),
                "gap",
            ),
        )
        for n in (12, 48)
    ] + [
        clause(
            f"weights change mAP of 100 classes at {n} bits by",
            Difference(
                *(record, key(FEW, "no weights", n)),
                key(FEW, "weights of the batch", n),
            ),
        )
        for n in FEW_BITS
    ]
    return Finding(parts, tables, draw, headline)


SAYS = """\
The paper says that the slope of ``tanh(beta z)``, which grows while it trains, closes
the gap between real outputs and their signs, and that pairs weighted by how rare their
kind is keep the few similar ones from being drowned. The gap is the mean average
precision of z, ranked by cosine, minus that of the codes. Where similar pairs are few,
each of the ten classes is cut into ten by k-means on its pixels, and batches are not
balanced by class.

A part about the gap holds if the 95 % interval of its change by continuation lies below
0; one about scores, if that of the difference lies above 0.
"""
CLAIM = Claim("hashnet", "HashNet", SAYS, RUNS, PAIRS, finding)

if __name__ == "__main__":
    main(CLAIM, description=__doc__.splitlines()[0])
