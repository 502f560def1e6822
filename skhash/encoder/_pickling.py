"""What of a net goes into a pickle: no data, no callback of ours, CPU tensors."""

from __future__ import annotations

import copy
from typing import Any

import torch

from skhash.encoder._auto import device_error

# What a net keeps on its device.
_ON_DEVICE = ("module_", "criterion_")


def to_pickle(net: Any) -> dict[str, Any]:
    """The attributes to pickle.

    A callback that saves the net in the middle of its training saves no data.
    """
    state = vars(net) | {"sampler": None, "dataset_valid_": None, "augment_": None}
    own = {*net.own_callbacks_} - {"epoch_timer"}
    for name in {"callbacks", "callbacks_"} & state.keys():
        pairs = state[name] or []
        state[name] = [p for p in pairs if not isinstance(p, tuple) or p[0] not in own]
    if torch.device(net.device).type != "cpu":
        moved = {name: copy.deepcopy(state[name]).cpu() for name in _ON_DEVICE}
        state |= {**moved, "module": moved["module_"], "optimizer_": None}
        state["criterion"] = moved["criterion_"]
    return state


def from_pickle(net: Any, state: dict[str, Any]) -> None:
    """Take the attributes over, on the device of before if it is here."""
    vars(net).update(state)
    if device_error(net.device):
        vars(net)["device"] = "cpu"
    elif torch.device(net.device).type != "cpu":
        for name in _ON_DEVICE:
            getattr(net, name).to(net.device)
