"""Any torch module as a network: a hash layer on top, parts that can be addressed."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from skhash.networks._convnet import convnet
from skhash.networks._layers import Dropout, HashNetwork, draw_seed, hash_layer
from skhash.networks._random import borrowed_generator
from skhash.networks._standard import linear, mlp, residual

NETWORKS: dict[str, Callable[..., HashNetwork]] = {
    "linear": linear,
    "mlp": mlp,
    "residual": residual,
    "convnet": convnet,
}


class wrap:
    """A torch body of any kind, made into a network by a hash layer on top.

    Parameters
    ----------
    module : nn.Module
        The body: takes a float tensor ``(n, *input_shape)``, returns (n, n_features) or
        anything that flattens to it. It is copied before training.
    freeze : bool, str or sequence of str, default=False
        True: the whole body is left as it is and stays in evaluation mode. Names:
        only the submodules with these names, e.g. ``("conv1", "layer1")``.
    lr_scale : float, default=0.1
        Factor on the learning rate of the body; pre-trained weights want small steps.
    raw : bool, default=False
        True: items reach the body as they are, cast to float32 and with channels first,
        instead of standardised by the training data. For a pre-trained body that
        begins with its own preprocessing.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from skhash import DeepHashEncoder
    >>> from skhash.networks import wrap
    >>> body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    >>> X = np.random.default_rng(0).normal(size=(40, 4))
    >>> network = wrap(body, freeze=True)
    >>> encoder = DeepHashEncoder(4, network=network, random_state=0)
    >>> encoder.fit(X, X[:, 0] > 0).transform(X).shape
    (40, 1)
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        freeze: bool | Sequence[str] = False,
        lr_scale: float = 0.1,
        raw: bool = False,
    ) -> None:
        self.module = module
        self.freeze = freeze
        self.lr_scale = lr_scale
        self.raw = raw

    def __repr__(self) -> str:
        name = type(self.module).__name__
        raw = ", raw=True" if self.raw else ""
        return (
            f"wrap({name}(...), freeze={self.freeze!r}, lr_scale={self.lr_scale}{raw})"
        )

    def __call__(
        self,
        input_shape: Sequence[int],
        n_bits: int,
        *,
        normalize_z: bool = False,
        generator: torch.Generator | None = None,
    ) -> HashNetwork:
        """Build the network, see `mlp`."""
        body = copy.deepcopy(self.module)
        _own_dropout(body, generator)
        if self.freeze is True:
            frozen = [body]
        else:
            names = [self.freeze] if isinstance(self.freeze, str) else self.freeze
            frozen = [_submodule(body, name) for name in names or ()]
        for module in frozen:
            module.requires_grad_(False)
            module.frozen = True  # type: ignore[assignment]
        body = nn.Sequential(body, nn.Flatten())
        width = output_width(body, input_shape)
        head = hash_layer(width, n_bits, normalize=normalize_z, generator=generator)
        scales = {"body": self.lr_scale}
        return HashNetwork(body, head, lr_scale=scales, raw=self.raw)


def _submodule(body: nn.Module, name: str) -> nn.Module:
    try:
        return body.get_submodule(name)
    except AttributeError:
        known = ", ".join(repr(child) for child, _ in body.named_children())
        raise ValueError(
            f"freeze={name!r} is not a part of {type(body).__name__}; its direct "
            f"parts are {known or 'none'}."
        ) from None


def _own_dropout(module: nn.Module, generator: torch.Generator | None) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, Dropout(child.p, draw_seed(generator)))
        else:
            _own_dropout(child, generator)


def output_width(module: nn.Module, input_shape: Sequence[int]) -> int:
    """Number of columns that a module returns for items of `input_shape`.

    It is tried in evaluation mode on two items of zeros, and refused if that fails.
    """
    modes = {part: part.training for part in module.modules()}
    module.eval()
    like = next(module.parameters(), torch.empty(0))
    try:
        with torch.no_grad():
            out = module(torch.zeros(2, *input_shape, device=like.device))
    except Exception as error:
        raise ValueError(
            f"The network cannot process items of shape {tuple(input_shape)} "
            "(features, or channels first for images): "
            f"{type(error).__name__}: {error}"
        ) from error
    finally:
        for part, training in modes.items():
            part.training = training
    if not isinstance(out, Tensor) or out.ndim != 2 or len(out) != 2:
        got = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise ValueError(
            "The network must return a tensor of shape (n_items, n_columns); for 2 "
            f"items it returned {got}."
        )
    return out.shape[1]


def build_network(
    network: str | nn.Module | Callable[..., nn.Module],
    input_shape: Sequence[int],
    n_bits: int,
    *,
    normalize_z: bool,
    generator: torch.Generator,
) -> HashNetwork:
    """Make the network that the encoder's parameter `network` asks for.

    That is "auto", a key of `NETWORKS`, a body (see `wrap`), or a function
    ``(input_shape, n_bits) -> nn.Module``; `generator` draws the initial weights.
    """
    if isinstance(network, nn.Module):
        network = wrap(network, lr_scale=1.0)
    if isinstance(network, str):
        if network == "auto":
            big = len(input_shape) == 3 and min(input_shape[1:]) >= 8
            network = "convnet" if big else "mlp"
        return NETWORKS[network](
            tuple(input_shape), n_bits, normalize_z=normalize_z, generator=generator
        )
    # A stream of its own, and no draw: a function of ours gives what its name gives.
    with borrowed_generator(generator.initial_seed() + 1):
        return _build_foreign(network, input_shape, n_bits, normalize_z, generator)


def _build_foreign(
    network: Callable[..., nn.Module],
    input_shape: Sequence[int],
    n_bits: int,
    normalize_z: bool,
    generator: torch.Generator,
) -> HashNetwork:
    parameters = inspect.signature(network).parameters
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    offered = {"normalize_z": normalize_z, "generator": generator}
    keywords = {
        name: value
        for name, value in offered.items()
        if name in parameters or any_keyword
    }
    module = network(tuple(input_shape), n_bits, **keywords)
    if not isinstance(module, HashNetwork):
        return _complete(module, input_shape, n_bits, normalize_z, generator)
    width = output_width(module, input_shape)
    if width != n_bits:
        raise ValueError(
            f"The network returned {width} columns instead of n_bits={n_bits}. Use the "
            "n_bits that the function is given, or return a body alone (it gets a hash "
            "layer)."
        )
    return module


def _complete(
    module: nn.Module,
    input_shape: Sequence[int],
    n_bits: int,
    normalize_z: bool,
    generator: torch.Generator,
) -> HashNetwork:
    """Address the parts of a user's module; add a hash layer where it has none."""
    if not isinstance(module, nn.Module):
        raise TypeError(
            "network must return a torch.nn.Module, got "
            f"{type(module).__name__}: write a function (input_shape, n_bits) -> "
            "nn.Module."
        )
    _own_dropout(module, generator)
    width = output_width(module, input_shape)
    head: nn.Module = nn.Identity()
    if width != n_bits:
        head = hash_layer(width, n_bits, normalize=normalize_z, generator=generator)
    elif normalize_z:
        head = nn.BatchNorm1d(n_bits, affine=False)
    return HashNetwork(module, head)
