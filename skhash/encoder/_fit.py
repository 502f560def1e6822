"""The course of ``fit`` and ``partial_fit`` on checked data.

Nothing is set on the encoder before its training has ended.
"""

from __future__ import annotations

import contextlib
import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from skorch.callbacks import PrintLog

from skhash.encoder._augment import check_augment, make_augment
from skhash.encoder._auto import choose_epochs, choose_threads
from skhash.encoder._build import (
    Seeds,
    check_net,
    make_net,
    optimizer_settings,
    prepare,
    reuse,
)
from skhash.encoder._callbacks import (
    FollowPlan,
    Halt,
    KeepBest,
    Validate,
    Watch,
)
from skhash.encoder._check_callbacks import check_pretraining
from skhash.encoder._checkpoint import Checkpoint
from skhash.encoder._data.datasets import EncodedDataset
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._holdout import encode, retrieval_score, split
from skhash.encoder._learnt import (
    learnt,
    take_over,
    warn_if_diverged,
    warn_if_unhealthy,
)
from skhash.encoder._net import DeepHashNet
from skhash.encoder._plateau import EndOnPlateau
from skhash.encoder._progress import Foretell, ShowProgress
from skhash.encoder._sampling import set_sampler
from skhash.encoder._sklearn_callbacks import ReportEpochs, supports_callbacks
from skhash.encoder._supervision import batch_size_of, steps_of
from skhash.encoder._temperature import NO_CLASSES, class_state
from skhash.encoder._threads import run
from skhash.hamming import pack
from skhash.losses import LOSSES, HashLoss, Stage
from skhash.metrics import code_health
from skhash.networks import NETWORKS, borrowed_generator

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


def set_callbacks(
    net: DeepHashNet,
    encoder: DeepHashEncoder,
    first: dict[str, Any],
    last: dict[str, Any],
) -> None:
    """Some of our callbacks, then copies of the user's, then the others."""
    users = []
    for i, callback in enumerate(encoder.callbacks or []):
        named = isinstance(callback, tuple)
        name, callback = callback if named else (f"callback_{i}", callback)
        # skorch sets attributes of a callback, but what it holds (a list to fill, a
        # trial to report to, an open file) is the user's own.
        users.append((name, copy.copy(callback)))
    net.callbacks = [*first.items(), *users, *last.items()]
    net.own_callbacks_ = {*first, *last, "epoch_timer"}
    # What the user asks for by a callback is printed.
    printing = any(isinstance(callback, PrintLog) for _, callback in users)
    net.verbose = int(bool(encoder.verbose) or printing)
    net.initialize_callbacks()


def draws_globally(
    encoder: DeepHashEncoder, data: TrainingData, loss: HashLoss
) -> bool:
    """Whether code that is not ours takes part: it may draw from global generators.

    Ours draws from generators of its own, so that trainings go on side by side.
    """
    network = getattr(encoder.network, "func", encoder.network)  # of a partial
    ours = isinstance(network, str) or network in NETWORKS.values()
    ours &= type(loss) in LOSSES.values()
    ours &= not isinstance(data.items, EncodedDataset)
    return not ours or callable(encoder.augment)


def lent(net: DeepHashNet, seed: int) -> contextlib.AbstractContextManager:
    """Torch's global generators, seeded for code that is not ours and put back."""
    if net.draws_globally_:
        return borrowed_generator(seed, net.device)
    return contextlib.nullcontext()


def train_on(
    net: DeepHashNet, data: TrainingData, lending: contextlib.AbstractContextManager
) -> np.ndarray:
    """Train a net that is set up; the codes that it then gives the items."""
    with lending:
        net.partial_fit(data.items)
        return encode(net, data)


def health_of(z: np.ndarray) -> dict[str, float]:
    """Code health of outputs z, for the history."""
    return code_health(pack(z > 0), z.shape[1])


def own_callbacks(
    encoder: DeepHashEncoder,
    plan: list[Stage],
    n_epochs: int,
    train: TrainingData,
    valid: TrainingData | None,
) -> dict[str, Any]:
    """What follows the plan, watches, stops and shows a training, in this order."""
    callbacks: dict[str, Any] = {
        "skhash_plan": FollowPlan(plan),
        "skhash_watch": Watch(health_of),
    }
    if valid is not None:
        callbacks["skhash_validate"] = Validate(retrieval_score(train, valid))
    if encoder.early_stopping:
        callbacks["skhash_best"] = KeepBest(encoder.n_iter_no_change)
    if encoder.max_epochs == "auto":
        callbacks["skhash_plateau"] = EndOnPlateau(callbacks["skhash_plan"], n_epochs)
    callbacks["skhash_progress"] = ShowProgress() if encoder.verbose else Foretell()
    return callbacks


