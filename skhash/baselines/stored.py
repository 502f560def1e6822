"""Rotated signs as plain values, and back, for `skhash.persistence`.

What the other methods learn are arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skhash.baselines._rotated_signs import RotatedSigns
from skhash.baselines._rotation import HadamardRotation, MatrixRotation

# Fitted attributes that stand for themselves.
_PLAIN = (
    *("n_features_in_", "feature_names_in_", "_sklearn_output_config", "mean_"),
    *("directions_", "n_samples_seen_", "n_bits_", "_kept"),
)
_LEFT_OUT = ("_metadata_request", "_skl_callbacks")
_ROTATIONS = {"signs": HadamardRotation, "matrix": MatrixRotation}


def told(
    estimator: RotatedSigns,
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Parameters and fitted state as plain values, and names of what is left out.

    Raises
    ------
    TypeError
        If it has an attribute that is not known here.
    """
    parameters, left_out = estimator.get_params(deep=False), []
    if isinstance(parameters["random_state"], np.random.RandomState):
        parameters["random_state"] = None
        left_out.append("random_state")
    own = vars(estimator).keys() - parameters.keys()
    left_out += sorted(own & {*_LEFT_OUT})
    if odd := own - {*_PLAIN, *_LEFT_OUT, "_rotations"}:
        raise TypeError(f"its attribute {min(odd)!r} is not known to skhash.save.")
    state = {name: vars(estimator)[name] for name in _PLAIN if name in own}
    if "_rotations" in own:
        state["rotations"] = [each._asdict() for each in estimator._rotations]
    return parameters, state, left_out


def made(
    kind: type[RotatedSigns],
    parameters: dict[str, Any],
    state: dict[str, Any],
    custom: Any,
) -> RotatedSigns:
    """The estimator of which `told` has told.

    Raises
    ------
    ValueError
        If there is no such estimator. Others say the same of values that `told` never
        gives.
    """
    estimator = kind(**parameters)
    rest = dict(state)
    rotations = rest.pop("rotations", None)
    if odd := rest.keys() - {*_PLAIN}:
        raise ValueError(f"RotatedSigns have no attribute {min(odd)!r}")
    vars(estimator).update(rest)
    if rotations is not None:
        made_of = [next(iter(each.items())) for each in rotations]
        estimator._rotations = [_ROTATIONS[name](array) for name, array in made_of]
        wide = sum(array.shape[-1] for _, array in made_of)
        if not (rest["_kept"].min() >= 0 and rest["_kept"].max() < wide):
            raise ValueError("There are bits beyond the rotations")
    return estimator
