"""What networks, losses and optimisers hold beside tensors, and putting it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from skhash.encoder._state import storable


def storable_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a history, without values that no file can hold."""
    return [{k: value for k, value in row.items() if storable(value)} for row in rows]


def set_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of an optimiser, laid out in memory as what it trains."""
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                # As weights of channels last lie: fused steps walk through both alike.
                like = torch.empty_like(parameter, dtype=value.dtype)
                values[name] = like.copy_(value)


def held(part: nn.Module) -> Iterator[tuple[str, str, Any]]:
    """What modules hold beside parameters and buffers: where, its name, its value."""
    for place, module in part.named_modules():
        if not type(module).__module__.startswith("torch."):
            for name in vars(module).keys() - vars(nn.Module()).keys() - {"terms_"}:
                yield place, name, vars(module)[name]


def attributes_of(part: nn.Module) -> dict[str, dict[str, Any]]:
    """Numbers, arrays and tensors among what modules hold."""
    found: dict[str, dict[str, Any]] = {}
    for place, name, value in held(part):
        if storable(value):
            found.setdefault(place, {})[name] = value
    return found


def set_attributes(part: nn.Module, found: dict[str, dict[str, Any]]) -> None:
    """Put back what `attributes_of` has found.

    Raises
    ------
    ValueError
        If a name is that of a method, or none that a module gives its own.
    """
    for place, module in part.named_modules():
        for name, value in found.get(place, {}).items():
            if name.startswith("__") or callable(getattr(type(module), name, None)):
                raise ValueError(f"{type(module).__name__} sets no {name!r}")
            before = vars(module).get(name)
            if isinstance(before, torch.Tensor):
                value = value.to(before.device)
            setattr(module, name, value)


def generators_of(part: nn.Module) -> dict[str, dict[str, torch.Tensor]]:
    """The states of the generators that modules draw from."""
    return {
        place: {
            name: value.get_state()
            for name, value in vars(module).items()
            if isinstance(value, torch.Generator)
        }
        for place, module in part.named_modules()
    }


def set_generators(part: nn.Module, found: dict[str, Any], device: Any) -> None:
    """Put back what `generators_of` has found."""
    for place, module in part.named_modules():
        for name, state in found.get(place, {}).items():
            if getattr(module, name, None) is None:  # made when it is first used
                setattr(module, name, torch.Generator(device))
            getattr(module, name).set_state(state)
