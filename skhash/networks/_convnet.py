"""Ready-made network for images: convnet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from skhash.networks._layers import Dropout, HashNetwork, draw_seed, hash_layer
from skhash.networks._standard import dense


class ChannelsLast(nn.Module):
    """Lays images out with their channels last, as CPU convolutions prefer."""

    def forward(self, x: Tensor) -> Tensor:
        """The same values in another order in memory."""
        return x.contiguous(memory_format=torch.channels_last)


def _conv(
    n_in: int,
    n_out: int,
    generator: torch.Generator | None,
    *,
    side: int = 3,
    stride: int = 1,
    pool: bool = False,
) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the size of images is divided by the stride."""
    layer = skip_init(
        nn.Conv2d, n_in, n_out, side, stride=stride, padding=1, bias=False
    )
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    # Pooling first leaves a quarter of the values to normalise.
    pooling = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(layer, *pooling, nn.BatchNorm2d(n_out), nn.ReLU())


class Residual(nn.Module):
    """Adds to its input what some layers make of it."""

    def __init__(self, steps: nn.Module) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Input plus steps, of the same shape."""
        return x + self.steps(x)


def _residual_block(n: int, generator: torch.Generator | None) -> Residual:
    """Two convolutions whose output is added to their input."""
    return Residual(nn.Sequential(_conv(n, n, generator), _conv(n, n, generator)))


def _plain(
    channels: int, width: int, generator: torch.Generator | None
) -> list[nn.Module]:
    """Four convolutions on three scales: enough for shapes in one channel."""
    return [
        _conv(channels, width // 2, generator, pool=True),
        _conv(width // 2, width, generator),
        _conv(width, width, generator, pool=True),
        _conv(width, 2 * width, generator, pool=True),
    ]


def _residual(
    channels: int, width: int, generator: torch.Generator | None
) -> list[nn.Module]:
    """Seven convolutions on three scales, nearly all work on the two smaller ones.

    The first takes steps of two pixels: at full size, batch norm and ReLU of a thin
    layer would take as long as a layer that learns ten times as much.
    """
    return [
        _conv(channels, width // 2, generator, side=4, stride=2),
        _conv(width // 2, width, generator, pool=True),
        _residual_block(width, generator),
        _conv(width, 2 * width, generator, pool=True),
        _residual_block(2 * width, generator),
    ]


def convnet(
    input_shape: Sequence[int],
    n_bits: int,
    *,
    width: int | Literal["auto"] = "auto",
    residual: bool | Literal["auto"] = "auto",
    hidden: int = 128,
    dropout: float = 0.0,
    normalize_z: bool = False,
    generator: torch.Generator | None = None,
) -> HashNetwork:
    """Small convolutional network for images of about 28 x 28 to 64 x 64 pixels.

    Convolutions with batch norm and ReLU on three scales, one dense layer, then the
    hash layer. Images of one channel get four convolutions of 3 x 3, colour images
    seven, four of them in two residual blocks (20 million multiplications for 32 x 32
    pixels, five times those of 28 x 28 grey ones).

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width) of one image, at least 8 x 8 pixels.
    n_bits : int
        Length of the codes.
    width : int or "auto", default="auto"
        Channels on the second scale; the first has half as many, the third twice as
        many. "auto" is 64 with residual blocks and 32 without.
    residual : bool or "auto", default="auto"
        Whether there are residual blocks; "auto" is True for three channels or more.
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
    if residual == "auto":
        residual = channels >= 3
    if width == "auto":
        width = 64 if residual else 32
    convolutions = _residual if residual else _plain
    body: list[nn.Module] = [
        ChannelsLast(),
        *convolutions(channels, width, generator),
        nn.Flatten(),
        dense(2 * width * (height // 8) * (breadth // 8), hidden, generator),
        nn.ReLU(),
    ]
    if dropout:
        body.append(Dropout(dropout, draw_seed(generator)))
    head = hash_layer(hidden, n_bits, normalize=normalize_z, generator=generator)
    # torch documents memory_format for modules, but its types do not list it.
    layers = nn.Sequential(*body).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return HashNetwork(layers, head)
