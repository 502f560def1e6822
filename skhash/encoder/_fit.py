"""The course of ``fit`` and ``partial_fit`` on checked data.

Nothing is set on the encoder before its training has ended.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import PrintLog

from skhash.encoder._auto import choose_balance, choose_epochs, choose_threads
from skhash.encoder._build import Seeds, check_net, make_net, prepare, reuse
from skhash.encoder._callbacks import FollowPlan, Halt, KeepBest, Progress, Watch
from skhash.encoder._check_callbacks import check_pretraining
from skhash.encoder._data.batches import (
    BalancedSampler,
    EncodedDataset,
    ShuffledSampler,
)
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._net import DeepHashNet
from skhash.encoder._sklearn_callbacks import ReportEpochs, supports_callbacks
from skhash.encoder._threads import run
from skhash.hamming import pack, unpack
from skhash.losses import LOSSES
from skhash.metrics import code_health, mean_average_precision
from skhash.networks import NETWORKS, borrowed_generator
from skhash.warn import warn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# In the history of the net alone.
_FOR_CALLBACKS = ("batches", "train_loss_best", "valid_score_best")


def set_callbacks(
    net: DeepHashNet, encoder: DeepHashEncoder, own: dict[str, Any]
) -> None:
    """Our callbacks, then copies of the user's."""
    users = []
    for i, callback in enumerate(encoder.callbacks or []):
        named = isinstance(callback, tuple)
        name, callback = callback if named else (f"callback_{i}", callback)
        # skorch sets attributes of a callback, but what it holds (a list to fill, a
        # trial to report to, an open file) is the user's own.
        users.append((name, copy.copy(callback)))
    net.callbacks = [*own.items(), *users, ("halt", Halt())]
    net.own_callbacks_ = {*own, "halt", "epoch_timer"}
    # What the user asks for by a callback is printed.
    printing = any(isinstance(callback, PrintLog) for _, callback in users)
    net.verbose = int(bool(encoder.verbose) or printing)
    net.initialize_callbacks()


def set_sampler(
    net: DeepHashNet, encoder: DeepHashEncoder, data: TrainingData, seed: int
) -> None:
    """Shuffled or class-balanced batches of the items."""
    batch_size, balanced = encoder.batch_size, encoder.balanced_batches
    if isinstance(data.items, EncodedDataset):
        # batch norm cannot learn from a single item
        net.iterator_train__drop_last = len(data.items) % batch_size == 1
        return
    n_items = choose_balance(balanced, net.criterion_, data.labels, batch_size)
    if n_items:
        net.sampler = BalancedSampler(data.labels, batch_size, n_items, seed)
    else:
        net.sampler = ShuffledSampler(len(data.items), batch_size, seed)


def split(
    encoder: DeepHashEncoder, data: TrainingData, seed: int
) -> tuple[TrainingData, TrainingData | None]:
    """The part to train on and, for early stopping, the part to validate on."""
    if not encoder.early_stopping:
        return data, None
    n = len(data.items)
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    first = np.zeros(n, dtype=bool)
    if data.kind == "classes":
        labels = data.labels.values
        order = order[np.argsort(labels[order], kind="stable")]
        # One item of each class stays: a class unseen in training says nothing.
        first = np.diff(labels[order], prepend=-1) != 0
    spare = order[~first]
    count = min(max(1, round(n * encoder.validation_fraction)), len(spare), n - 2)
    if count < 1:
        raise ValueError(
            "early_stopping=True holds items out, but each class has a single one. "
            "Give more items or use early_stopping=False."
        )
    # Evenly spaced in the order of the classes: stratified, whatever their sizes.
    places = (np.arange(count) + rng.random()) * len(spare) / count
    held_out = spare[places.astype(int)]
    kept = np.setdiff1d(order, held_out)
    return data.subset(kept), data.subset(held_out)


def retrieval_score(
    train: TrainingData, valid: TrainingData
) -> Callable[[DeepHashNet], float]:
    """Tie-aware mean average precision of the validation part against the rest."""

    def score(net: DeepHashNet) -> float:
        queries, database = encode(net, valid), encode(net, train)
        return mean_average_precision(queries, database, valid.labels, train.labels)

    return score


@contextlib.contextmanager
def foreign_randomness(
    encoder: DeepHashEncoder, data: TrainingData, net: DeepHashNet, seed: int
) -> Iterator[None]:
    """Seed torch's global generators for code that is not ours; put them back."""
    network = getattr(encoder.network, "func", encoder.network)  # of a partial
    ours = isinstance(network, str) or network in NETWORKS.values()
    ours &= type(net.criterion_) in LOSSES.values()
    ours &= not isinstance(data.items, EncodedDataset)
    if ours:  # draws from generators of its own; trainings go on side by side
        yield
    else:
        with borrowed_generator(seed, net.device):
            yield


def encode(net: DeepHashNet, data: TrainingData) -> np.ndarray:
    """Packed codes of the items, never all their real outputs at once."""
    return np.concatenate([pack(z > 0) for z in net.encode(data.items)])


def train_on(
    net: DeepHashNet, data: TrainingData, lent: contextlib.AbstractContextManager
) -> np.ndarray:
    """Train a net that is set up; the codes that it then gives the items."""
    with lent:
        net.partial_fit(data.items)
        return encode(net, data)


def health_of(z: np.ndarray) -> dict[str, float]:
    """Code health of outputs z, for the history."""
    return code_health(pack(z > 0), z.shape[1])


