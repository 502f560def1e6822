"""The vectors of a database as they are kept: as given, in 16 bits, or in bytes."""

from dataclasses import dataclass, replace

import numpy as np

from skhash.hamming.vectors import StoredVectors
from skhash.neighbors._growth import Reserve, grown

# The value of each float16, by its bits: kernels know no float16.
FLOAT16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)
_MOST = float(np.finfo(np.float16).max)
# Rows that are turned into bytes at a time.
_STEP = 4096


@dataclass(frozen=True)
class Vectors:
    """Vectors in order of insertion: the first ones as they came, then added ones.

    Of int8, a vector is ``shift + scales[i] * base[i]``: each has a scale of its own,
    so that added vectors of any size find room.
    """

    kind: str
    stored: StoredVectors
    # The memory behind added rows.
    reserve: Reserve | None = None

    def __getstate__(self):
        return {**vars(self), "reserve": None}

    def __len__(self):
        return len(self.stored.base) + len(self.stored.more)

    @classmethod
    def of(cls, X, kind, center):
        """Keep vectors; no copy of those that stay as they are, if C-contiguous."""
        rows, scales = encoded(X, kind, center)
        table = None
        if rows.dtype == np.float16:
            rows, table = rows.view(np.uint16), FLOAT16
        shift = None if scales is None else center
        return cls(kind, StoredVectors(rows, rows[:0], scales, shift, table))

    @property
    def nbytes(self):
        """Memory of the vectors, in bytes."""
        base, more, scales = self.stored[:3]
        return base.nbytes + more.nbytes + (0 if scales is None else scales.nbytes)

    def rows(self, indices):
        """Some vectors in float64."""
        return self.stored.rows(indices)

    def with_more(self, X):
        """Return these and others behind them, in the dtype of the first ones.

        Whole numbers become floats where floats are added.
        """
        base, more, scales, shift, table = self.stored
        new, new_scales = encoded(X, self.kind, shift)
        if scales is not None:
            scales = np.concatenate([scales, new_scales])
        elif table is not None:
            new = as_float16(new).view(np.uint16)
        elif base.dtype.kind != "f" and base.dtype != new.dtype:
            dtype = np.result_type(base.dtype, new.dtype)
            base, more = base.astype(dtype), more.astype(dtype)
        with np.errstate(over="ignore"):
            new = new.astype(base.dtype, copy=False)
        if base.dtype.kind == "f" and not np.isfinite(new).all():
            raise ValueError(
                f"The vectors of the database are {base.dtype}, which does not hold "
                f"added ones, such as {np.abs(X).max():g}: fit all in a wider dtype."
            )
        more, reserve = grown(more, new, self.reserve)
        stored = StoredVectors(base, more, scales, shift, table)
        return replace(self, stored=stored, reserve=reserve)

    def without(self, keep):
        """Return those that a mask keeps, copied."""
        base, more, scales = self.stored[:3]
        rows = np.concatenate([base[keep[: len(base)]], more[keep[len(base) :]]])
        scales = None if scales is None else scales[keep]
        stored = self.stored._replace(base=rows, more=rows[:0], scales=scales)
        return replace(self, stored=stored, reserve=None)


def encoded(X, kind, center):
    """Vectors in the dtype of a kind, and the scales of those in bytes."""
    if kind == "float16":
        return as_float16(X), None
    if kind == "int8":
        return as_bytes(X, center)
    dtype = X.dtype
    if dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    elif dtype.itemsize > 8:
        dtype = np.dtype(np.float64)
    return np.ascontiguousarray(X, dtype=dtype.newbyteorder("=")), None


def as_float16(X):
    """Vectors in 16 bits, or say that they are too large."""
    if X.size and (most := np.abs(X).max()) > _MOST:
        raise ValueError(
            f"float16 holds values up to {_MOST:g}, X has {most:g}: scale X down, or "
            "keep it as vectors='int8' or vectors='keep'."
        )
    return np.ascontiguousarray(X, dtype=np.float16)


def as_bytes(X, center):
    """Vectors in bytes of -127 to 127, and the scale of each."""
    rows, scales = np.empty(X.shape, np.int8), np.empty(len(X), np.float32)
    for start in range(0, len(X), _STEP):
        part = slice(start, start + _STEP)
        gaps = X[part].astype(np.float64) - center
        scales[part] = np.abs(gaps).max(axis=1) / 127
        scale = scales[part, None].astype(np.float64)
        steps = np.divide(gaps, scale, out=np.zeros_like(gaps), where=scale > 0)
        rows[part] = np.clip(np.rint(steps), -127, 127)
    return rows, scales