def fit(
    encoder: DeepHashEncoder,
    data: TrainingData,
    own_valid: TrainingData | None,
    given: dict[str, Any],
) -> None:
    """Train an encoder on checked data (`given` unchecked); set what it has learnt."""
    check_net(encoder)
    check_augment(encoder.augment, data.layout)
    seeds = Seeds.draw(encoder.random_state)
    last: dict[str, Any] = {"skhash_halt": Halt()}
    checkpoint = None
    if encoder.checkpoint is not None:
        checkpoint = Checkpoint(encoder, data, own_valid, seeds)
        seeds, last = checkpoint.seeds, {"skhash_checkpoint": checkpoint, **last}
    train, valid = data, own_valid
    if encoder.early_stopping and valid is None:
        train, valid = split(encoder, data, seeds.split)
    batch_size = batch_size_of(encoder)
    n_batches = math.ceil(len(train.items) / batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches, steps_of(encoder))
    warm = encoder.warm_start and hasattr(encoder, "net_")
    if warm:
        network, loss = reuse(encoder, data)
    else:
        network, loss = prepare(encoder, train, n_epochs, seeds)
    plan = loss.plan(n_epochs)
    check_pretraining(encoder.callbacks, plan)
    callbacks = own_callbacks(encoder, plan, n_epochs, train, valid)
    n_threads = choose_threads(encoder.n_jobs, network, batch_size)

    def fitted(net: DeepHashNet, codes: np.ndarray | None = None) -> dict[str, Any]:
        if data.kind == "vectors":
            return learnt(data, net, n_threads, seeds, {})
        if data.labels.are_pairs:
            return learnt(data, net, n_threads, seeds, NO_CLASSES)
        codes = encode(net, train) if codes is None else codes
        with lent(net, seeds.network):
            state = run(n_threads, lambda: class_state(net, train, codes, valid))
        return learnt(data, net, n_threads, seeds, state)

    if supports_callbacks(encoder):
        callbacks["skhash_report"] = ReportEpochs(encoder, given, n_epochs, fitted)
    net = make_net(encoder, network, loss, encoder.lr_schedule, seeds.batches)
    if warm:
        net.earlier_ = encoder.history_
    set_callbacks(net, encoder, callbacks, last)
    set_sampler(net, encoder, train, seeds.batches)
    net.augment_ = make_augment(encoder.augment, train.layout, seeds.batches)
    net.max_epochs, net.dataset_valid_ = n_epochs, valid and valid.items
    net.validates_ = own_valid is not None
    net.score_name_ = "recall@10" if data.kind == "vectors" else "mAP"
    net.draws_globally_ = draws_globally(encoder, data, loss)
    with contextlib.closing(callbacks["skhash_progress"]):
        codes = run(n_threads, lambda: train_on(net, train, lent(net, seeds.network)))
    net.slim([*callbacks, *last])
    take_over(encoder, fitted(net, codes))
    if checkpoint:
        checkpoint.remove()
    warn_if_unhealthy(encoder, codes)


def partial_fit(encoder: DeepHashEncoder, data: TrainingData, *, first: bool) -> None:
    """Train an encoder for one epoch on checked data."""
    check_augment(encoder.augment, data.layout)
    batch_size = batch_size_of(encoder)
    n_batches = math.ceil(len(data.items) / batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches, steps_of(encoder))
    if first:
        check_net(encoder)
        seeds = Seeds.draw(encoder.random_state)
        network, loss = prepare(encoder, data, n_epochs, seeds)
        n_threads = choose_threads(encoder.n_jobs, network, batch_size)
        net = make_net(encoder, network, loss, "constant", seeds.batches)
    else:
        net, n_threads, seeds = encoder.net_, encoder._n_threads, encoder._seeds
        if encoder.n_bits != net.criterion_.n_bits_:
            raise ValueError(
                f"n_bits is now {encoder.n_bits}, but the network was built for "
                f"{net.criterion_.n_bits_}. Call fit for codes of another length."
            )
        net.lr_schedule, net.lr = "constant", encoder.lr
        if net.optimizer is None:  # of a file, which holds no class
            if encoder.optimizer is None:
                raise ValueError(
                    "optimizer is None: it was a class, which no file holds, and the "
                    "encoder was loaded from one. Set it again, "
                    "set_params(optimizer=...)."
                )
            vars(net).update(optimizer_settings(encoder))
        if net.optimizer_ is None:
            net.initialize_optimizer()
    last = net.criterion_.plan(n_epochs)[-1]
    refreshes = bool(last.refresh_every) and not first
    stage = replace(last, epochs=1, refresh_first=refreshes)
    seed = seeds.batches + len(net.history)
    callbacks = {"skhash_plan": FollowPlan([stage]), "skhash_watch": Watch(health_of)}
    set_callbacks(net, encoder, callbacks, {"skhash_halt": Halt()})
    set_sampler(net, encoder, data, seed)
    net.augment_ = make_augment(encoder.augment, data.layout, seeds.batches)
    net.max_epochs = 1
    net.draws_globally_ = draws_globally(encoder, data, net.criterion_)
    codes = run(n_threads, lambda: train_on(net, data, lent(net, seed)))
    before, state = None if first else encoder, {}
    if data.kind != "vectors" and data.labels.are_pairs:
        state = NO_CLASSES
    elif data.kind != "vectors":
        with lent(net, seed):
            state = run(n_threads, lambda: class_state(net, data, codes, before=before))
    net.forget_data()
    take_over(encoder, learnt(data, net, n_threads, seeds, state))
    warn_if_diverged(encoder)
