"""What every engine gets: rows of an id, a code, and what else there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from skhash.hamming import check_codes
from skhash.hamming.arrays import as_array
from skhash.hamming.codes import check_n_bits, check_padding
from skhash.neighbors.exported import Columns, columns
from skhash.warn import warn

# Rows that are in memory at a time, unless an engine wants fewer.
BLOCK = 1 << 16
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class Rows:
    """Items in order of insertion, with one name and one type for each column.

    ``kinds`` says which columns a block has, and what these hold: "integer" (int64),
    "text" (lists of str), "float" (float32), "double", "bool", "code" (packed uint8 of
    shape (m, n_bytes)) or "vector" (float32 of shape (m, n_features)).
    """

    held: Columns
    kinds: dict[str, str]

    def __len__(self) -> int:
        return len(self.held.codes)

    @property
    def ids(self) -> NDArray | None:
        """The ids as they were given, if they were."""
        return self.held.ids

    @property
    def n_bits(self) -> int:
        """Bits of a code."""
        return self.held.n_bits

    @property
    def n_bytes(self) -> int:
        """Bytes of a code; bits after the last one are zeros."""
        return int(self.held.codes.shape[1])

    def blocks(self, size: int = BLOCK) -> Iterator[dict[str, Any]]:
        """Columns of the first rows by their names, then of the next ones, and on."""
        for start in range(0, len(self), size):
            yield self._block(slice(start, min(start + size, len(self))))

    def _block(self, rows: slice) -> dict[str, Any]:
        held, ids = self.held, self.held.ids
        found: dict[str, Any] = {
            "id": np.arange(rows.start, rows.stop) if ids is None else ids[rows],
            "code": np.ascontiguousarray(held.codes[rows]),
        }
        if "label" in self.kinds:
            found["label"] = held.labels[rows]
        if held.factors is not None:
            found["slope"], found["intercept"] = held.factors(rows).T
        if "vector" in self.kinds and held.vectors is not None:
            found["vector"] = held.vectors(rows)
        return {
            name: _as_kind(values, self.kinds[name]) for name, values in found.items()
        }


def rows_of(
    neighbors: Any,
    n_bits: int | None = None,
    *,
    text_ids: bool = True,
    vectors: bool = False,
    utf8: bool = True,
) -> Rows:
    """The rows of a fitted estimator, or of codes, checked as far as engines need.

    Parameters
    ----------
    n_bits : int, default=None
        Bits of a code, where these are fewer than its bytes hold.
    text_ids : bool, default=True
        Whether the engine knows strings as ids.
    vectors : bool, default=False
        Whether the kept vectors are wanted, too.
    utf8 : bool, default=True
        Whether text is written as UTF-8, which has no surrogates.
    """
    held = _held(neighbors)
    if n_bits is not None:
        held = _of_bits(held, n_bits)
    kinds = {"id": "integer", "code": "code"}
    if held.ids is not None:
        kinds["id"] = _kind_of_ids(held.ids, text_ids)
    if held.labels is not None and (kind := _kind_of_labels(held.labels)):
        kinds["label"] = kind
    if held.factors is not None:
        kinds |= {"slope": "float", "intercept": "float"}
    if vectors and held.vectors is not None:
        kinds["vector"] = "vector"
    elif vectors:
        raise ValueError(
            "vectors=True, but no vectors are kept: give an EmbeddingNeighbors with "
            "vectors='keep', 'float16' or 'int8'."
        )
    for name, values in (("id", held.ids), ("label", held.labels)):
        if utf8 and text_ids and kinds.get(name) == "text":
            _refuse_surrogates(name, values)
    return Rows(held, kinds)


def refuse_negative(rows: Rows, engine: str) -> None:
    """Refuse ids below 0, for engines whose integers have no sign."""
    if rows.ids is not None and len(rows) and rows.ids.min() < 0:
        raise ValueError(
            f"{engine} names items by integers from 0, got the id {rows.ids.min()}."
        )


def _held(neighbors: Any) -> Columns:
    """The columns of an estimator; or of an array of codes, which has nothing else."""
    if isinstance(neighbors, BaseEstimator):
        return columns(neighbors)
    array = as_array(neighbors)
    codes = check_codes(array)
    bits = np.asarray(array).dtype.kind == "b"
    return Columns(
        codes, np.shape(array)[1] if bits else 8 * codes.shape[1], None, None
    )


def _of_bits(held: Columns, n_bits: int) -> Columns:
    """The same columns of codes that are said to be `n_bits` long."""
    number = check_n_bits(n_bits)
    check_padding(held.codes, number, "What is exported")
    return Columns(**{**vars(held), "n_bits": number})


def _kind_of_ids(ids: NDArray, text_ids: bool) -> str:
    """Whether ids are integers or strings, the two that engines know."""
    text = ids.dtype.kind in "UT" or (
        ids.dtype.kind == "O" and len(ids) > 0 and isinstance(ids[0], str)
    )
    if text and not text_ids:
        raise ValueError(
            f"This engine names items by integers, and the ids are strings, such as "
            f"{str(ids[0])!r}: fit with ids=range(len(codes)), and keep the names in a "
            "list beside it."
        )
    if text:
        return "text"
    if ids.dtype.kind == "i" or (
        ids.dtype.kind == "u" and (not len(ids) or int(ids.max()) <= _INT64.max)
    ):
        return "integer"
    found = f"{ids[0]!r} ({type(ids[0]).__name__})" if len(ids) else f"{ids.dtype}"
    raise ValueError(
        f"Ids in engines are integers of 64 bits or strings, got {found}: fit with "
        "ids=[str(i) for i in ids]."
    )


def _kind_of_labels(labels: Any) -> str | None:
    """What kind of column labels make; None, and a warning, for what makes none."""
    kinds = {"i": "integer", "f": "double", "b": "bool", "U": "text", "T": "text"}
    kind = None
    if not issparse(labels) and labels.ndim == 1:
        kind = kinds.get(labels.dtype.kind)
        if labels.dtype.kind == "u" and (not len(labels) or labels.max() < 1 << 63):
            kind = "integer"
        elif labels.dtype.kind == "O" and all(isinstance(y, str) for y in labels):
            kind = "text"
    if kind is None:
        what = "label sets" if labels.ndim == 2 else f"of dtype {labels.dtype}"
        warn(
            f"The labels stay behind, since they are {what}: engines get numbers or "
            "strings, one for each item."
        )
    return kind


def _refuse_surrogates(name: str, values: Any) -> None:
    """Refuse strings that are no text, such as names of files in other encodings."""
    for start in range(0, len(values), BLOCK):
        block = list(map(str, values[start : start + BLOCK].tolist()))
        try:
            "".join(block).encode()
        except UnicodeEncodeError:
            bad = next(each for each in block if re.search("[\ud800-\udfff]", each))
            raise ValueError(
                f"The {name} {bad!r} is no text in UTF-8, and engines take no other: "
                "rename it, and the file if it is the name of one."
            ) from None


def _as_kind(values: NDArray, kind: str) -> Any:
    """A column in the type of its kind."""
    if kind == "text":
        return list(map(str, values.tolist()))
    dtypes: dict[str, type[np.generic]] = {
        "integer": np.int64,
        "float": np.float32,
        "double": np.float64,
    }
    dtypes |= {"vector": np.float32, "bool": np.bool_, "code": np.uint8}
    return np.ascontiguousarray(values, dtype=dtypes[kind])
