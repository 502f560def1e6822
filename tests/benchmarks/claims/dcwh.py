"""DCWH: few images to learn from, one step against two, the time of an epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from _claim import Claim, Finding, Part, Records, Table
from _findings import (
    NOT_RUN,
    PAIRWISE,
    SIX,
    Difference,
    against,
    against_best,
    better,
    better_than_all,
    cell,
    clause,
    legend,
    mean_of,
    new_figure,
    save,
)
from _main import main
from _record import Key, Record
from _sets import SETS
from _training import Bench, Run, new_encoder, training
from skorch.callbacks import Callback

N_BITS, SEEDS = 24, (0, 1, 2)
SIZES = (50, 100, 500)
SMALL = {n: f"fashion_mnist-{n}-a-class" for n in SIZES}
STEPS, WHOLE = "fashion_mnist-10000", "fashion_mnist"
# Both alternations of the paper: terms in two stages, network and centres in turn.
ALTERNATIONS = {
    "two steps": {},
    "vertices from the start": {"loss__refine_from": 0.0},
    "no vertices": {"loss__vertex": 0.0},
    "centres never estimated": {"loss__refresh_every": 0},
}


def key(where: str, loss: str, variant: str = "defaults", seed: int = 0) -> Key:
    """The run of a loss on a set."""
    return Key("dcwh", where, loss, variant, N_BITS, seed)


class Clock(Callback):
    """Notes the processor's seconds at the beginning of each epoch."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        self.times.append(time.process_time())


def epoch_times(key: Key, bench: Bench) -> dict[str, Any]:
    """The work of a run that times epochs of all losses, in turn, in one process."""
    taken = bench.images(key.set)
    start, cpu = time.perf_counter(), time.process_time()
    seconds: dict[str, list[float]] = {loss: [] for loss in SIX}
    for _ in range(N_ROUNDS):
        for loss in SIX:
            clock = Clock()
            params = {"max_epochs": N_TIMED + 1}
            encoder = new_encoder(
                key._replace(loss=loss), bench.n_jobs, params, callbacks=[clock]
            )
            encoder.fit(taken.X, taken.y)
            seconds[loss] += np.diff(encoder.callbacks[0].times).round(3).tolist()
    return {
        "epoch_cpu_seconds": seconds,
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "n_jobs": bench.n_jobs,
    }


def runs(seed: int, order: int) -> list[Run]:
    """Small sets for all families, and the alternations, with a seed."""
    plain = training()
    return [
        *(
            Run(key(STEPS, "dcwh", name, seed), training(v), SETS[STEPS].minutes, order)
            for name, v in ALTERNATIONS.items()
        ),
        *(
            Run(key(where, loss, seed=seed), plain, SETS[where].minutes + 0.2, order)
            for where in SMALL.values()
            for loss in SIX
        ),
    ]


# In all an epoch is timed so often: as many times as rounds, in each so many epochs.
N_ROUNDS, N_TIMED = 2, 3
SPEED = key(STEPS, "dcwh", "time of an epoch")
RUNS = [
    *runs(0, 4),
    Run(SPEED, epoch_times, 6.0, 4),
    *(Run(key(WHOLE, loss), training(), SETS[WHOLE].minutes, 6) for loss in SIX),
    *runs(1, 7),
    *runs(2, 7),
]
PAIRS = [
    (key(where, loss, seed=seed), key(where, "dcwh", seed=seed))
    for seed in SEEDS
    for where in (*SMALL.values(), WHOLE)
    for loss in SIX
    if loss != "dcwh"
] + [
    (key(STEPS, "dcwh", other, seed), key(STEPS, "dcwh", "two steps", seed))
    for seed in SEEDS
    for other in ALTERNATIONS
    if other != "two steps"
]


def beats_pairwise(record: Record, where: str, statement: str) -> Part:
    """A part that holds if DCWH is better than every pairwise family beyond doubt."""
    return better_than_all(statement, pairs_on(record, where))


def pairs_on(record: Record, where: str) -> dict[str, Difference]:
    """DCWH minus each pairwise family on a set."""
    others = [key(where, loss) for loss in PAIRWISE]
    return against(record, key(where, "dcwh"), others)


