"""Codes of photos without learning: dHash, which says how brightness runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from skhash.cli._input.items import Items
from skhash.cli._input.options import Reading
from skhash.cli._input.photos import read_photos

N_BITS = 64


def perceptual_codes(path: Path, reading: Reading) -> tuple[Items, np.ndarray]:
    """Photos below a folder, and a bit for each of 8 x 8 places.

    A bit says whether the place is brighter than that to its left. Size, compression
    and brightness hardly change it; a margin that is cut off changes a few bits.
    """
    from skhash.hamming import pack

    small = dataclasses.replace(reading, size=(8, 9), grey=True)
    items = read_photos(path, small)
    brighter = items.X[:, :, 1:] > items.X[:, :, :-1]
    return items, pack(brighter.reshape(-1, N_BITS))
