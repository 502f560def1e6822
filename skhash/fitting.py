"""From an encoder's parameters and checked data to a trained net.

What ``fit`` and ``partial_fit`` share. Nothing is set on the encoder before its
training has ended.
"""

from __future__ import annotations

import contextlib
import copy
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skhash.batches import BalancedSampler, EncodedDataset, ShuffledSampler
from skhash.callbacks import KeepBest, Progress, Watch
from skhash.choices import (
    choose_balance,
    choose_device,
    choose_epochs,
    choose_threads,
    step_work,
)
from skhash.hamming import pack, unpack
from skhash.inputs import TrainingData, moments
from skhash.losses import LOSSES, HashLoss, Stage
from skhash.metrics import code_health, mean_average_precision
from skhash.networks import HashNetwork, Standardize, build, output_width
from skhash.training import OPTIMIZERS, DeepHashNet, FollowPlan, torch_threads


@dataclass(frozen=True)
class Seeds:
    """Seeds of everything that is random in a training, drawn from `random_state`."""

    network: int
    loss: int
    batches: int
    split: int

    @classmethod
    def draw(cls, random_state: Any) -> Seeds:
        """Four seeds; leaves numpy's and torch's global generators alone."""
        rng = check_random_state(random_state)
        return cls(*(int(seed) for seed in rng.randint(2**31 - 1, size=4)))


def make_loss(loss: str | HashLoss) -> HashLoss:
    """A fresh loss from a name or from the user's instance, which stays unchanged."""
    return LOSSES[loss]() if isinstance(loss, str) else clone(loss)


def make_network(encoder: Any, data: TrainingData, loss: HashLoss, seed: int) -> Any:
    """The network, its first layer standardising with the data's mean and scale."""
    shape = data.item_shape
    from_torch = isinstance(data.items, EncodedDataset)
    if len(shape) == 2:
        shape = (1, *shape)
    elif len(shape) == 3 and not from_torch:
        shape = (shape[2], *shape[:2])
    normalize = encoder.normalize_z
    network = build(
        encoder.network,
        shape,
        encoder.n_bits,
        normalize_z=loss.normalize_z if normalize == "auto" else normalize,
        generator=torch.Generator().manual_seed(seed),
    )
    first = Standardize(shape, channels_last=len(shape) == 3 and not from_torch)
    mean, scale = moments(data, encoder.n_features_in_)
    for name, value in (("mean", mean), ("scale", scale)):
        buffer = getattr(first, name)
        buffer.copy_(torch.from_numpy(np.asarray(value)).reshape(buffer.shape))
    network.standardize = first
    return network


def setup_loss(
    loss: HashLoss,
    plan: list[Stage],
    data: TrainingData,
    network: HashNetwork,
    n_bits: int,
    seed: int,
) -> None:
    """Show the loss the labels, once; classes still to come count as weightless."""
    y, weight = data.y, data.items.sample_weight
    if y.ndim == 1 and len(torch.unique(y)) < len(data.classes):
        weight = torch.ones(len(y)) if weight is None else weight
        y = torch.cat([y, torch.arange(len(data.classes))])
        weight = torch.cat([weight, torch.zeros(len(data.classes))])
    extra = {}
    if any(stage.input == "features" for stage in plan):
        shape = network.standardize.input_shape
        extra["n_features"] = output_width(network.body, shape)
    generator = torch.Generator().manual_seed(seed)
    loss.setup(n_bits, y, sample_weight=weight, generator=generator, **extra)


def check_plan(plan: list[Stage], n_epochs: int, network: HashNetwork) -> None:
    """Refuse a plan that can not be carried out."""
    total = sum(stage.epochs for stage in plan)
    if total != n_epochs:
        raise ValueError(
            f"The plan of the loss has {total} epochs instead of {n_epochs}: {plan}."
        )
    for stage in plan:
        part = getattr(network, stage.train, None)
        if part is not None and not any(True for _ in part.parameters()):
            raise ValueError(
                f"The plan trains the {stage.train!r} of the network alone, but this "
                "network has none with parameters. Give a body (it gets a hash layer) "
                "or return a skhash.networks.HashNetwork."
            )


def make_net(
    encoder: Any,
    network: HashNetwork,
    loss: HashLoss,
    lr_schedule: str,
    n_items: int,
    seed: int,
) -> DeepHashNet:
    """The skorch net of an encoder; `net_params` have the last word."""
    optimizer, defaults = encoder.optimizer, {}
    if isinstance(optimizer, str):
        optimizer, defaults = OPTIMIZERS[optimizer]
    settings: dict[str, Any] = {
        "optimizer": optimizer,
        "optimizer__weight_decay": encoder.weight_decay,
        **{f"optimizer__{name}": value for name, value in defaults.items()},
        "lr": encoder.lr,
        "batch_size": encoder.batch_size,
        "train_split": None,
        "device": choose_device(encoder.device),
        "verbose": 0,
        "lr_schedule": lr_schedule,
        "iterator_train__shuffle": True,
        "iterator_train__generator": torch.Generator().manual_seed(seed),
        # batch norm can not learn from a single item
        "iterator_train__drop_last": n_items % encoder.batch_size == 1,
        **(encoder.net_params or {}),
    }
    return DeepHashNet(network, loss, **settings).initialize()