def epoch_seconds(record: Record, loss: str) -> float | None:
    """Processor seconds of an epoch, the least of those that were timed."""
    row = record.row(SPEED)
    return None if row is None else min(row["epoch_cpu_seconds"][loss])


def speed(record: Record) -> Part:
    """No slower than the pairwise families, by a twentieth at most."""
    ours = epoch_seconds(record, "dcwh")
    others = {loss: epoch_seconds(record, loss) for loss in PAIRWISE}
    if ours is None or None in others.values():
        return Part("an epoch is no slower than those of pairs", None)
    figures = ", ".join(f"``{loss}`` {each:.1f}" for loss, each in others.items())
    holds = ours <= 1.05 * min(others.values())
    return Part(
        "an epoch is no slower than those of pairs",
        holds,
        f"{ours:.1f} s of processor time, {figures}",
    )


def finding(records: Records) -> Finding:
    """Small and full data, alternations, speed."""
    record = records["dcwh"]
    parts = [
        beats_pairwise(record, where, f"better than all of pairs, {n} images a class")
        for n, where in SMALL.items()
    ]
    parts.append(beats_pairwise(record, WHOLE, "better than all of pairs, full data"))
    parts += [
        better(
            f"two steps are better than {other}",
            record,
            key(STEPS, "dcwh", other),
            key(STEPS, "dcwh", "two steps"),
        )
        for other in ALTERNATIONS
        if other != "two steps"
    ]
    parts.append(speed(record))
    head = ["mAP, 24 bits", *(f"{n} a class" for n in SIZES), "all 6 000 a class"]
    sets = (*SMALL.values(), WHOLE)
    small = [
        [f"``{loss}``", *(cell(record, key(where, loss)) for where in sets)]
        for loss in SIX
    ]
    clocks = [["loss", "processor seconds an epoch, 10 000 images"]]
    for loss in SIX:
        seconds = epoch_seconds(record, loss)
        clocks.append([f"``{loss}``", NOT_RUN if seconds is None else f"{seconds:.1f}"])
    steps = [["DCWH, 10 000 images", "mAP, 24 bits"]]
    steps += [[v, cell(record, key(STEPS, "dcwh", v))] for v in ALTERNATIONS]
    tables = [
        Table("Images to learn from", [head, *small]),
        Table("One step or two", steps),
        Table("Speed", clocks),
    ]

    def draw(path: Path) -> None:
        figure, (ax,) = new_figure()
        of_sizes = {**SMALL, 6_000: WHOLE}
        for marker, loss in zip("osD^vP", SIX, strict=True):
            points = [
                (n, mean_of(record, key(where, loss))) for n, where in of_sizes.items()
            ]
            points = [point for point in points if point[1] is not None]
            if points:
                ax.semilogx(*zip(*points, strict=True), marker=marker, label=loss)
        ax.set(xlabel="images a class", ylabel="mAP, 24 bits")
        ax.set_xticks(list(of_sizes), [str(n) for n in of_sizes])
        ax.minorticks_off()
        if ax.lines:
            legend(ax)
        save(figure, path)

    headline = [
        clause(
            f"mAP with {says} images a class,", against_best(pairs_on(record, where))
        )
        for says, where in (*SMALL.items(), ("all 6 000", WHOLE))
    ]
    times = {loss: epoch_seconds(record, loss) for loss in SIX}
    if None not in times.values():
        share = times["dcwh"] / min(times[loss] for loss in PAIRWISE) - 1
        headline.append(f"an epoch takes {share:+.0%} against the fastest of pairs")
    return Finding(parts, tables, draw, headline)


SAYS = """\
The paper says that a loss of classes needs fewer images and less time than one of
pairs, and that its two steps keep the gradient from vanishing. Here a thousand steps
with 50, 100 and 500 images of each class, the whole training set as database; the
steps, on 10 000 images.

A part about scores holds if the 95 % interval of the difference lies above 0, against
every pairwise family; the one about time, if an epoch takes at most a twentieth more
processor time than the fastest of them. Epochs of all losses were timed in turn in one
process, of each six on 10 000 images, of which the least is given.
"""
CLAIM = Claim("dcwh", "Deep class-wise hashing", SAYS, RUNS, PAIRS, finding)

if __name__ == "__main__":
    main(CLAIM, description=__doc__.splitlines()[0])
