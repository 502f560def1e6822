"""The parts of every network: standardise -> body -> head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

# Their values are more than float32 holds.
_WIDE = (torch.float64, torch.int64, torch.int32, torch.uint64, torch.uint32)


class Standardize(nn.Module):
    """First layer of every network: cast, lay out, subtract the mean, divide.

    `mean` and `scale` have a value per feature, or per channel of images. `rest` is
    what the mean loses in float32, and `has_rest` whether that is worth a subtraction.
    With `raw` it casts and lays out alone; the moments still tell what was seen.
    """

    mean: Tensor
    rest: Tensor
    scale: Tensor

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        channels_last: bool = False,
        raw: bool = False,
    ) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        self.channels_last = channels_last
        self.raw = raw
        shape = (input_shape[0],) + (1,) * (len(input_shape) - 1)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("rest", torch.zeros(shape))
        self.has_rest = False
        self.register_buffer("scale", torch.ones(shape))

    def set_moments(self, mean: Tensor, scale: Tensor) -> None:
        """Take over a mean and a scale (float64), one value per feature or channel."""
        self.mean.copy_(mean.reshape(self.mean.shape))
        self.rest.copy_(mean.reshape(self.mean.shape) - self.mean)
        self.scale.copy_(scale.reshape(self.scale.shape))
        self.has_rest = bool((self.rest.abs() > 1e-6 * self.scale).any())

    def forward(self, x: Tensor) -> Tensor:
        """Items of shape (n, ...) to float32 of shape ``(n, *input_shape)``."""
        if self.channels_last:
            channels, height, width = self.input_shape
            x = x.reshape(x.shape[0], height, width, channels).permute(0, 3, 1, 2)
        else:
            x = x.reshape(x.shape[0], *self.input_shape)
        if self.raw:  # a copy: bodies may work in place, on what is the user's
            return x.to(self.mean.dtype, copy=True).contiguous()
        if x.dtype in _WIDE:
            # In float32 a large mean would swallow small differences.
            x = (x.double() - self.mean).to(self.mean.dtype)
        else:  # the same difference, rounded once
            x = x.to(self.mean.dtype) - self.mean
        if self.has_rest:
            x.sub_(self.rest)
        return x.div_(self.scale).contiguous()


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own, not from torch's global one.

    The generator is made from `seed` on the device of the first input.
    """

    def __init__(self, p: float, seed: int) -> None:
        super().__init__()
        self.p = p
        self.seed = seed
        self._generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """See `torch.nn.Dropout`."""
        if not self.training or self.p == 0:
            return x
        if self._generator is None or self._generator.device != x.device:
            self._generator = torch.Generator(x.device).manual_seed(self.seed)
        keep = torch.empty_like(x).bernoulli_(1 - self.p, generator=self._generator)
        return x * keep / (1 - self.p)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_generator": None}

    def extra_repr(self) -> str:
        return f"p={self.p}"


class HashNetwork(nn.Module):
    """A whole network: standardise -> body -> head.

    Parameters
    ----------
    body : nn.Module
        From standardised items to features.
    head : nn.Module
        The hash layer, from features to z.
    lr_scale : mapping of str to float, default={}
        Factors on the learning rate of "body" and "head".
    raw : bool, default=False
        Whether the body gets items as they are, cast to float32 and laid out, because
        it standardises them itself.

    Attributes
    ----------
    origin : str
        What asked for this network.

    Examples
    --------
    Your own network, from a function that the encoder calls:

    >>> from torch import nn
    >>> from skhash import DeepHashEncoder
    >>> from skhash.networks import HashNetwork, hash_layer
    >>> def narrow(input_shape, n_bits, *, normalize_z=False, generator=None):
    ...     body = nn.Sequential(nn.Linear(input_shape[0], 8), nn.ReLU())
    ...     head = hash_layer(8, n_bits, normalize=normalize_z, generator=generator)
    ...     return HashNetwork(body, head, lr_scale={"body": 0.1})
    >>> encoder = DeepHashEncoder(network=narrow)
    """

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        *,
        lr_scale: Mapping[str, float] | None = None,
        raw: bool = False,
    ) -> None:
        super().__init__()
        self.standardize: nn.Module = nn.Identity()
        self.body = body
        self.head = head
        self.lr_scale = dict(lr_scale or {})
        self.raw = raw
        self.origin = ""

    def features(self, x: Tensor) -> Tensor:
        """Output of the body.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Items.

        Returns
        -------
        features : Tensor of shape (n, n_features)
        """
        return self.body(self.standardize(x))

    def forward(self, x: Tensor) -> Tensor:
        """The real outputs z; a bit is ``z > 0``.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Items.

        Returns
        -------
        z : Tensor of shape (n, n_bits)
        """
        return self.head(self.features(x))


def hash_layer(
    n_features: int,
    n_bits: int,
    *,
    normalize: bool = False,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """The last layer: features to one real number per bit.

    Parameters
    ----------
    n_features, n_bits : int
        Widths of input and output.
    normalize : bool, default=False
        Batch-normalise the outputs (no scale, no shift), so that each bit splits
        the training data near its mean.
    generator : torch.Generator, default=None
        Source of the initial weights. They are never zero: z = 0 is a saddle point of
        most losses.

    Returns
    -------
    head : nn.Module

    Examples
    --------
    >>> import torch
    >>> from skhash.networks import hash_layer
    >>> head = hash_layer(16, 8, generator=torch.Generator().manual_seed(0))
    >>> head(torch.zeros(2, 16)).shape
    torch.Size([2, 8])
    """
    linear = skip_init(nn.Linear, n_features, n_bits)
    if normalize:
        nn.init.normal_(linear.weight, std=0.05, generator=generator)
    else:
        nn.init.xavier_uniform_(linear.weight, generator=generator)
    nn.init.zeros_(linear.bias)
    if not normalize:
        return linear
    return nn.Sequential(linear, nn.BatchNorm1d(n_bits, affine=False))


def draw_seed(generator: torch.Generator | None) -> int:
    """A seed for a generator that cannot be shared, such as dropout's on a device."""
    return int(torch.randint(2**31 - 1, (), generator=generator))


def set_mode(network: nn.Module, training: bool, frozen: Sequence[str] = ()) -> None:
    """Training or evaluation mode, but evaluation for `frozen` parts and modules."""
    if not training and not _is_training(network):
        return  # to look at a mode is quick, to set it is not
    network.train(training)
    for module in network.modules():
        if getattr(module, "frozen", False):
            module.eval()
    for name in frozen:
        getattr(network, name).eval()


def _is_training(network: nn.Module) -> bool:
    """Whether the network, or a module within, is in training mode."""
    inner = (module for module in network._modules.values() if module is not None)
    return network.training or any(map(_is_training, inner))


def parts(network: nn.Module) -> Iterator[tuple[str, list[nn.Parameter]]]:
    """The trainable parameters of "body" and "head"."""
    for name in ("body", "head"):
        chosen = [p for p in getattr(network, name).parameters() if p.requires_grad]
        if chosen:
            yield name, chosen
