"""Random changes of training images, drawn anew for each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skhash.encoder._data.layouts import Layout


def flip(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images, left to right.

    Parameters
    ----------
    batch : Tensor of shape (n, channels, height, width)
        Images of any dtype.
    generator : torch.Generator
        Source of the draws.

    Returns
    -------
    flipped : Tensor of shape (n, channels, height, width)
    """
    mirrored = torch.rand(len(batch), 1, 1, 1, generator=generator) < 0.5
    return torch.where(mirrored.to(batch.device), batch.flip(3), batch)


def crop_flip(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Shift images by up to an eighth of a side, and mirror half of them.

    That is padding by reflection and a random crop, done in one step: each pixel is
    taken from where it would come from.

    Parameters
    ----------
    batch : Tensor of shape (n, channels, height, width)
        Images of any dtype.
    generator : torch.Generator
        Source of the draws.

    Returns
    -------
    changed : Tensor of shape (n, channels, height, width)
    """
    n, channels, height, width = batch.shape
    rows = _shifted(height, n, generator)
    columns = _shifted(width, n, generator)
    mirrored = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    places = rows[:, :, None] * width + columns[:, None, :]
    places = places.reshape(n, 1, -1).expand(-1, channels, -1).to(batch.device)
    return batch.flatten(2).gather(2, places).reshape(batch.shape)


def _shifted(side: int, n: int, generator: torch.Generator) -> Tensor:
    """Where n images are read along a side: shape (n, side)."""
    reach = side // 8
    shift = torch.randint(-reach, reach + 1, (n, 1), generator=generator)
    places = (torch.arange(side) + shift).abs()
    return torch.where(places < side, places, 2 * (side - 1) - places)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "flip": flip,
    "crop_flip": crop_flip,
}


class Augment:
    """An augmentation of the items of a batch, however their images lie.

    Parameters
    ----------
    augment : str or callable
        Key of `AUGMENTATIONS`, or a function ``(batch, generator) -> batch``.
    layout : Layout
        That of the items, which are images.
    seed : int
        Seed of all draws, with the numbers of epoch and batch.
    """

    def __init__(self, augment: Any, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.seed = seed
        named = isinstance(augment, str)
        self._change = AUGMENTATIONS[augment] if named else augment

    def __call__(self, x: Tensor, epoch: int, batch: int) -> Tensor:
        """The items changed, in the shape that they came in."""
        drawn = np.random.SeedSequence((self.seed, epoch, batch)).generate_state(1)
        generator = torch.Generator().manual_seed(int(drawn[0]))
        channels, height, width = self.layout.network_shape
        if self.layout.channels_last:
            images = x.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        else:
            images = x.reshape(-1, channels, height, width)
        changed = self._change(images, generator)
        if not isinstance(changed, Tensor) or changed.shape != images.shape:
            got = getattr(changed, "shape", None)
            got = type(changed).__name__ if got is None else f"shape {tuple(got)}"
            raise ValueError(
                "augment must return a tensor of the shape that it is given, "
                f"{tuple(images.shape)}, but returned {got}."
            )
        if self.layout.channels_last:
            changed = changed.permute(0, 2, 3, 1)
        return changed.reshape(x.shape)


def check_augment(augment: Any, layout: Layout) -> None:
    """Refuse to augment items that are no images."""
    if augment is not None and len(layout.shape) < 2:
        raise ValueError(
            f"augment={augment!r} changes images, but X holds rows of "
            f"{layout.n_values} features. Give images of shape (n, height, width) or "
            "(n, height, width, channels), say what flat rows mean by input_shape, or "
            "use augment=None."
        )


def make_augment(augment: Any, layout: Layout, seed: int) -> Augment | None:
    """The augmentation that the encoder's parameter asks for, if it does."""
    return None if augment is None else Augment(augment, layout, seed)
