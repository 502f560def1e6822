"""A database of codes as plain values, and back, for `skhash.persistence`."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from skhash.hamming.indexes import stored as indexes
from skhash.hamming.indexes.auto import lie_on_disk
from skhash.neighbors._classifier import HammingNeighborsClassifier
from skhash.neighbors._database import Database
from skhash.neighbors._targets import Targets

# Fitted attributes beside the database.
_SEEN = (
    "n_features_in_",
    "feature_names_in_",
    "_fit_on_bits",
    "_sklearn_output_config",
)
_LEFT_OUT = ("_metadata_request", "_skl_callbacks")


def told(estimator: Any) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters and fitted state as plain values, and names of what is left out.

    Raises
    ------
    TypeError
        If a part of the database is of a kind that no file can hold.
    """
    parameters, state, left_out = parameters_and_seen(estimator)
    if callable(parameters.get("weights")):
        raise TypeError(
            "weights is a function, which a file cannot hold: set 'uniform' or "
            "'distance', or pickle the estimator."
        )
    if not hasattr(estimator, "_database"):
        return parameters, {}, left_out
    database: Database = estimator._database
    state |= {
        "codes": database.codes,
        "labels": database.labels,
        "ids": database.ids,
        "algorithm": database.algorithm,
        "index": indexes.told(database.searcher),
        "n_jobs": database.n_jobs,
    }
    targets = database.targets
    if targets is not None:
        state["classes"] = targets.classes
        if not targets.are_sets:  # sets follow from the labels
            state["places"] = targets.values
    return parameters, state, left_out


def parameters_and_seen(
    estimator: Any,
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters, what was seen in `fit`, and names of what is left out.

    Raises
    ------
    TypeError
        If there is an attribute that is not known here.
    """
    parameters = estimator.get_params(deep=False)
    own = vars(estimator).keys() - parameters.keys()
    if odd := own - {*_SEEN, *_LEFT_OUT, "_database"}:
        raise TypeError(f"its attribute {min(odd)!r} is not known to skhash.save.")
    seen = {name: vars(estimator)[name] for name in _SEEN if name in own}
    return parameters, seen, sorted(own & {*_LEFT_OUT})


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
    seen = {name: state[name] for name in _SEEN if name in state}
    codes, labels, ids = state["codes"], state["labels"], state["ids"]
    check_columns(codes, labels, ids)
    targets = None
    if issubclass(kind, HammingNeighborsClassifier):
        targets = _targets(labels, state)
    start, algorithm = perf_counter(), state["algorithm"]
    searcher = indexes.made(codes, state["index"], algorithm, estimator.n_jobs)
    database = Database(
        codes,
        labels,
        ids,
        searcher,
        algorithm,
        state["n_jobs"],
        parameters["verbose"],
        perf_counter() - start,
        targets=targets,
    )
    vars(estimator).update(seen, _database=database)
    return estimator


def check_columns(codes: Any, labels: Any, ids: Any) -> None:
    """Refuse what is no database, so that no search runs beyond the end of an array.

    Raises
    ------
    ValueError
        If the codes are none, or labels or ids are not as many.
    """
    ours = isinstance(codes, np.ndarray) and codes.dtype == np.uint8 and codes.ndim == 2
    if not (ours and codes.shape[1] and codes.flags.c_contiguous):
        raise ValueError("The codes are no packed codes")
    for name, column in (("labels", labels), ("ids", ids)):
        if column is None:
            continue
        array = isinstance(column, np.ndarray) or sp.issparse(column)
        if not array or column.shape[0] != len(codes):
            raise ValueError(f"There are not as many {name} as codes")
        if column.ndim != 1 and (name == "ids" or column.dtype != bool):
            raise ValueError(f"The {name} are of shape {column.shape}")


def _targets(labels: Any, state: dict[str, Any]) -> Targets:
    """What the neighbours of a classifier vote for."""
    if labels.ndim == 2:
        return Targets.of(labels)
    classes, places = state["classes"], state["places"]
    if places.shape != labels.shape or places.dtype.kind != "i" or classes.ndim != 1:
        raise ValueError("There are not as many places of classes as codes")
    inside = lie_on_disk(places) or not len(places)
    if not inside and not 0 <= places.min() <= places.max() < len(classes):
        raise ValueError("There are places beyond the classes")
    return Targets(classes, places)
