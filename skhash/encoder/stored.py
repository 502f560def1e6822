"""An encoder as plain values, and back: what `skhash.persistence` keeps of one.

`told` makes values that a file can hold of parameters and fitted state; `made` builds
an encoder of them without running anything but its own constructors and, for networks
and losses that are not of skhash, what the caller passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from skhash.archive import storable
from skhash.encoder import _stored_parameters as parameters
from skhash.encoder._auto import device_error
from skhash.encoder._build import Seeds
from skhash.encoder._encoder import DeepHashEncoder
from skhash.encoder._kept import (
    generators_of,
    set_generators,
    set_optimizer,
    storable_rows,
)
from skhash.encoder._learnt import history_of
from skhash.encoder._net import DeepHashNet
from skhash.encoder._schedules import OPTIMIZERS
from skhash.encoder._state import with_tensors, without_tensors
from skhash.encoder._stored_parts import (
    loss_made,
    loss_told,
    network_made,
    network_told,
)

# Fitted attributes that stand for themselves; the others follow from the net.
_PLAIN = (
    *("classes_", "multilabel_", "input_shape_", "n_features_in_"),
    *("feature_names_in_", "_n_threads", "_class_sums", "_temperature"),
    "_sklearn_output_config",
)
_DERIVED = ("net_", "history_", "n_iter_", "_seeds")
# What only scikit-learn's searches and callbacks use.
_LEFT_OUT = ("_metadata_request", "_skl_callbacks")
# Attributes of a net that its constructor takes, beside those of loaders and optimiser.
# Not whether to compile: no file makes a compiler run, and the next fit is asked again.
_SETTINGS = ("lr", "batch_size", "lr_schedule", "amp", "max_epochs")
_PREFIXES = ("optimizer__", "iterator_train__", "iterator_valid__", "dataset__")
_DEVICES = ("cpu", "cuda", "mps", "xpu")
# As many threads as no machine has.
_MOST_THREADS = 1 << 16

Custom = Callable[[str, str], Any]


def told(encoder: DeepHashEncoder) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters and fitted state as plain values, and names of what is left out.

    Raises
    ------
    TypeError
        If a part of the encoder is of a kind that no file can hold.
    """
    given, left_out = parameters.told(encoder)
    own = vars(encoder).keys() - given.keys()
    left_out += sorted(own & {*_LEFT_OUT})
    if odd := own - {*_PLAIN, *_DERIVED, *_LEFT_OUT}:
        raise TypeError(f"The encoder has the attribute {min(odd)!r}, unknown here.")
    state: dict[str, Any] = {}
    if hasattr(encoder, "net_"):
        state = {name: vars(encoder)[name] for name in _PLAIN if name in own}
        state["seeds"] = vars(encoder._seeds)
        state |= _net_told(encoder)
    return given, without_tensors(state), left_out


def _net_told(encoder: DeepHashEncoder) -> dict[str, Any]:
    """The net of a fitted encoder, its network and its loss."""
    net, custom = encoder.net_, parameters.is_custom(encoder.network)
    network, loss = (part for _, part in _parts(net))
    kinds = {kind: name for name, (kind, _) in OPTIMIZERS.items()}
    settings = {
        name: value
        for name, value in vars(net).items()
        if (name in _SETTINGS or name.startswith(_PREFIXES)) and storable(value)
    }
    optimizer = net.optimizer_ if type(net.optimizer_) in kinds else None
    return {
        "network": network_told(network, custom=custom),
        "loss": loss_told(loss),
        "net": {
            "device": str(net.device),
            "optimizer": kinds.get(net.optimizer),
            "settings": settings,
            "validates": net.validates_,
            "history": storable_rows({**row, "batches": []} for row in net.history),
            "earlier": storable_rows(net.earlier_),
        },
        "optimizer": optimizer and optimizer.state_dict(),
        "generators": {
            "loader": _loader_told(net.iterator_train__generator),
            **{name: dict(_drawn(part)) for name, part in _parts(net)},
        },
    }


