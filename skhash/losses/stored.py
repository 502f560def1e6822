"""A loss as plain values and tensors, and back: what `setup` and training leave on it.

A family is a line of the table. Losses of other classes are their owner's to make
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skhash.losses import LOSSES, HashLoss

# What every loss has; and what the families have beside it.
_COMMON = ("n_bits_", "_n_columns", "input_")
_STATE: dict[str, tuple[str, ...]] = {
    "csq": ("centers_", "tie_breaker_"),
    "dch": (),
    "dcwh": ("inv_var_", "ema_", "centers_", "estimated_", "vertex_"),
    "dhn": (),
    "dpn": ("centers_", "tie_breaker_"),
    "dpsh": (),
    "dsh": ("margin_",),
    "dtsh": ("margin_",),
    "dual_hinge": ("rate_",),
    "exponentiated": ("gamma_", "pretraining_", "classifier_"),
    "greedy_hash": ("classifier_",),
    "hashnet": ("alpha_", "beta_", "positive_weight_"),
    "neighbor_distillation": (
        *("teacher_temperature_", "student_temperature_"),
        *("mean_", "directions_"),
    ),
    "ortho_hash": ("centers_",),
    "von_mises_fisher": (
        ("concentration_", "ema_", "centers_", "estimated_", "class_concentrations_")
    ),
}
# Of the last batch; and a mark that compiling leaves.
_FLEETING = ("terms_", "_is_torch_compile")
# Shapes of tensors by numbers of classes ("k"), bits ("b"), values of a teacher's
# vector ("d") and its directions ("m").
_SHAPES = {
    "beta_": "",
    "centers_": "kb",
    "directions_": "md",
    "mean_": "d",
    "class_concentrations_": "k",
    "estimated_": "k",
    "tie_breaker_": "b",
    "vertex_": "",
}


def family_of(loss: HashLoss) -> str | None:
    """The name of a loss in `LOSSES`, or None if it is of another class."""
    return next((n for n, kind in LOSSES.items() if type(loss) is kind), None)


def told(loss: HashLoss) -> dict[str, Any]:
    """The state of a loss of one of the families, its tensors as tensors.

    Raises
    ------
    TypeError
        If it has an attribute that its family has not.
    """
    names = {*_COMMON, *_STATE[family_of(loss) or ""]}
    own: dict[str, Any] = {**loss._buffers, **loss._parameters, **loss._modules}
    estimator: Any = loss
    not_state = {*vars(nn.Module()), *estimator.get_params(deep=False)}
    plain = {name: v for name, v in vars(loss).items() if name not in not_state}
    for name in _FLEETING:
        plain.pop(name, None)
    if odd := (own.keys() | plain.keys()) - names:
        raise TypeError(f"an attribute {min(odd)!r} of {type(loss).__name__}")
    for name, part in own.items():
        if part is not None:
            plain[name] = part.state_dict() if isinstance(part, nn.Module) else part
    return plain


def made(
    family: str, parameters: Mapping[str, Any], state: Mapping[str, Any], n_classes: int
) -> HashLoss:
    """The loss of which `told` has told.

    Raises
    ------
    ValueError
        If there is no such loss. `KeyError` and others say the same of values that
        `told` never gives.
    """
    loss = LOSSES[family](**parameters)
    loss._validate_params()
    if odd := state.keys() - {*_COMMON, *_STATE[family]}:
        raise ValueError(f"A {type(loss).__name__} has no attribute {min(odd)!r}")
    n_bits = state["n_bits_"]
    sizes = {"k": state.get("_n_columns") or n_classes, "b": n_bits}
    if "directions_" in state:
        sizes["m"], sizes["d"] = state["directions_"].shape
    for name, value in state.items():
        if name == "classifier_":
            loss.classifier_ = _classifier(value)
            continue
        if isinstance(value, (Tensor, np.ndarray)):
            shape = tuple(sizes[side] for side in _SHAPES[name])
            if tuple(value.shape) != shape:
                raise ValueError(
                    f"{name} is of shape {tuple(value.shape)}, not {shape}"
                )
        if isinstance(value, Tensor):
            loss.register_buffer(name, value)
        else:
            setattr(loss, name, value)
    return loss


def _classifier(tensors: Mapping[str, Tensor]) -> nn.Linear:
    """The dense layer of these weights."""
    weight, bias = tensors["weight"], tensors.get("bias")
    layer = nn.Linear(
        weight.shape[1], weight.shape[0], bias=bias is not None, device="meta"
    )
    layer.load_state_dict(dict(tensors), assign=True)
    if weight.dtype != torch.float32:
        raise ValueError(f"The weights of a classifier are of {weight.dtype}")
    return layer
