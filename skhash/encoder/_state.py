"""State kept in a file: plain values and tensors, no code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skhash import archive

_ABOUT = """A training of skhash that was cut.

`DeepHashEncoder(checkpoint=...)` wrote this file after an epoch. The same call of
`fit`, with the same data and parameters, goes on from there, and deletes the file at
its end.
"""
# What numpy has no dtype for is kept as the bits of these.
_AS_BITS = {"bfloat16": (torch.bfloat16, torch.int16)}


def write_state(path: Path, state: Any) -> None:
    """Write a state whole or not at all: a process killed here leaves the old one.

    Parameters
    ----------
    path : Path
        The file.
    state : object
        Plain values, arrays and tensors, in lists, tuples and dicts.

    Raises
    ------
    TypeError
        If a value is of another type.
    """
    archive.write(path, without_tensors(state), kind="training", about=_ABOUT)


def read_state(path: Path) -> Any:
    """What `write_state` has written.

    Raises
    ------
    LoadError
        A `ValueError`, if the file is another one, or damaged.
    """
    try:
        content = archive.read(path, kind="training").content
        with archive.refused(repr(str(path))):
            return with_tensors(content)
    except archive.LoadError as error:
        raise archive.LoadError(
            f"{str(path)!r} is no state that skhash has written, or it is damaged. "
            f"Give another path, or delete the file. ({error})"
        ) from error


def leftovers(path: Path) -> list[Path]:
    """What processes left that were killed while they wrote the file."""
    return list(path.parent.glob(f"{path.name}.????????.part"))


def storable(value: Any) -> bool:
    """Whether a value can be kept."""
    return archive.storable(without_tensors(value))


def without_tensors(value: Any) -> Any:
    """The value, its tensors as arrays that `with_tensors` makes tensors again."""
    if isinstance(value, Tensor) and value.layout == torch.strided:
        values = value.detach().cpu()
        name = str(value.dtype).removeprefix("torch.")
        if name not in _AS_BITS:
            return archive.Node("tensor", {"values": values.numpy()})
        bits = values.contiguous().view(_AS_BITS[name][1]).numpy()
        return archive.Node("tensor", {"dtype": name, "values": bits})
    if type(value) in (list, tuple):
        return type(value)(without_tensors(part) for part in value)
    if isinstance(value, Mapping):
        return {key: without_tensors(part) for key, part in value.items()}
    return value


def with_tensors(value: Any) -> Any:
    """The value, with tensors again."""
    if isinstance(value, archive.Node) and value.kind == "tensor":
        values: np.ndarray = value.content["values"]
        tensor = torch.from_numpy(np.require(values, requirements="W"))
        if name := value.content.get("dtype"):
            tensor = tensor.view(_AS_BITS[name][0])
        return tensor
    if type(value) in (list, tuple):
        return type(value)(with_tensors(part) for part in value)
    if isinstance(value, dict):
        return {key: with_tensors(part) for key, part in value.items()}
    return value