def set_callbacks(net: DeepHashNet, encoder: Any, own: dict[str, Any]) -> None:
    """Our callbacks, then copies of the user's."""
    users = [
        callback if isinstance(callback, tuple) else (f"callback_{i}", callback)
        for i, callback in enumerate(copy.deepcopy(encoder.callbacks or []))
    ]
    net.callbacks = [*own.items(), *users]
    net.initialize_callbacks()


def set_sampler(net: DeepHashNet, encoder: Any, data: TrainingData, seed: int) -> None:
    """Shuffled or class-balanced batches of the items."""
    batch_size, y = encoder.batch_size, data.y
    if isinstance(data.items, EncodedDataset):
        return
    n_items = choose_balance(encoder.balanced_batches, net.criterion_, y, batch_size)
    if n_items:
        net.sampler = BalancedSampler(y.numpy(), batch_size, n_items, seed)
    else:
        net.sampler = ShuffledSampler(len(data.items), batch_size, seed)


def split(
    encoder: Any, data: TrainingData, seed: int
) -> tuple[TrainingData, TrainingData | None]:
    """The part to train on and, for early stopping, the part to validate on."""
    if not encoder.early_stopping:
        return data, None
    labels = None if data.multilabel else data.y.numpy()
    if labels is not None and np.bincount(labels).min() < 2:
        labels = None  # a class of one item can not be on both sides
    kept, held_out = train_test_split(
        np.arange(len(data.items)),
        test_size=encoder.validation_fraction,
        stratify=labels,
        random_state=seed,
    )
    return (
        replace(data, items=data.items.subset(kept)),
        replace(data, items=data.items.subset(held_out)),
    )


def retrieval_score(
    train: TrainingData, valid: TrainingData
) -> Callable[[DeepHashNet], float]:
    """Tie-aware mean average precision of the validation part against the rest."""

    def score(net: DeepHashNet) -> float:
        queries, database = encode(net, valid), encode(net, train)
        return mean_average_precision(
            queries, database, valid.y.numpy(), train.y.numpy()
        )

    return score


@contextlib.contextmanager
def foreign_randomness(network: Any, seed: int) -> Iterator[None]:
    """Seed torch's global generator for a user's module; put it back afterwards."""
    with torch.random.fork_rng(devices=[]):
        if not isinstance(network, str):
            torch.manual_seed(seed)
        yield


def encode(net: DeepHashNet, data: TrainingData) -> np.ndarray:
    """Packed codes of the items, never all their real outputs at once."""
    return np.concatenate([pack(z > 0) for z in net.encode(data.items)])


def health_of(z: np.ndarray) -> dict[str, float]:
    """Code health of outputs z, for the history."""
    return code_health(pack(z > 0), z.shape[1])


def prepare(
    encoder: Any, data: TrainingData, n_epochs: int, seeds: Seeds
) -> tuple[HashNetwork, HashLoss]:
    """Network and loss of a training that starts from nothing."""
    loss = make_loss(encoder.loss)
    plan = loss.plan(n_epochs)
    network = make_network(encoder, data, loss, seeds.network)
    check_plan(plan, n_epochs, network)
    setup_loss(loss, plan, data, network, encoder.n_bits, seeds.loss)
    return network, loss


def reuse(encoder: Any, data: TrainingData) -> tuple[HashNetwork, HashLoss]:
    """Network and loss of the previous training (`warm_start`)."""
    before = encoder.classes_, encoder.input_shape_, encoder.net_.criterion_.n_bits_
    now = data.classes, data.item_shape, encoder.n_bits
    if not all(np.array_equal(a, b) for a, b in zip(before, now, strict=True)):
        raise ValueError(
            "warm_start=True goes on from the previous fit and needs the same classes, "
            f"item shape and n_bits; they were {before}, now they are {now}. Use "
            "warm_start=False to start anew."
        )
    return encoder.net_.module_, encoder.net_.criterion_


