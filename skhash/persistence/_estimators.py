"""Estimators as nodes of plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from skhash.archive import Node, storable
from skhash.persistence._classes import (
    CLASSES,
    FOR_TRAINING,
    LEFT_OUT,
    Own,
    Plain,
    class_of,
    name_of,
)
from skhash.persistence._custom import CustomObjects

_KIND = "estimator"


def told(estimator: Any, left_out: list[str], place: str = "") -> Node:
    """An estimator as a node; names of what is left out are added to the list.

    Raises
    ------
    TypeError
        If it is of no class in the list, or a part of it is of a kind that no file can
        hold.
    """
    name = name_of(estimator)
    known = CLASSES[name]
    try:
        if isinstance(known, Own):
            parameters, state, gone = known.module().told(estimator)
        else:
            parameters, state, gone = _plain(estimator, known)
    except TypeError as error:
        raise TypeError(f"{place or name}: {error}") from None
    left_out += [f"{place}.{each}" if place else each for each in gone]

    def inner(value: Any, path: str) -> Any:
        if isinstance(value, BaseEstimator):
            return told(value, left_out, path)
        if type(value) in (list, tuple):
            # Steps of a pipeline are pairs of a name and an estimator.
            return type(value)(
                inner(part, _place(path, value, i)) for i, part in enumerate(value)
            )
        if isinstance(value, Mapping):
            return {key: inner(part, f"{path}.{key}") for key, part in value.items()}
        return value

    dot = f"{place}." if place else ""
    content = {
        "class": name,
        "parameters": {k: inner(v, f"{dot}{k}") for k, v in parameters.items()},
        "state": {k: inner(v, f"{dot}{k}") for k, v in state.items()},
    }
    return Node(_KIND, content)


def _place(path: str, holder: Any, number: int) -> str:
    """What to call a part of a list or tuple: a step by its name."""
    if type(holder) is tuple and len(holder) > 1 and isinstance(holder[0], str):
        return holder[0] if number == 1 else path
    return f"{path}[{number}]"


def _plain(
    estimator: Any, known: Plain
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters and fitted attributes of an estimator that is no more than these."""
    parameters = estimator.get_params(deep=False)
    left_out = []
    for name in FOR_TRAINING:
        if name in parameters and not storable(parameters[name]):
            parameters[name] = None
            left_out.append(name)
    own = vars(estimator).keys() - parameters.keys() - {*known.left_out}
    left_out += sorted(own & {*LEFT_OUT})
    own -= {*LEFT_OUT}
    if odd := own - known.attributes():
        raise TypeError(f"its attribute {min(odd)!r} is not known to skhash.save.")
    state = {name: value for name, value in vars(estimator).items() if name in own}
    return parameters, state, left_out


def made(node: Any, custom: CustomObjects) -> Any:
    """The estimator of a node.

    Raises
    ------
    ValueError
        If there is no such estimator. Others say the same of values that `told` never
        gives.
    """
    if not isinstance(node, Node) or node.kind != _KIND:
        raise ValueError("There is no estimator where one should be")
    name = node.content["class"]
    if name not in CLASSES:
        raise ValueError(f"The class {name!r} is not in the list")
    known = CLASSES[name]
    parameters = _with_estimators(node.content["parameters"], custom)
    state = _with_estimators(node.content["state"], custom)
    if isinstance(known, Own):
        return known.module().made(class_of(name), parameters, state, custom)
    if odd := state.keys() - known.attributes():
        raise ValueError(f"A {name} has no attribute {min(odd)!r}")
    estimator = class_of(name)(**parameters)
    vars(estimator).update(state)
    for name, before in known.later:
        if name not in state and before in state:
            vars(estimator)[name] = state[before]
    return estimator


def _with_estimators(value: Any, custom: CustomObjects) -> Any:
    if isinstance(value, Node) and value.kind == _KIND:
        return made(value, custom)
    if type(value) in (list, tuple):
        return type(value)(_with_estimators(part, custom) for part in value)
    if isinstance(value, dict):
        return {key: _with_estimators(part, custom) for key, part in value.items()}
    return value


def classes_in(value: Any) -> set[str]:
    """Names of the classes of all estimators in a tree of nodes."""
    if isinstance(value, Node):
        own = {value.content["class"]} if value.kind == _KIND else set()
        return own | classes_in(value.content)
    if isinstance(value, Mapping):
        return set().union(*map(classes_in, value.values()))
    if type(value) in (list, tuple):
        return set().union(*map(classes_in, value))
    return set()