def fit(encoder: DeepHashEncoder, data: TrainingData, given: dict[str, Any]) -> None:
    """Train an encoder on checked data (`given` unchecked); set what it has learnt."""
    check_net(encoder)
    seeds = Seeds.draw(encoder.random_state)
    train, valid = split(encoder, data, seeds.split)
    n_batches = math.ceil(len(train.items) / encoder.batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches)
    if encoder.warm_start and hasattr(encoder, "net_"):
        network, loss = reuse(encoder, data)
    else:
        network, loss = prepare(encoder, train, n_epochs, seeds)
    plan = loss.plan(n_epochs)
    check_pretraining(encoder.callbacks, plan)
    callbacks: dict[str, Any] = {
        "plan": FollowPlan(plan),
        "watch": Watch(health_of),
    }
    if valid is not None:
        score = retrieval_score(train, valid)
        callbacks["best"] = KeepBest(score, encoder.n_iter_no_change)
    if encoder.verbose:
        callbacks["progress"] = Progress(n_epochs)
    n_threads = choose_threads(encoder.n_jobs, network, encoder.batch_size)

    def fitted(net: DeepHashNet, codes: np.ndarray | None = None) -> dict[str, Any]:
        codes = encode(net, train) if codes is None else codes
        sums = class_sums(codes, train, encoder.n_bits)
        return learnt(data, net, n_threads, seeds, sums)

    if supports_callbacks(encoder):
        callbacks["report"] = ReportEpochs(encoder, given, n_epochs, fitted)
    net = make_net(encoder, network, loss, encoder.lr_schedule, seeds.batches)
    set_callbacks(net, encoder, callbacks)
    set_sampler(net, encoder, train, seeds.batches)
    net.max_epochs, net.dataset_valid_ = n_epochs, valid and valid.items
    lent = foreign_randomness(encoder, data, net, seeds.network)
    codes = run(n_threads, lambda: train_on(net, train, lent))
    net.slim([*callbacks, "halt"])
    vars(encoder).update(fitted(net, codes))
    warn_if_unhealthy(encoder, codes)


def partial_fit(encoder: DeepHashEncoder, data: TrainingData, *, first: bool) -> None:
    """Train an encoder for one epoch on checked data."""
    n_batches = math.ceil(len(data.items) / encoder.batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches)
    if first:
        check_net(encoder)
        seeds = Seeds.draw(encoder.random_state)
        network, loss = prepare(encoder, data, n_epochs, seeds)
        n_threads = choose_threads(encoder.n_jobs, network, encoder.batch_size)
        net = make_net(encoder, network, loss, "constant", seeds.batches)
        sums = 0
    else:
        net, n_threads, seeds = encoder.net_, encoder._n_threads, encoder._seeds
        if encoder.n_bits != net.criterion_.n_bits_:
            raise ValueError(
                f"n_bits is now {encoder.n_bits}, but the network was built for "
                f"{net.criterion_.n_bits_}. Call fit for codes of another length."
            )
        sums = encoder._class_sums
        net.lr_schedule, net.lr = "constant", encoder.lr
        if net.optimizer_ is None:
            net.initialize_optimizer()
    last = net.criterion_.plan(n_epochs)[-1]
    refreshes = bool(last.refresh_every) and not first
    stage = replace(last, epochs=1, refresh_first=refreshes)
    seed = seeds.batches + len(net.history)
    callbacks = {"plan": FollowPlan([stage]), "watch": Watch(health_of)}
    set_callbacks(net, encoder, callbacks)
    set_sampler(net, encoder, data, seed)
    net.max_epochs = 1
    lent = foreign_randomness(encoder, data, net, seed)
    codes = run(n_threads, lambda: train_on(net, data, lent))
    if data.kind == "classes":
        sums = sums + class_sums(codes, data, encoder.n_bits)
    net.forget_data()
    vars(encoder).update(learnt(data, net, n_threads, seeds, sums))
    warn_if_diverged(encoder)


def learnt(
    data: TrainingData, net: DeepHashNet, n_threads: int, seeds: Seeds, sums: Any
) -> dict[str, Any]:
    """The attributes of a fitted encoder."""
    history = [
        {name: value for name, value in row.items() if name not in _FOR_CALLBACKS}
        for row in net.history
        if "train_loss" in row  # not of an epoch that was interrupted
    ]
    return {
        "net_": net,
        "classes_": data.classes,
        "multilabel_": data.kind == "sets",
        "input_shape_": data.item_shape,
        "history_": history,
        "n_iter_": len(history),
        "_n_threads": n_threads,
        "_seeds": seeds,
        "_class_sums": sums,
    }


def class_sums(codes: np.ndarray, data: TrainingData, n_bits: int) -> Any:
    """Per class the weighted sum of the signs of each bit and, last, the weight."""
    if data.kind != "classes":
        return None
    weight = data.items.sample_weight
    y = data.labels.values
    weights = np.ones(len(y)) if weight is None else weight.numpy().astype(float)
    sums = np.zeros((len(data.classes), n_bits + 1))
    sums[:, -1] = np.bincount(y, weights, minlength=len(sums))
    for rows in range(0, len(codes), 4096):
        chunk = slice(rows, rows + 4096)
        signs = np.where(unpack(codes[chunk], n_bits), 1.0, -1.0)
        np.add.at(sums[:, :-1], y[chunk], signs * weights[chunk, None])
    return sums


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
