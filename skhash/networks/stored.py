"""A network as plain values and tensors, and back: layers from a closed list.

What a file tells is built without memory for its weights, and gets the tensors of the
file if they are just those that it needs. Networks of other layers are their owner's to
build again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from skhash.networks._convnet import ChannelsLast, Residual
from skhash.networks._layers import Dropout, HashNetwork, Standardize
from skhash.networks._standard import Beside

# Layers that hold no others, with the arguments that make them.
_LAYERS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "BatchNorm1d": (nn.BatchNorm1d, ("num_features", "eps", "momentum", "affine")),
    "BatchNorm2d": (nn.BatchNorm2d, ("num_features", "eps", "momentum", "affine")),
    "ChannelsLast": (ChannelsLast, ()),
    "Conv2d": (
        nn.Conv2d,
        ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    ),
    "Dropout": (Dropout, ("p", "seed")),
    "Flatten": (nn.Flatten, ("start_dim", "end_dim")),
    "Identity": (nn.Identity, ()),
    "Linear": (nn.Linear, ("in_features", "out_features")),
    "MaxPool2d": (nn.MaxPool2d, ("kernel_size",)),
    "ReLU": (nn.ReLU, ()),
    "Standardize": (Standardize, ("input_shape", "channels_last", "raw")),
}
_HAVE_BIAS = ("Conv2d", "Linear")
# Layers that hold others, under these names; of any names in a Sequential.
_HOLDERS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "Beside": (Beside, ("layers",)),
    "HashNetwork": (HashNetwork, ("standardize", "body", "head")),
    "Residual": (Residual, ("steps",)),
    "Sequential": (nn.Sequential, ()),
}


def told(module: nn.Module) -> dict[str, Any]:
    """The structure of a network as plain values.

    Raises
    ------
    TypeError
        If it holds a layer that is not in the list.
    """
    name = type(module).__name__
    if _HOLDERS.get(name, (None,))[0] is type(module):
        parts = {key: told(part) for key, part in module.named_children()}
        found: dict[str, Any] = {"layer": name, "parts": parts}
        if isinstance(module, HashNetwork):
            found |= {"lr_scale": module.lr_scale, "raw": module.raw}
            found["origin"] = module.origin
        if isinstance(module, Beside):
            found["n_plain"] = module.n_plain
        return found
    kind, arguments = _LAYERS.get(name, (None, ()))
    if kind is not type(module):
        raise TypeError(f"a layer of type {type(module).__name__}")
    found = {"layer": name, **{each: getattr(module, each) for each in arguments}}
    if name in _HAVE_BIAS:
        found["bias"] = module.bias is not None
    if isinstance(module, Standardize):
        found["has_rest"] = module.has_rest
    return found


def made(plain: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> HashNetwork:
    """The network that was told of, with these tensors.

    Raises
    ------
    ValueError
        If there is no such network, or it needs other tensors. `KeyError` and others
        say the same of values that `told` never gives.
    """
    with torch.device("meta"):
        network = _layer(plain)
    if not isinstance(network, HashNetwork):
        raise ValueError(f"A {type(network).__name__} is no network")
    fill(network, tensors)
    if any(isinstance(layer, ChannelsLast) for layer in network.modules()):
        # As `convnet` lays out the weights of convolutions.
        network.body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a module, built on the "meta" device, the tensors that it needs.

    Raises
    ------
    ValueError
        If they are not just those, in name, shape and dtype.
    """
    needed = {name: (t.shape, t.dtype) for name, t in module.state_dict().items()}
    given = {name: (t.shape, t.dtype) for name, t in tensors.items()}
    if needed != given:
        odd = next(n for n in {**needed, **given} if needed.get(n) != given.get(n))
        raise ValueError(
            f"The tensor {odd!r} is {given.get(odd)}, but {needed.get(odd)} is needed"
        )
    module.load_state_dict(dict(tensors), assign=True)


def _layer(plain: Mapping[str, Any]) -> nn.Module:
    options = dict(plain)
    name = options.pop("layer")
    if name not in _HOLDERS:
        has_rest = options.pop("has_rest", None)
        layer = _LAYERS[name][0](**options)
        if has_rest is not None:
            layer.has_rest = bool(has_rest)  # type: ignore[assignment]
        return layer
    parts = {key: _layer(part) for key, part in options.pop("parts").items()}
    kind, names = _HOLDERS[name]
    if kind is not nn.Sequential and set(parts) != set(names):
        raise ValueError(f"A {name} has the parts {names}, not {tuple(parts)}")
    if kind is HashNetwork:
        return _network(parts, options)
    made: nn.Module = nn.Sequential()
    if kind is Beside:
        made = Beside(parts["layers"], options.pop("n_plain"))
    elif kind is Residual:
        made = Residual(parts["steps"])
    else:
        for key, part in parts.items():
            made.add_module(key, part)
    if options:
        raise ValueError(f"A {name} has no {list(options)}")
    return made


def _network(parts: Mapping[str, nn.Module], options: dict[str, Any]) -> HashNetwork:
    network = HashNetwork(
        parts["body"],
        parts["head"],
        lr_scale=options.pop("lr_scale"),
        raw=options.pop("raw"),
    )
    network.standardize, network.origin = parts["standardize"], options.pop("origin")
    if options or not isinstance(network.standardize, Standardize):
        raise ValueError(f"A network has no {list(options)}, and begins otherwise")
    return network
