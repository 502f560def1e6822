"""Network, loss and net of a training, from an encoder's parameters and its data."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn

from skhash.encoder._auto import choose_amp, choose_device
from skhash.encoder._data.arrays import fitted_layout
from skhash.encoder._data.batches import batches_in_order
from skhash.encoder._data.inputs import TrainingData, moments
from skhash.encoder._net import DeepHashNet
from skhash.encoder._schedules import OPTIMIZERS
from skhash.encoder._supervision import batch_size_of, make_loss
from skhash.losses import HashLoss, Stage
from skhash.networks import (
    NETWORKS,
    HashNetwork,
    Standardize,
    borrowed_generator,
    build_network,
    output_width,
    set_mode,
)

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# Items that tell where to start, and how many are worked through at a time.
_STARTING, _TOGETHER = 10_000, 512


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
        if random_state is None:
            rng = np.random.RandomState()
        else:
            rng = check_random_state(random_state)
        return cls(*(int(seed) for seed in rng.randint(2**31 - 1, size=4)))


def make_network(
    encoder: DeepHashEncoder, data: TrainingData, loss: HashLoss, seed: int
) -> Any:
    """The network, its first layer standardising with the data's mean and scale."""
    shape = data.layout.network_shape
    normalize, asked = encoder.normalize_z, encoder.network
    rows = isinstance(asked, str) and asked == "auto" and len(shape) == 1
    network = build_network(
        loss.network if rows else asked,
        shape,
        encoder.n_bits,
        normalize_z=loss.normalize_z if normalize == "auto" else normalize,
        generator=torch.Generator().manual_seed(seed),
    )
    last, raw = data.layout.channels_last, network.raw
    first = Standardize(shape, channels_last=last, raw=raw)
    found = moments(data, encoder.n_features_in_)
    first.set_moments(*(torch.from_numpy(np.asarray(value)) for value in found))
    network.standardize = first
    network.origin = network_name(encoder.network)
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
    y, weight = data.y, data.y_weight
    if data.kind == "classes" and data.labels.n_classes < len(data.classes):
        weight = torch.ones(len(y)) if weight is None else weight
        y = torch.cat([y, torch.arange(len(data.classes))])
        weight = torch.cat([weight, torch.zeros(len(data.classes))])
    extra = {}
    if any(stage.input == "features" for stage in plan):
        shape = network.standardize.input_shape
        extra["n_features"] = output_width(network.body, shape)
    generator = torch.Generator().manual_seed(seed)
    loss.setup(n_bits, y, sample_weight=weight, generator=generator, **extra)
    if getattr(loss, "n_bits_", None) != n_bits:
        raise ValueError(
            f"{type(loss).__name__}.setup must call super().setup(n_bits, y, "
            "sample_weight=sample_weight, generator=generator) and return self."
        )


def check_plan(plan: list[Stage], n_epochs: int, network: HashNetwork) -> None:
    """Refuse a plan that cannot be carried out."""
    total = sum(stage.epochs for stage in plan)
    if total != n_epochs:
        raise ValueError(
            f"The plan of the loss has {total} epochs instead of {n_epochs}: {plan}."
        )
    for stage in plan:
        part = getattr(network, stage.train, None)
        if part is not None and not any(p.requires_grad for p in part.parameters()):
            raise ValueError(
                f"The plan trains the {stage.train!r} of the network alone, but this "
                "network has none with parameters to train. Give a body (it gets a "
                "hash layer) or return a skhash.networks.HashNetwork."
            )


def optimizer_settings(encoder: DeepHashEncoder) -> dict[str, Any]:
    """What an encoder's net is told of its optimiser."""
    optimizer, defaults = encoder.optimizer, {}
    if isinstance(optimizer, str):
        optimizer, defaults = OPTIMIZERS[optimizer]
    if "weight_decay" in inspect.signature(optimizer).parameters:
        defaults = {"weight_decay": encoder.weight_decay, **defaults}
    named = {f"optimizer__{name}": value for name, value in defaults.items()}
    return {"optimizer": optimizer, **named}


def make_net(
    encoder: DeepHashEncoder,
    network: HashNetwork,
    loss: HashLoss,
    lr_schedule: str,
    seed: int,
) -> DeepHashNet:
    """The skorch net of an encoder; `net_params` have the last word."""
    settings: dict[str, Any] = {
        **optimizer_settings(encoder),
        "lr": encoder.lr,
        "batch_size": batch_size_of(encoder),
        "train_split": None,
        "device": choose_device(encoder.device),
        "verbose": 0,
        "lr_schedule": lr_schedule,
        "iterator_train__shuffle": True,
        "iterator_train__generator": torch.Generator().manual_seed(seed),
        **(encoder.net_params or {}),
    }
    amp = settings.pop("amp", False)
    settings["amp"] = choose_amp(amp, network, settings["device"])
    try:
        return DeepHashNet(network, loss, **settings).initialize()
    except TypeError as error:
        raise ValueError(
            f"The optimiser or skorch refused a parameter: {error}. Look at "
            f"optimizer={encoder.optimizer!r} and net_params={encoder.net_params!r}."
        ) from error


