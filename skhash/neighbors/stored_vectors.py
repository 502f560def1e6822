"""A database of vectors as plain values, and back, for `skhash.persistence`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from skhash.hamming.vectors import StoredVectors
from skhash.neighbors._bounds import Bounds
from skhash.neighbors._calibration import Calibration
from skhash.neighbors._embedding_database import EmbeddingDatabase
from skhash.neighbors._vectors import FLOAT16, Vectors
from skhash.neighbors.stored import check_columns, parameters_and_seen

_GIVEN = "the parameter"
_METRICS = ("euclidean", "cosine", "inner_product")


def told(estimator: Any) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters and fitted state as plain values, and names of what is left out.

    The encoder is left as it is: whoever keeps estimators knows how.

    Raises
    ------
    TypeError
        If a part of the database is of a kind that no file can hold.
    """
    parameters, seen, left_out = parameters_and_seen(estimator)
    if not hasattr(estimator, "_database"):
        return parameters, {}, left_out
    database: EmbeddingDatabase = estimator._database
    bounds = database.bounds
    state = {
        **seen,
        "codes": database.codes,
        "factors": database.table,
        "labels": database.labels,
        "ids": database.ids,
        # A frozen one is the parameter itself.
        "encoder": _GIVEN
        if database.encoder is estimator.encoder
        else database.encoder,
        "bounds": {
            "metric": bounds.metric,
            "center": bounds.center,
            "scale": bounds.scale,
            "calibration": asdict(bounds.calibration),
        },
        "build_seconds": database.build_seconds,
    }
    if database.vectors is not None:
        state |= _vectors_told(database.vectors)
    return parameters, state, left_out


def _vectors_told(vectors: Vectors) -> dict[str, Any]:
    base, more, scales, shift, table = vectors.stored
    if table is not None:  # in memory, these are the bits of halves
        base, more = base.view(np.float16), more.view(np.float16)
    return {
        "kind": vectors.kind,
        "vectors": base,
        "added_vectors": more,
        "vector_scales": scales,
        "shift": shift,
    }


def made(
    kind: type[Any], parameters: dict[str, Any], state: dict[str, Any], custom: Any
) -> Any:
    """The estimator of which `told` has told.

    Raises
    ------
    ValueError
        If there is no such estimator. Others say the same of values that `told` never
        gives.
    """
    estimator = kind(**parameters)
    if not state:
        return estimator
    codes, table = state["codes"], state["factors"]
    check_columns(codes, state["labels"], state["ids"])
    if table.shape != (len(codes), 3) or table.dtype != np.float32:
        raise ValueError("There are not as many factors as codes")
    bounds = _bounds(state["bounds"], state["n_features_in_"])
    vectors = _vectors(state, len(codes)) if "vectors" in state else None
    given = isinstance(state["encoder"], str) and state["encoder"] == _GIVEN
    encoder = estimator.encoder if given else state["encoder"]
    if not hasattr(encoder, "transform"):
        raise ValueError("There is no encoder of the vectors")
    estimator._database = EmbeddingDatabase(
        codes,
        table,
        vectors,
        state["labels"],
        state["ids"],
        encoder,
        bounds,
        state["build_seconds"],
    )
    for name in ("n_features_in_", "feature_names_in_", "_sklearn_output_config"):
        if name in state:
            setattr(estimator, name, state[name])
    return estimator


def _bounds(told: dict[str, Any], n_features: int) -> Bounds:
    bounds = Bounds(
        told["metric"],
        told["center"],
        told["scale"],
        Calibration(**told["calibration"]),
    )
    if bounds.metric not in _METRICS or bounds.center.shape != (n_features,):
        raise ValueError("The bounds are of other vectors")
    return bounds


def _vectors(state: dict[str, Any], n: int) -> Vectors:
    base, more = state["vectors"], state["added_vectors"]
    scales, shift, table = state["vector_scales"], state["shift"], None
    width = state["n_features_in_"]
    ours = base.dtype == more.dtype and base.dtype.kind in "iuf"
    ours &= base.ndim == more.ndim == 2 and len(base) + len(more) == n
    ours &= base.shape[1] == more.shape[1] == width
    ours &= base.flags.c_contiguous and more.flags.c_contiguous
    if scales is not None:
        ours &= scales.shape == (n,) and scales.dtype == np.float32
        ours &= shift.shape == (width,) and shift.dtype == np.float64
    if not ours or (scales is None) != (state["kind"] != "int8"):
        raise ValueError("The vectors are not those of the codes")
    if base.dtype == np.float16:
        base, more, table = base.view(np.uint16), more.view(np.uint16), FLOAT16
    return Vectors(state["kind"], StoredVectors(base, more, scales, shift, table))
