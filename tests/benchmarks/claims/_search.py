"""The hyper-parameters of each family, chosen on training images with equal effort."""

from __future__ import annotations

import time
from typing import Any

from _record import Key
from _sets import SETS
from _training import Bench, More, Work, measured, new_encoder, trained
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingGridSearchCV,
    ParameterSampler,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import Pipeline

from skhash import HammingNeighbors
from skhash.metrics import mean_average_precision_scorer

N_TRIALS, FIRST_EPOCHS, FACTOR, HELD_OUT = 12, 4, 3, 0.2


def grid(loss: str, n_bits: int) -> dict[str, list[Any]]:
    """Values of a family that are worth trying; `trials` draws from them."""
    each_bit = lambda *values: [value / n_bits for value in values]
    own: dict[str, dict[str, list[Any]]] = {
        "dual_hinge": {
            "shape": [0.75, 1.0, 1.5, 2.0],
            "rate": each_bit(8, 12, 16, 24, 32),
            "skew": [1.01, 1.05, 1.2, 2.0],
            "quantization": [0.0, 0.1, 1.0],
        },
        "hashnet": {
            "alpha": each_bit(3, 5, 10, 20),
            "n_stages": [1, 4, 10],
            "final_beta": [None, 2.0, 5.0],
        },
        "dhn": {
            "alpha": ["auto", 1.0, *each_bit(5, 20)],
            "quantization": [0.0, 0.01, 0.03, 0.1],
            "balance": [False, True],
        },
        "dcwh": {
            "inv_var": each_bit(4, 6.1, 8, 12),
            "cube": [0.1, 1.0, 10.0],
            "vertex": [0.01, 0.1, 1.0],
            "refine_from": [0.0, 0.5],
        },
        "von_mises_fisher": {
            "concentration": ["auto", 3.0, 5.0, 8.0],
            "quantization": [0.0, 0.1, 1.0],
            "ema": [0.0, 0.5, 0.9],
        },
        "exponentiated": {
            "gamma": each_bit(2, 3, 4, 6, 8),
            "surrogate": ["bilinear", "exp"],
            "pretrain": [0.0, 0.3],
        },
    }
    return {f"loss__{name}": values for name, values in own[loss].items()} | {
        "normalize_z": [True, False]
    }


def trials(loss: str, n_bits: int) -> list[dict[str, Any]]:
    """The defaults, and as many draws from the grid as make twelve with them."""
    drawn = ParameterSampler(grid(loss, n_bits), N_TRIALS - 1, random_state=0)
    return [{}, *drawn]


def searching() -> Work:
    """The work of a run that searches for the parameters of a family."""

    def work(key: Key, bench: Bench) -> dict[str, Any]:
        taken, epochs = bench.images(key.set), SETS[key.set].epochs
        model = Pipeline(
            [
                ("encoder", new_encoder(key, bench.n_jobs, {})),
                ("database", HammingNeighbors(n_jobs=bench.n_jobs)),
            ]
        )
        search = HalvingGridSearchCV(
            model,
            [
                {f"encoder__{name}": [value] for name, value in trial.items()}
                for trial in trials(key.loss, key.n_bits)
            ],
            resource="encoder__max_epochs",
            min_resources=FIRST_EPOCHS,
            max_resources=epochs,
            factor=FACTOR,
            cv=StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=0),
            scoring=mean_average_precision_scorer,
            refit=False,
            error_score="raise",
        )
        start, cpu = time.perf_counter(), time.process_time()
        search.fit(taken.X, taken.y)
        table = search.cv_results_
        columns = zip(
            table["params"], table["n_resources"], table["mean_test_score"], strict=True
        )
        return {
            "n_trials": N_TRIALS,
            "held_out": HELD_OUT,
            "trials": [
                {
                    "params": _own(params),
                    "epochs": int(n),
                    "mAP": round(float(score), 5),
                }
                for params, n, score in columns
            ],
            "best": _own(search.best_params_),
            "seconds": round(time.perf_counter() - start, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "n_jobs": bench.n_jobs,
        }

    return work


def with_best(more: More | None = None) -> Work:
    """The work of a run that trains with what the search of its family has found."""

    def work(key: Key, bench: Bench) -> dict[str, Any]:
        found = bench.record.row(key._replace(variant="search", seed=0))
        if found is None:
            raise LookupError(
                f"the search of {key.loss} at {key.n_bits} bits comes first"
            )
        taken = bench.images(key.set)
        encoder, row = trained(key, bench, taken, found["best"])
        row |= measured(key, bench, encoder, taken)
        return row | (more(encoder, taken) if more else {})

    return work


def _own(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the encoder, as `set_params` takes them."""
    return {name.removeprefix("encoder__"): value for name, value in params.items()}
