"""What a .skhash file can do for a command: encode items, and search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skhash.progress import followed

# Items that are encoded at a time.
_ROWS = 4096


@dataclass(frozen=True)
class Model:
    """A loaded file: an encoder, a database, or both.

    Attributes
    ----------
    path : str
        The file.
    encoder : estimator or None
        What makes codes of items.
    database : estimator or None
        `HammingNeighbors`, its relatives, or `EmbeddingNeighbors`.
    """

    path: str
    encoder: Any
    database: Any

    @property
    def takes_vectors(self) -> bool:
        """Whether the database compares vectors, not codes."""
        return type(self.database).__name__ == "EmbeddingNeighbors"

    @property
    def shape(self) -> Sequence[int] | None:
        """The shape of an item that the encoder takes; None if it does not say."""
        first = self.encoder
        while hasattr(first, "steps"):
            first = first.steps[0][1]
        if shape := getattr(first, "input_shape_", None):
            return tuple(shape)
        n = getattr(first, "n_features_in_", None)
        return None if n is None else (n,)

    @property
    def n_bits(self) -> int | None:
        """The length of the codes; None if the encoder does not say."""
        last = self.encoder
        while hasattr(last, "steps"):
            last = last.steps[-1][1]
        for name in ("n_bits_", "n_bits"):
            if (n_bits := getattr(last, name, None)) is not None:
                return int(n_bits)
        return None


def open_model(path: str) -> Model:
    """Load a file, and say what it is."""
    from skhash.persistence import load

    if not Path(path).exists():
        raise ValueError(f"There is no file {path}.")
    if Path(path).suffix.lower() != ".skhash":
        raise ValueError(f"{path} is no .skhash file, as `skhash fit` writes them.")
    estimator = load(path)
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if not hasattr(last, "kneighbors"):
        return Model(path, estimator, None)
    if last is estimator:
        is_encoder = type(last).__name__ == "EmbeddingNeighbors"
        return Model(path, last if is_encoder else None, last)
    return Model(path, estimator[:-1], last)


def open_encoder(path: str) -> Model:
    """Load a file that must be able to encode."""
    model = open_model(path)
    if model.encoder is None:
        raise ValueError(
            f"{path} holds codes without what made them: give the model, a .skhash "
            "file of `skhash fit`."
        )
    return model


def encode(model: Model, X: np.ndarray, quiet: bool) -> np.ndarray:
    """Packed codes of items, uint8 (n, n_bytes), a part at a time."""
    make = getattr(model.encoder, "encode", None) or model.encoder.transform
    starts = range(0, len(X), _ROWS)
    parts = followed(
        (make(X[start : start + _ROWS]) for start in starts),
        "encoding",
        len(X),
        unit="items",
        verbose=not quiet,
    )
    codes = np.concatenate([_packed(part, model.path) for part in parts])
    return np.ascontiguousarray(codes)


def _packed(codes: Any, path: str) -> np.ndarray:
    from skhash.hamming import pack

    codes = np.asarray(codes)
    if codes.ndim == 2 and codes.dtype == bool:
        return pack(codes)
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise ValueError(
            f"{path} gives {codes.dtype} values, not codes: save an encoder with "
            'output="packed".'
        )
    return codes