def fit(encoder: Any, data: TrainingData) -> None:
    """Train an encoder on checked data and set what it has learnt."""
    seeds = Seeds.draw(encoder.random_state)
    train, valid = split(encoder, data, seeds.split)
    n_batches = math.ceil(len(train.items) / encoder.batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches)
    if encoder.warm_start and hasattr(encoder, "net_"):
        network, loss = reuse(encoder, data)
    else:
        network, loss = prepare(encoder, train, n_epochs, seeds)
    callbacks = {"plan": FollowPlan(loss.plan(n_epochs)), "watch": Watch(health_of)}
    if valid is not None:
        score = retrieval_score(train, valid)
        callbacks["best"] = KeepBest(score, encoder.n_iter_no_change)
    if encoder.verbose:
        callbacks["progress"] = Progress(n_epochs)
    work = step_work(network, data.item_shape, encoder.batch_size)
    n_threads = choose_threads(encoder.n_jobs, work)
    net = make_net(
        encoder, network, loss, encoder.lr_schedule, len(train.items), seeds.batches
    )
    set_callbacks(net, encoder, callbacks)
    set_sampler(net, encoder, train, seeds.batches)
    net.max_epochs = n_epochs
    with foreign_randomness(encoder.network, seeds.network), torch_threads(n_threads):
        net.partial_fit(train.items)
        codes = encode(net, train)
    net.slim(list(callbacks))
    remember(encoder, data, net, n_threads, seeds)
    encoder._class_sums = class_sums(codes, train, encoder.n_bits)
    warn_if_unhealthy(encoder, codes)


def partial_fit(encoder: Any, data: TrainingData, *, first: bool) -> None:
    """Train an encoder for one epoch on checked data."""
    n_batches = math.ceil(len(data.items) / encoder.batch_size)
    n_epochs = choose_epochs(encoder.max_epochs, n_batches)
    if first:
        seeds = Seeds.draw(encoder.random_state)
        network, loss = prepare(encoder, data, n_epochs, seeds)
        work = step_work(network, data.item_shape, encoder.batch_size)
        n_threads = choose_threads(encoder.n_jobs, work)
        net = make_net(
            encoder, network, loss, "constant", len(data.items), seeds.batches
        )
        sums = np.zeros((len(data.classes), encoder.n_bits + 1))
    else:
        net, n_threads, seeds = encoder.net_, encoder._n_threads, encoder._seeds
        sums = encoder._class_sums
        net.lr_schedule = "constant"
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
    with foreign_randomness(encoder.network, seed), torch_threads(n_threads):
        net.partial_fit(data.items)
        codes = encode(net, data)
    remember(encoder, data, net, n_threads, seeds)
    if not data.multilabel:
        sums = sums + class_sums(codes, data, encoder.n_bits)
    encoder._class_sums = sums


def remember(
    encoder: Any, data: TrainingData, net: DeepHashNet, n_threads: int, seeds: Seeds
) -> None:
    """Set what the encoder has learnt."""
    encoder.net_ = net
    encoder.classes_ = data.classes
    encoder.multilabel_ = data.multilabel
    encoder.input_shape_ = data.item_shape
    encoder.history_ = [
        {name: value for name, value in row.items() if name != "batches"}
        for row in net.history
    ]
    encoder.n_iter_ = len(encoder.history_)
    encoder._n_threads = n_threads
    encoder._seeds = seeds


def class_sums(codes: np.ndarray, data: TrainingData, n_bits: int) -> Any:
    """Per class the weighted sum of the signs of each bit and, last, the weight."""
    if data.multilabel:
        return None
    weight = data.items.sample_weight
    y = data.y.numpy()
    weights = np.ones(len(y)) if weight is None else weight.numpy().astype(float)
    sums = np.zeros((len(data.classes), n_bits + 1))
    sums[:, -1] = np.bincount(y, weights, minlength=len(sums))
    for rows in range(0, len(codes), 4096):
        chunk = slice(rows, rows + 4096)
        signs = np.where(unpack(codes[chunk], n_bits), 1.0, -1.0)
        np.add.at(sums[:, :-1], y[chunk], signs * weights[chunk, None])
    return sums


def warn_if_unhealthy(encoder: Any, codes: np.ndarray) -> None:
    """Say what went wrong in a training, and what helps."""
    last = encoder.history_[-1]
    if not math.isfinite(last["train_loss"]):
        warnings.warn(
            f"The loss was {last['train_loss']} in epoch {last['epoch']} and training "
            "stopped; "
            "the codes are useless. Use a smaller learning rate "
            f"(lr={encoder.lr / 10:g}) and look for extreme values in X.",
            ConvergenceWarning,
            stacklevel=4,
        )
        return
    health = code_health(codes, encoder.n_bits)
    if health["n_distinct"] == 1:
        warnings.warn(
            f"All {len(codes)} training items got the same code. Train longer "
            "(max_epochs), use another learning rate, normalize_z=True or a smaller "
            "quantisation weight of the loss.",
            ConvergenceWarning,
            stacklevel=4,
        )
    elif health["dead_bits"] > 0:
        n_dead = round(health["dead_bits"] * encoder.n_bits)
        warnings.warn(
            f"{n_dead} of {encoder.n_bits} bits have the same value for all training "
            "items. Use fewer bits, normalize_z=True, or train longer (max_epochs).",
            ConvergenceWarning,
            stacklevel=4,
        )
