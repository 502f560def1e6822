"""State kept in a file: plain values as JSON, tensors by safetensors, no code."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

# Where the plain values lie among the metadata of the file.
_KEY = "skhash"


def write_state(path: Path, state: Any) -> None:
    """Write a state whole or not at all: a process killed here leaves the old one.

    Parameters
    ----------
    path : Path
        The file; beside it, ``.part`` at its end, one is written first.
    state : None, bool, int, float, str, Tensor, ndarray or list, tuple, dict of these
        What to keep.

    Raises
    ------
    TypeError
        If a value is of another type.
    """
    tensors: dict[str, Tensor] = {}
    plain = json.dumps(_plain(state, "", tensors))
    content = safetensors.torch.save(tensors, {_KEY: plain})
    part = part_of(path)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # the new name, too, outlives a power cut
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def part_of(path: Path) -> Path:
    """The file that is written before it takes the place of `path`."""
    return path.with_name(path.name + ".part")


def read_state(path: Path) -> Any:
    """What `write_state` has written.

    Raises
    ------
    ValueError
        If the file is another one, or damaged.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            plain = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _rebuilt(plain, tensors)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{str(path)!r} is no state that skhash has written, or it is damaged: "
            f"{error!r}. Give another path, or delete the file."
        ) from error


def storable(value: Any) -> bool:
    """Whether a value can be kept."""
    try:
        _plain(value, "", {})
    except TypeError:
        return False
    return True


def _plain(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """The value for JSON; its tensors go into `tensors`, by their names in it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        parts = [_plain(v, f"{name}/{i}", tensors) for i, v in enumerate(value)]
        return parts if type(value) is list else {"tuple": parts}
    if isinstance(value, dict):
        pairs = [
            (_plain(key, name, tensors), _plain(v, f"{name}/{key}", tensors))
            for key, v in value.items()
        ]
        named = all(isinstance(key, str) for key, _ in pairs)
        return {"dict": dict(pairs)} if named else {"pairs": pairs}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        tensors[name] = torch.from_numpy(np.array(value))
        return {"array": name}
    if isinstance(value, Tensor) and value.layout == torch.strided:
        # A copy: safetensors refuses tensors that share memory.
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    raise TypeError(f"{name.lstrip('/')} is of type {type(value).__name__}.")


def _rebuilt(plain: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(plain, list):
        return [_rebuilt(part, tensors) for part in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, value),) = plain.items()
    if kind == "float":
        return float(value)
    if kind == "tuple":
        return tuple(_rebuilt(part, tensors) for part in value)
    if kind == "dict":
        return {key: _rebuilt(part, tensors) for key, part in value.items()}
    if kind == "pairs":
        return {key: _rebuilt(part, tensors) for key, part in value}
    return tensors[value].numpy() if kind == "array" else tensors[value]
