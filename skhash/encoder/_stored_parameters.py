"""The parameters of an encoder as plain values, and back."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import torch

from skhash.archive import Node, storable
from skhash.losses import LOSSES, HashLoss, from_callable
from skhash.losses.stored import family_of
from skhash.networks import NETWORKS, wrap

# What a training needs, and nothing that is trained does: left out where it is no plain
# value.
_FOR_TRAINING = ("augment", "callbacks", "optimizer", "random_state")
_WRAP = ("freeze", "lr_scale", "raw")

Custom = Callable[[str, str], Any]


def told(encoder: Any) -> tuple[dict[str, Any], list[str]]:
    """The parameters, and names of those that are left out.

    Raises
    ------
    TypeError
        If a parameter is of a kind that no file can hold.
    """
    given, left_out = encoder.get_params(deep=False), []
    given["loss"] = loss_told(given["loss"])
    given["network"] = network_told(given["network"])
    if isinstance(given["device"], torch.device):
        given["device"] = Node("device", {"name": str(given["device"])})
    if isinstance(given["checkpoint"], os.PathLike):
        given["checkpoint"] = os.fspath(given["checkpoint"])
    for name in _FOR_TRAINING:
        if not storable(given[name]):
            given[name] = None
            left_out.append(name)
    if given["net_params"]:
        kept = {k: v for k, v in given["net_params"].items() if storable(v)}
        gone = given["net_params"].keys() - kept.keys()
        left_out += [f"net_params[{name!r}]" for name in sorted(gone)]
        given["net_params"] = kept
    return given, left_out


def made(given: dict[str, Any], custom: Custom) -> dict[str, Any]:
    """The parameters again."""
    found = dict(given)
    found["loss"] = loss_made(given["loss"], custom)
    found["network"] = network_made(given["network"], custom)
    if isinstance(given["device"], Node):
        found["device"] = torch.device(given["device"].content["name"])
    return found


def name_of(thing: Any) -> str:
    """What people call a class, a function, or the class of an object."""
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def loss_told(loss: Any) -> Any:
    """A loss, fitted or not, by its family or name, and its parameters."""
    if isinstance(loss, str):
        return loss
    given = loss.get_params(deep=False)
    plain = {
        name: value if storable(value) else Node("custom", {"name": name_of(value)})
        for name, value in given.items()
    }
    if family := family_of(loss):
        return Node("loss", {"family": family, "parameters": given})
    if type(loss) is _CALLABLE:
        return Node("loss", {"family": "from_callable", "parameters": plain})
    return Node("custom", {"name": name_of(loss), "parameters": plain})


_CALLABLE = type(from_callable(max))


def loss_made(plain: Any, custom: Custom) -> Any:
    """The loss that `loss_told` has told of, without what it has learnt."""
    if isinstance(plain, str):
        return plain
    what = "a loss"
    given = {
        name: custom(value.content["name"], f"parameter {name!r} of {what}")
        if isinstance(value, Node)
        else value
        for name, value in plain.content["parameters"].items()
    }
    if plain.kind == "loss":
        family = plain.content["family"]
        if family == "from_callable":
            return from_callable(given["function"], miner=given["miner"])
        return LOSSES[family](**given)
    found = custom(plain.content["name"], what)
    loss = found if isinstance(found, HashLoss) else found(**given)
    if not isinstance(loss, HashLoss):
        raise TypeError(
            f"{plain.content['name']} made a {type(loss).__name__}, no loss"
        )
    return loss


def is_custom(network: Any) -> bool:
    """Whether the encoder's parameter `network` is not of skhash."""
    plain = network_told(network)
    return isinstance(plain, Node) and plain.kind == "custom"


def network_told(network: Any) -> Any:
    """The encoder's parameter `network`: a name, a function of ours, or its name."""
    if isinstance(network, str):
        return network
    names = {function: name for name, function in NETWORKS.items()}
    function = network.func if isinstance(network, functools.partial) else network
    if not isinstance(function, (torch.nn.Module, wrap)) and function in names:
        if function is network:
            return Node("network", {"name": names[function]})
        if not network.args and storable(network.keywords):
            told = {"name": names[function], "keywords": dict(network.keywords)}
            return Node("network", told)
    if isinstance(network, wrap):
        options = {name: getattr(network, name) for name in _WRAP}
        return Node("custom", {"name": name_of(network.module), "wrap": options})
    return Node("custom", {"name": name_of(function)})


def network_made(plain: Any, custom: Custom) -> Any:
    """The encoder's parameter `network` again; custom ones as the caller gives them."""
    if isinstance(plain, str):
        return plain
    if plain.kind == "network":
        function = NETWORKS[plain.content["name"]]
        if "keywords" not in plain.content:
            return function
        return functools.partial(function, **plain.content["keywords"])
    found = custom(plain.content["name"], "the network")
    if "wrap" in plain.content and isinstance(found, torch.nn.Module):
        return wrap(found, **plain.content["wrap"])
    return found
