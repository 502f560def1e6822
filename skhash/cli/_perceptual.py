"""Codes of photos without learning: dHash, which says how brightness runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from skhash.cli._input.items import Items
from skhash.cli._input.options import Reading
from skhash.cli._input.photos import read_photos

N_BITS = 128


def perceptual_codes(path: Path, reading: Reading) -> tuple[Items, np.ndarray]:
    """Photos below a folder, and two bits for each of 8 x 8 places.

    They say whether the places to the right and below are brighter. Size, compression
    and brightness hardly change them; a margin that is cut off changes a few.
    """
    from skhash.hamming import pack

    small = dataclasses.replace(reading, size=(9, 9), grey=True)
    items = read_photos(path, small)
    here = items.X[:, :8, :8]
    brighter = np.stack([items.X[:, :8, 1:] > here, items.X[:, 1:, :8] > here], axis=1)
    return items, pack(brighter.reshape(-1, N_BITS))
