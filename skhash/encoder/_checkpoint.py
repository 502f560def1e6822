"""A training that was cut goes on: its state in a file, after each epoch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from skorch.callbacks import Callback
from torch import nn

from skhash.encoder._build import Seeds
from skhash.encoder._callbacks import FollowPlan
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._identity import fingerprint, parameters_of, start_of
from skhash.encoder._kept import (
    attributes_of,
    generators_of,
    held,
    set_attributes,
    set_generators,
    set_optimizer,
    storable_rows,
)
from skhash.encoder._net import DeepHashNet
from skhash.encoder._schedules import Course
from skhash.encoder._state import leftovers, read_state, storable, write_state
from skhash.warn import warn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


def check_path(checkpoint: Any) -> None:
    """Refuse a path that cannot be written to.

    Raises
    ------
    ValueError
        If it is a folder, or in one that is not there or not writable.
    """
    if checkpoint is None:
        return
    path = Path(checkpoint)
    wrong = ""
    if path.is_dir():
        wrong = "is a folder: give the path of a file"
    elif not path.parent.is_dir():
        wrong = f"lies in a folder that does not exist: make {str(path.parent)!r}"
    elif not os.access(path.parent, os.W_OK):
        wrong = f"cannot be written: {str(path.parent)!r} is read-only"
    if wrong:
        raise ValueError(f"checkpoint={str(checkpoint)!r} {wrong}.")


class Checkpoint(Callback):
    """Writes the state of a training after each epoch, and puts back what it finds.

    Comes after all callbacks that change something.

    Parameters
    ----------
    encoder : DeepHashEncoder
        What is trained; its `checkpoint` is the path.
    data, valid : TrainingData
        What it is trained and validated on; `valid` may be None.
    seeds : Seeds
        Those that would be used if there were no file.

    Raises
    ------
    ValueError
        If the file belongs to another training, or is none of ours.
    """

    def __init__(
        self,
        encoder: DeepHashEncoder,
        data: TrainingData,
        valid: TrainingData | None,
        seeds: Seeds,
    ) -> None:
        self.path = Path(encoder.checkpoint)
        self.identity = {
            "format": 1,
            "parameters": parameters_of(encoder),
            "X and y": fingerprint(data),
            "X_val and y_val": fingerprint(valid),
            "the earlier fit that warm_start goes on from": start_of(encoder),
        }
        self.seeds = seeds
        self.found = read_state(self.path) if self.path.exists() else None
        if self.found is None:
            return
        self._refuse_another()
        if encoder.random_state is None:
            self.seeds = Seeds(**self.found["seeds"])
        elif vars(self.seeds) != self.found["seeds"]:
            why = "random_state gives other seeds (an instance draws on at each fit)"
            raise ValueError(self._another(why))

    def _refuse_another(self) -> None:
        found = self.found.get("identity", {}) if isinstance(self.found, dict) else {}
        if found.get("format") != self.identity["format"]:
            raise ValueError(self._another("it was written by another version"))
        before, now = found["parameters"], self.identity["parameters"]
        for name in now:
            if before.get(name) != now[name]:
                told = f"{name} was {before.get(name)!r}, now it is {now[name]!r}"
                raise ValueError(self._another(told))
        for name in set(found) - {"format", "parameters"}:
            if found[name] != self.identity[name]:
                are = "is another" if "fit" in name else "are others"
                raise ValueError(self._another(f"{name} {are}"))

    def _another(self, why: str) -> str:
        return (
            f"checkpoint={str(self.path)!r} belongs to another training: {why}. Give "
            "what that one had to go on with it, or another path, or delete the file."
        )

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Put the state back that was found; say what cannot be kept."""
        if lost := _lost(net.criterion_) + _lost(net.module_):
            warn(
                f"The checkpoint cannot keep {', '.join(lost)}: a training that is cut "
                "starts these anew. Use numbers, lists, arrays, tensors or buffers."
            )
        if self.found is not None:
            restore(net, self.found)
            self.found = None

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Write the state."""
        identity = {"identity": self.identity, "seeds": vars(self.seeds)}
        write_state(self.path, identity | capture(net))

    def remove(self) -> None:
        """Delete the file: the training has come to its end."""
        for path in (self.path, *leftovers(self.path)):
            path.unlink(missing_ok=True)


def capture(net: DeepHashNet) -> dict[str, Any]:
    """All that the rest of a training depends on, between two epochs."""
    asleep = {id(parameter) for parameter in net.asleep_}
    parts = {"network": net.module_, "loss": net.criterion_}
    return {
        "history": storable_rows(net.history),
        "earlier": storable_rows(net.earlier_),
        "n_steps": net.n_steps_,
        "length": [net.n_epochs_, net.total_steps_],
        "course": tuple(net.course_),
        "stop": net.stop_,
        "tensors": {name: dict(part.state_dict()) for name, part in parts.items()},
        "attributes": {name: attributes_of(part) for name, part in parts.items()},
        "generators": {name: generators_of(part) for name, part in parts.items()},
        "frozen": [
            name
            for name, parameter in net.module_.named_parameters()
            if not parameter.requires_grad and id(parameter) not in asleep
        ],
        "optimizer": net.optimizer_.state_dict(),
        "sampler": net.sampler and net.sampler.state,
        "loader": net.iterator_train__generator.get_state(),
        "torch": _global_states(net),
        "callbacks": {
            name: {
                "type": type(callback).__qualname__,
                "state": _callback_state(callback),
            }
            for name, callback in net.callbacks_
            if _is_kept(callback)
        },
    }


def restore(net: DeepHashNet, state: dict[str, Any]) -> None:
    """Bring a net, just set up in the same way, to a state that was captured."""
    net.history[:], net.earlier_ = state["history"], state["earlier"]
    lost = []
    for name, callback in net.callbacks_:
        kept = state["callbacks"].get(name, {})
        if kept.get("type") == type(callback).__qualname__:
            _set_callback_state(callback, kept["state"])
        elif name not in net.own_callbacks_:
            lost.append(type(callback).__name__)
    for name, parameter in net.module_.named_parameters():
        parameter.requires_grad_(name not in state["frozen"])
    plan = next(c for _, c in net.callbacks_ if isinstance(c, FollowPlan))
    plan.enter_again(net)
    for name, part in (("network", net.module_), ("loss", net.criterion_)):
        part.load_state_dict(state["tensors"][name])
        set_attributes(part, state["attributes"][name])
        set_generators(part, state["generators"][name], net.device)
    set_optimizer(net.optimizer_, state["optimizer"])
    net.course_ = Course(*state["course"])
    net.n_epochs_, net.total_steps_ = state["length"]
    net.n_steps_, net.stop_ = state["n_steps"], state["stop"]
    if net.sampler is not None:
        net.sampler.state = state["sampler"]
    net.iterator_train__generator.set_state(state["loader"])
    net.n_done_ = plan.epoch_ + 1
    if net.draws_globally_:
        _set_global_states(net, state["torch"])
    if lost:
        warn(
            f"The training goes on after epoch {len(net.history)}, but the callbacks "
            f"{', '.join(lost)} start anew: only the state of skorch's own is kept."
        )


def _global_states(net: DeepHashNet) -> list[torch.Tensor]:
    states = [torch.default_generator.get_state()]
    if torch.device(net.device).type == "cuda":
        states.append(torch.cuda.get_rng_state(net.device))
    return states


def _set_global_states(net: DeepHashNet, states: list[torch.Tensor]) -> None:
    torch.default_generator.set_state(states[0])
    if torch.device(net.device).type == "cuda":
        torch.cuda.set_rng_state(states[-1], net.device)


def _lost(part: nn.Module) -> list[str]:
    """Names of what modules hold that no file can keep, and a training may change."""
    kept = (torch.Generator, nn.Module, type(None))
    return sorted(
        f"{type(part).__name__}.{name}"
        for _, name, value in held(part)
        if not (storable(value) or isinstance(value, kept) or callable(value))
    )


def _is_kept(callback: Any) -> bool:
    """Whether the state of a callback is known to lie in its fitted attributes."""
    return type(callback).__module__.startswith(("skorch.", "skhash."))


def _callback_state(callback: Any) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for name, value in vars(callback).items():
        if not name.endswith("_") or isinstance(value, type):
            continue
        inner = value.state_dict() if hasattr(value, "state_dict") else value
        if storable(inner):
            state[name] = inner
    return state


def _set_callback_state(callback: Any, state: dict[str, Any]) -> None:
    for name, value in state.items():
        now = getattr(callback, name, None)
        if hasattr(now, "load_state_dict"):
            now.load_state_dict(value)
        else:
            setattr(callback, name, value)