def prepare(
    encoder: DeepHashEncoder, data: TrainingData, n_epochs: int, seeds: Seeds
) -> tuple[HashNetwork, HashLoss]:
    """Network and loss of a training that starts from nothing."""
    loss = make_loss(encoder.loss)
    if data.kind == "sets":
        loss.check_width(data.labels.n_classes)
    takes = inspect.signature(loss.forward).parameters
    weighted = data.items.sample_weight is not None
    if weighted and len(takes) < 3 and "sample_weight" not in takes:
        raise ValueError(
            f"{type(loss).__name__}.forward takes no sample_weight: give it the "
            "signature forward(z, y, sample_weight=None), or fit without weights."
        )
    plan = loss.plan(n_epochs)
    network = make_network(encoder, data, loss, seeds.network)
    check_plan(plan, n_epochs, network)
    setup_loss(loss, plan, data, network, encoder.n_bits, seeds.loss)
    if makes_head(encoder.network):
        set_start(network, loss, data, encoder.n_bits, seeds.loss)
    return network, loss


def makes_head(network: Any) -> bool:
    """Whether the hash layer is new: not one that the user's own network brings."""
    if isinstance(network, nn.Module):
        return not isinstance(network, HashNetwork)
    made = getattr(network, "func", network)  # of a partial
    return isinstance(network, str) or made in NETWORKS.values()


def set_start(
    network: HashNetwork, loss: HashLoss, data: TrainingData, n_bits: int, seed: int
) -> None:
    """Let a linear hash layer begin with the weights that the loss knows, if any.

    They are for what comes to the layer as it is, where the body puts features beside
    it: these begin without weight.
    """
    head: Any = network.head
    head = head[0] if isinstance(head, nn.Sequential) and len(head) else head
    if type(loss).start is HashLoss.start or not isinstance(head, nn.Linear):
        return
    count = min(len(data.items), _STARTING)
    places = np.arange(count) * len(data.items) // count
    set_mode(network, False)
    with torch.no_grad():
        batches = batches_in_order(data.items.subset(places), _TOGETHER)
        features = torch.cat([network.features(batch) for batch in batches])
        width = getattr(network.body, "n_plain", features.shape[1])
        generator = torch.Generator().manual_seed(seed)
        found = loss.start(features[:, :width], n_bits, generator)
        if found is not None:
            head.weight.zero_()
            head.weight[:, :width] = found[0]
            if head.bias is not None:
                head.bias.copy_(found[1])
    set_mode(network, True)


def reuse(encoder: DeepHashEncoder, data: TrainingData) -> tuple[HashNetwork, HashLoss]:
    """Network and loss of the previous training (`warm_start`)."""
    network, loss = encoder.net_.module_, encoder.net_.criterion_
    classes = getattr(encoder, "classes_", np.empty(0))  # vectors have none
    before = classes, encoder.input_shape_, loss.n_bits_, repr(loss)
    asked = repr(make_loss(encoder.loss))
    now = data.classes, data.item_shape, encoder.n_bits, asked
    same = all(np.array_equal(a, b) for a, b in zip(before, now, strict=True))
    same &= data.layout == fitted_layout(encoder)
    if not same or network.origin != network_name(encoder.network):
        raise ValueError(
            "warm_start=True goes on from the previous fit and needs the same classes, "
            "item shape, n_bits, loss and network; they were "
            f"{(*before, network.origin)}, now they are "
            f"{(*now, network_name(encoder.network))}. Use warm_start=False to start "
            "anew."
        )
    return network, loss


def network_name(network: Any) -> str:
    """The encoder's `network` as a word, to tell two apart."""
    return network if isinstance(network, str) else type(network).__name__


def check_net(encoder: DeepHashEncoder) -> None:
    """Refuse `optimizer` and `net_params` that skorch would, before the real net."""
    if encoder.net_params or not isinstance(encoder.optimizer, str):
        with borrowed_generator(0):
            tiny = HashNetwork(nn.Identity(), nn.Linear(1, 1))
            make_net(encoder, tiny, HashLoss(), "constant", 0)
