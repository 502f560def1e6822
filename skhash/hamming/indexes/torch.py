"""The same search by torch, on whatever device it drives.

Bits become ±1, and a matrix product counts their agreements: exactly, since every sum
is an integer that the number format holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.indexes.base import Nearest, Searcher, Within
from skhash.hamming.keys import (
    INDEX_BITS,
    distance_of,
    index_of,
    joined_answers,
    key_of,
)
from skhash.hamming.search import check_k, check_radius

# Queries of a batch, and the bit above a key (of at most 4096 bits) where their row
# stands, so that one sort serves them all.
ROWS, ROW_BIT = 1024, INDEX_BITS + 13
# Cells of a block of distances, which takes about 30 bytes each: many where k are kept
# of each block, few where there may be as many answers as cells.
CELLS, FEW_CELLS = 1 << 26, 1 << 22


class TorchCodes(Searcher):
    """A database that torch searches, on a GPU for instance.

    Answers are those of :func:`skhash.hamming.nearest` and
    :func:`skhash.hamming.within`, in the same order and as numpy arrays.

    Parameters
    ----------
    codes : array-like of shape (n_items, n_bytes)
        Codes (see :func:`check_codes`); kept on the device as they are.
    device : str or torch.device, default=None
        Where to search; a GPU when None, or the CPU where there is none.
    n_jobs : int, default=None
        Ignored, as in all methods: torch has its own threads.

    Raises
    ------
    RuntimeError
        If torch has no such device.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import TorchCodes
    >>> database = TorchCodes(np.array([[7], [0], [7], [0]], np.uint8), device="cpu")
    >>> database.nearest(np.array([[1]], np.uint8), 3)
    (array([[1, 1, 2]], dtype=int32), array([[1, 3, 0]]))
    """

    name = "torch"

    def __init__(
        self, codes: ArrayLike, device: Any = None, *, n_jobs: int | None = None
    ) -> None:
        import torch

        checked = check_codes(codes)
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        # torch wants memory it may write to, though nothing is written.
        if not checked.flags.writeable:
            checked = checked.copy()
        self.codes = torch.from_numpy(checked).to(self.device)
        self.n_bits = 8 * checked.shape[1]
        # Half precision holds whole numbers up to 2048.
        half = self.device.type == "cuda" and self.n_bits <= 2048
        self.dtype = torch.float16 if half else torch.float32

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def n_bytes(self) -> int:
        return int(self.codes.numel())

    def without(
        self, keep: NDArray[np.bool_], codes: NDArray[np.uint8] | None = None
    ) -> TorchCodes:
        import torch

        part = copy(self)
        part.codes = self.codes[torch.from_numpy(keep).to(self.device)]
        return part

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        import torch

        checked = check_codes(queries, n_bytes=self.n_bits // 8, name="queries")
        k = check_k(k, len(self), checked)
        keys = np.empty((len(checked), k), np.int64)
        for rows, signs in self._batches(checked, k):
            least: Any = None
            for first, distances in self._blocks(signs, CELLS):
                index = torch.arange(first, first + distances.shape[1]).to(self.device)
                found = key_of(distances, index)
                found = found.topk(min(k, found.shape[1]), largest=False).values
                if least is not None:
                    found = torch.cat([least, found], dim=1)
                    found = found.topk(min(k, found.shape[1]), largest=False).values
                least = found
            keys[rows] = least.sort(dim=1).values.cpu().numpy()
        return distance_of(keys).astype(np.int32), index_of(keys)

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        checked = check_codes(queries, n_bytes=self.n_bits // 8, name="queries")
        radius = check_radius(radius)
        counts, found = np.zeros(len(checked), np.int64), []
        for batch, signs in self._batches(checked, 1):
            parts = []
            for first, distances in self._blocks(signs, FEW_CELLS):
                row, column = (distances <= radius).nonzero(as_tuple=True)
                keys = key_of(distances[row, column], column + first)
                parts.append(((row << ROW_BIT) + keys).cpu().numpy())
            keys = np.concatenate([np.empty(0, np.int64), *parts])
            del parts
            keys.sort()
            starts = np.searchsorted(keys, np.arange(len(signs)) << ROW_BIT)
            counts[batch] = np.diff(starts, append=len(keys))
            keys &= (1 << ROW_BIT) - 1
            found.append(keys)
        return joined_answers(counts, found)

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        checked = check_codes(queries, n_bytes=self.n_bits // 8, name="queries")
        radius = check_radius(radius)
        counts = np.zeros(len(checked), np.int64)
        for rows, signs in self._batches(checked, 1):
            for _, distances in self._blocks(signs, FEW_CELLS):
                counts[rows] += (distances <= radius).sum(dim=1).cpu().numpy()
        return counts

    def _batches(
        self, queries: NDArray[np.uint8], k: int
    ) -> Iterator[tuple[slice, Any]]:
        """Slices of the queries, with their signs on the device."""
        import torch

        step = max(1, min(ROWS, CELLS // (4 * k)))
        for first in range(0, len(queries), step):
            rows = slice(first, min(len(queries), first + step))
            part = torch.from_numpy(queries[rows].copy()).to(self.device)
            yield rows, self._signs(part)

    def _blocks(self, signs: Any, cells: int) -> Iterator[tuple[int, Any]]:
        """First items of blocks of the database, and distances to them, int64."""
        step = max(1, cells // max(len(signs), self.n_bits))
        for first in range(0, len(self), step):
            agreement = signs @ self._signs(self.codes[first : first + step]).T
            yield first, ((self.n_bits - agreement) / 2).long()

    def _signs(self, codes: Any) -> Any:
        """Codes as ±1, one column per bit."""
        import torch

        masks = torch.tensor([1 << bit for bit in range(8)], dtype=torch.uint8)
        bits = (codes[:, :, None] & masks.to(self.device)) != 0
        return bits.reshape(len(codes), -1).to(self.dtype) * 2 - 1