def _loader_told(generator: torch.Generator) -> Any:
    """The seed of a generator that nothing was drawn from, or else its state."""
    state, seed = generator.get_state(), generator.initial_seed()
    fresh = torch.Generator().manual_seed(seed).get_state()
    return seed if torch.equal(state, fresh) else state


def _set_loader(generator: torch.Generator, told: Any) -> None:
    if isinstance(told, int):
        generator.manual_seed(told)
    else:
        generator.set_state(told)


def _parts(net: DeepHashNet) -> tuple[tuple[str, torch.nn.Module], ...]:
    """Network and loss; of compiled ones, what they were made of."""
    found = {"network": net.module_, "loss": net.criterion_}
    return tuple((n, getattr(part, "_orig_mod", part)) for n, part in found.items())


def _drawn(part: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    """Generators of those modules that have any."""
    return ((place, found) for place, found in generators_of(part).items() if found)


def made(
    kind: type[DeepHashEncoder],
    given: dict[str, Any],
    state: dict[str, Any],
    custom: Custom,
) -> DeepHashEncoder:
    """The encoder of which `told` has told.

    Parameters
    ----------
    kind : type
        The class.
    given, state : dict
        Parameters and state.
    custom : callable
        From the name of a class or function that is not of skhash, and what it is for,
        to what the caller passes in its place.

    Raises
    ------
    ValueError
        If there is no such encoder. Others say the same of values that `told` never
        gives.
    """
    encoder = kind(**parameters.made(given, custom))
    if not state:
        return encoder
    state = with_tensors(state)
    plain = {name: state[name] for name in _PLAIN if name in state}
    _check(plain)
    loss = loss_made(state["loss"], plain, custom)
    network = network_made(state["network"], encoder, loss, custom)
    net = _net_made(state, encoder, network, loss)
    history = history_of(net)
    vars(encoder).update(plain, net_=net, history_=history, n_iter_=len(history))
    encoder._seeds = Seeds(**state["seeds"])
    return encoder


def _check(plain: dict[str, Any]) -> None:
    """Refuse numbers that would make more than a fit does."""
    threads = plain["_n_threads"]
    if type(threads) is not int or not 1 <= threads <= _MOST_THREADS:
        raise ValueError(f"There are no {threads!r} threads")
    classes, sums = plain.get("classes_"), plain.get("_class_sums")
    if classes is None or sums is None:  # learnt from vectors, or from pairs
        return
    if not isinstance(classes, np.ndarray) or len(sums) < len(classes):
        raise ValueError("Classes and what is known of them are of different lengths")


def _net_made(
    state: dict[str, Any], encoder: DeepHashEncoder, network: Any, loss: Any
) -> DeepHashNet:
    kept = state["net"]
    settings, own = {}, {}
    for name, value in kept["settings"].items():
        if name.startswith("optimizer__"):
            own[name] = value
        elif name in _SETTINGS or name.startswith(_PREFIXES):
            settings[name] = value
        else:
            raise ValueError(f"A net has no setting {name!r}")
    kind, loader = kept["optimizer"], torch.Generator()
    device = torch.device(kept["device"])
    here = device.type in _DEVICES and not device_error(device)
    net = DeepHashNet(
        network,
        loss,
        optimizer=OPTIMIZERS[kind or "sgd"][0],
        train_split=None,
        verbose=int(bool(encoder.verbose)),
        device=str(device) if here else "cpu",
        iterator_train__generator=loader,
        **settings,
        **(own if kind else {}),
    ).initialize()
    if state["optimizer"]:
        set_optimizer(net.optimizer_, state["optimizer"])
    else:
        net.optimizer_ = None
    if kind is None:  # the encoder's own, when training goes on
        vars(net).update(own, optimizer=None)
    net.history[:] = kept["history"]
    net.earlier_, net.validates_ = kept["earlier"], kept["validates"]
    _set_loader(loader, state["generators"]["loader"])
    if here:  # those of another device draw otherwise
        for name, part in _parts(net):
            set_generators(part, state["generators"][name], net.device)
    return net
