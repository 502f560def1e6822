"""Ready-made networks: linear, mlp, convnet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from skhash.networks._layers import Dropout, HashNetwork, draw_seed, hash_layer


def _dense(
    n_in: int, n_out: int, generator: torch.Generator | None, *, bias: bool = True
) -> nn.Linear:
    layer = skip_init(nn.Linear, n_in, n_out, bias=bias)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


class ChannelsLast(nn.Module):
    """Lays images out with their channels last, as CPU convolutions prefer."""

    def forward(self, x: Tensor) -> Tensor:
        """The same values in another order in memory."""
        return x.contiguous(memory_format=torch.channels_last)


def _conv(
    n_in: int, n_out: int, generator: torch.Generator | None, *, pool: bool = False
) -> nn.Sequential:
    layer = skip_init(nn.Conv2d, n_in, n_out, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    # Pooling first leaves a quarter of the values to normalise.
    pooling = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(layer, *pooling, nn.BatchNorm2d(n_out), nn.ReLU())


def linear(
    input_shape: Sequence[int],
    n_bits: int,
    *,
    normalize_z: bool = False,
    generator: torch.Generator | None = None,
) -> HashNetwork:
    """Hash layer alone: each bit is a hyperplane.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one item.
    n_bits : int
        Length of the codes.
    normalize_z : bool, default=False
        See `hash_layer`.
    generator : torch.Generator, default=None
        Source of the initial weights.

    Returns
    -------
    network : HashNetwork

    Examples
    --------
    >>> import torch
    >>> from skhash.networks import linear
    >>> network = linear((64,), n_bits=16)
    >>> network(torch.zeros(2, 64)).shape
    torch.Size([2, 16])
    """
    width = math.prod(input_shape)
    head = hash_layer(width, n_bits, normalize=normalize_z, generator=generator)
    return HashNetwork(nn.Flatten(), head)


def mlp(
    input_shape: Sequence[int],
    n_bits: int,
    *,
    hidden: Sequence[int] = (256, 128),
    dropout: float = 0.0,
    normalize_z: bool = False,
    generator: torch.Generator | None = None,
) -> HashNetwork:
    """Dense layers with batch norm and ReLU, then the hash layer.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one item.
    n_bits : int
        Length of the codes.
    hidden : sequence of int, default=(256, 128)
        Widths of the hidden layers; use ``functools.partial(mlp, hidden=...)`` as
        the encoder's `network` for others. On 10 000 images of MNIST and
        Fashion-MNIST (512, 256) gained .003 and .01 of mAP in twice the time.
    dropout : float, default=0.0
        Probability to drop a hidden value, in [0, 1).
    normalize_z : bool, default=False
        See `hash_layer`.
    generator : torch.Generator, default=None
        Source of the initial weights and of the dropout.

    Returns
    -------
    network : HashNetwork

    Examples
    --------
    >>> import torch
    >>> from skhash.networks import mlp
    >>> network = mlp((64,), n_bits=16, hidden=(32,))
    >>> network(torch.zeros(2, 64)).shape
    torch.Size([2, 16])
    """
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(input_shape)
    for n_out in hidden:
        layers += [_dense(width, n_out, generator, bias=False)]
        layers += [nn.BatchNorm1d(n_out), nn.ReLU()]
        if dropout:
            layers.append(Dropout(dropout, draw_seed(generator)))
        width = n_out
    head = hash_layer(width, n_bits, normalize=normalize_z, generator=generator)
    return HashNetwork(nn.Sequential(*layers), head)


def convnet(
    input_shape: Sequence[int],
    n_bits: int,
    *,
    width: int = 32,
    hidden: int = 128,
    dropout: float = 0.0,
    normalize_z: bool = False,
    generator: torch.Generator | None = None,
) -> HashNetwork:
    """Small VGG-style network for images of about 28 x 28 to 64 x 64 pixels.

    Four convolutions of 3 x 3 with batch norm and ReLU on three scales, one dense
    layer, then the hash layer.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width) of one image, at least 8 x 8 pixels.
    n_bits : int
        Length of the codes.
    width : int, default=32
        Channels on the second scale; the first has half as many, the third twice as
        many.
    hidden : int, default=128
        Width of the dense layer.
    dropout : float, default=0.0
        Probability to drop a value of the dense layer, in [0, 1).
    normalize_z : bool, default=False
        See `hash_layer`.
    generator : torch.Generator, default=None
        Source of the initial weights and of the dropout.

    Returns
    -------
    network : HashNetwork

    Raises
    ------
    ValueError
        If `input_shape` is not that of an image.

    Examples
    --------
    >>> import torch
    >>> from skhash.networks import convnet
    >>> network = convnet((1, 28, 28), n_bits=16)
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 16])
    """
    if len(input_shape) != 3:
        raise ValueError(
            "network='convnet' needs images: X of shape (n, height, width) or "
            "(n, height, width, channels), or flat rows with input_shape=(height, "
            f"width). Got items of shape {tuple(input_shape)}; for these use "
            "network='mlp'."
        )
    channels, height, breadth = input_shape
    if min(height, breadth) < 8:
        raise ValueError(
            "network='convnet' needs images of at least 8 x 8 pixels, got "
            f"{height} x {breadth}. Use network='mlp' for smaller ones."
        )
    body: list[nn.Module] = [
        ChannelsLast(),
        _conv(channels, width // 2, generator, pool=True),
        _conv(width // 2, width, generator),
        _conv(width, width, generator, pool=True),
        _conv(width, 2 * width, generator, pool=True),
        nn.Flatten(),
        _dense(2 * width * (height // 8) * (breadth // 8), hidden, generator),
        nn.ReLU(),
    ]
    if dropout:
        body.append(Dropout(dropout, draw_seed(generator)))
    head = hash_layer(hidden, n_bits, normalize=normalize_z, generator=generator)
    # torch documents memory_format for modules, but its types do not list it.
    layers = nn.Sequential(*body).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return HashNetwork(layers, head)
