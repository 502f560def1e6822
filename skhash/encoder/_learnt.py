"""What a training leaves on its encoder, and what it has to say of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skhash.encoder._build import Seeds
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._net import DeepHashNet
from skhash.metrics import code_health
from skhash.warn import warn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# In the history of the net alone.
_FOR_CALLBACKS = ("batches", "train_loss_best", "valid_loss_best", "valid_score_best")


def learnt(
    data: TrainingData,
    net: DeepHashNet,
    n_threads: int,
    seeds: Seeds,
    state: dict[str, Any],
) -> dict[str, Any]:
    """The attributes of a fitted encoder; `state` is that of its classes."""
    history = history_of(net)
    classes = {"classes_": data.classes, "multilabel_": data.kind == "sets"}
    return {
        "net_": net,
        **({} if data.kind == "vectors" else classes),
        "input_shape_": data.item_shape,
        "history_": history,
        "n_iter_": len(history),
        "_n_threads": n_threads,
        "_seeds": seeds,
        **state,
    }


def take_over(encoder: DeepHashEncoder, state: dict[str, Any]) -> None:
    """Set what was learnt, and forget the classes of an earlier fit where none are."""
    if "classes_" not in state:
        for name in ("classes_", "multilabel_", "_class_sums", "_temperature"):
            vars(encoder).pop(name, None)
    vars(encoder).update(state)


def history_of(net: DeepHashNet) -> list[dict[str, Any]]:
    """The history of a net, and of the trainings that it goes on from, for users."""
    history = [
        {name: value for name, value in row.items() if name not in _FOR_CALLBACKS}
        for row in net.history
        if "train_loss" in row  # not of an epoch that was interrupted
    ]
    # Callbacks see the epochs of their own training; here they go on from earlier ones.
    for row in history:
        row["epoch"] += len(net.earlier_)
    return [*net.earlier_, *history]


def warn_if_diverged(encoder: DeepHashEncoder) -> bool:
    """Say that the loss is not finite; whether it was said."""
    last = encoder.history_[-1] if encoder.history_ else {"train_loss": 0.0}
    if math.isfinite(last["train_loss"]):
        return False
    warn(
        f"The loss was {last['train_loss']} in epoch {last['epoch']} and training "
        "stopped; the codes are useless. Use a smaller learning rate "
        f"(lr={encoder.lr / 10:g}) and look for extreme values in X.",
        ConvergenceWarning,
    )
    return True


def warn_if_unhealthy(encoder: DeepHashEncoder, codes: np.ndarray) -> None:
    """Say what went wrong in a training, and what helps."""
    if warn_if_diverged(encoder):
        return
    health = code_health(codes, encoder.n_bits)
    if health["n_distinct"] == 1:
        warn(
            f"All {len(codes)} training items got the same code. Train longer "
            "(max_epochs), use another learning rate, normalize_z=True or a smaller "
            "quantisation weight of the loss.",
            ConvergenceWarning,
        )
    elif health["dead_bits"] > 0:
        n_dead = round(health["dead_bits"] * encoder.n_bits)
        warn(
            f"{n_dead} of {encoder.n_bits} bits never change over the training items. "
            "Use fewer bits, normalize_z=True, or train longer (max_epochs).",
            ConvergenceWarning,
        )
