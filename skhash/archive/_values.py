"""Plain values as JSON, their arrays apart; and back, from a closed set of kinds.

What JSON has no form for is an object with a key that begins with "$". Nothing names a
class, a function or a module, except a `Node`, whose name means only what the caller of
`skhash.archive.read` takes it for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from skhash.archive import _columns
from skhash.archive._arrays import dtype_name, is_tensor, known_dtype

# Arrays under these names get a member of their own, which is mapped where it is large.
OWN = (
    *("codes", "factors", "ids", "labels", "places"),
    *("vectors", "added_vectors", "vector_scales", "index"),
)
# Text up to this many bytes goes into the manifest.
_SHORT_TEXT = 1 << 16
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_SPARSE = {"csr_array": sp.csr_array, "csr_matrix": sp.csr_matrix}
# Types of numpy that stand for a dtype, as in ``TfidfVectorizer(dtype=np.float32)``.
_TYPES = {
    name: getattr(np, name)
    for name in (
        *("bool_", "object_", "str_", "float16", "float32", "float64"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    )
}
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}


@dataclass
class Node:
    """Something that the caller makes plain, and makes again: its kind, its values."""

    kind: str
    content: dict[str, Any]


@dataclass
class Place:
    """Where an array is to go: its own member, or None for that of all tensors."""

    array: np.ndarray
    own: str | None


def storable(value: Any) -> bool:
    """Whether a value is of the kinds that a file can hold."""
    try:
        encode(value)
    except TypeError:
        return False
    return True


def encode(value: Any) -> tuple[Any, dict[str, Place]]:
    """The value for JSON, and its arrays by their names in it.

    A TypeError says where a value is that no file can hold.
    """
    arrays: dict[str, Place] = {}
    return _encode(value, (), arrays), arrays


def _encode(value: Any, path: tuple[str, ...], arrays: dict[str, Place]) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if type(value) in (list, tuple):
        parts = [_encode(v, (*path, str(i)), arrays) for i, v in enumerate(value)]
        return parts if type(value) is list else {"$tuple": parts}
    if isinstance(value, Mapping):
        return _encode_mapping(value, path, arrays)
    if isinstance(value, Node):
        if list(value.content) == ["values"]:  # whose name needs no more words
            inner = {"values": _encode(value.content["values"], path, arrays)}
        else:
            inner = _encode(value.content, path, arrays)
        return {"$node": value.kind, **inner}
    try:
        return _encode_numpy(value, path, arrays)
    except TypeError as error:
        name = ".".join(path) or "the value"
        raise TypeError(f"{name} is {error}, which a file cannot hold.") from None


def _encode_mapping(
    value: Mapping[Any, Any], path: tuple[str, ...], arrays: dict[str, Place]
) -> Any:
    named = all(type(key) is str and not key.startswith("$") for key in value)
    parts = [_encode(v, (*path, str(key)), arrays) for key, v in value.items()]
    if named:
        return dict(zip(value, parts, strict=True))
    keys = [_encode(key, path, {}) for key in value]
    return {"$pairs": [list(pair) for pair in zip(keys, parts, strict=True)]}


def _encode_numpy(value: Any, path: tuple[str, ...], arrays: dict[str, Place]) -> Any:
    if isinstance(value, np.generic):
        return {"$scalar": [dtype_name(value.dtype), value.tobytes().hex()]}
    if isinstance(value, type) and value in _TYPE_NAMES:
        return {"$type": _TYPE_NAMES[value]}
    if isinstance(value, np.dtype):
        return {"$dtype": "O" if value.char == "O" else dtype_name(value)}
    for name, kind in _SPARSE.items():
        if type(value) is kind:
            parts = {part: getattr(value, part) for part in _columns.SPARSE_PARTS}
            told = {"kind": name, "shape": list(value.shape), **parts}
            return {"$sparse": _encode(told, path, arrays)}
    if type(value) not in (np.ndarray, np.memmap):
        raise TypeError(f"of type {type(value).__name__}")
    own = next((path[i:] for i, part in enumerate(path) if part in OWN), None)
    if value.dtype.kind in ("O", "T"):
        told = _columns.told(value, apart=own is not None)
        return {"$column": _encode(told, path, arrays)}
    if own is None and value.dtype.kind == "U" and value.nbytes <= _SHORT_TEXT:
        texts = value.ravel().tolist()
        return {"$text": [dtype_name(value.dtype), list(value.shape), texts]}
    dtype_name(value.dtype)
    if own is None and not is_tensor(value):
        own = path[-1:] or ("array",)
    name = "/".join(path)
    arrays[name] = Place(value, None if own is None else "_".join(own))
    return {"$array": name}


def decode(plain: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value of some JSON; it takes its arrays out of `arrays`.

    Errors of many kinds say that it is none that `encode` makes.
    """
    if isinstance(plain, list):
        return [decode(part, arrays) for part in plain]
    if not isinstance(plain, dict):
        return plain
    if not any(key.startswith("$") for key in plain):
        return {key: decode(part, arrays) for key, part in plain.items()}
    if "$node" in plain:
        content = {k: decode(v, arrays) for k, v in plain.items() if k != "$node"}
        return Node(_text(plain["$node"]), content)
    ((kind, value),) = plain.items()
    return _DECODERS[kind](value, arrays)


def _pairs(value: Any, arrays: dict[str, np.ndarray]) -> dict[Any, Any]:
    return {decode(key, arrays): decode(part, arrays) for key, part in value}


def _scalar(value: Any, arrays: dict[str, np.ndarray]) -> np.generic:
    name, digits = value
    (scalar,) = np.frombuffer(bytes.fromhex(digits), known_dtype(name))
    return scalar


def _short_text(value: Any, arrays: dict[str, np.ndarray]) -> np.ndarray:
    name, shape, texts = value
    dtype = known_dtype(name)
    if dtype.kind != "U" or dtype.itemsize * len(texts) > _SHORT_TEXT:
        raise ValueError("There is more text than stands in a manifest")
    if any(4 * len(_text(each)) > dtype.itemsize for each in texts):
        raise ValueError(f"There is text that is no {name}")
    return np.array(texts, dtype=dtype).reshape(shape)


def _sparse(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    told = decode(value, arrays)
    made = _SPARSE[told["kind"]](
        tuple(told[part] for part in _columns.SPARSE_PARTS),
        shape=tuple(told["shape"]),
    )
    made.check_format(full_check=True)  # kernels trust the places
    return made


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


_DECODERS: dict[str, Any] = {
    "$float": lambda value, _: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[
        value
    ],
    "$tuple": lambda value, arrays: tuple(decode(part, arrays) for part in value),
    "$pairs": _pairs,
    "$scalar": _scalar,
    "$type": lambda value, _: _TYPES[value],
    "$dtype": lambda name, _: np.dtype("O") if name == "O" else known_dtype(name),
    "$text": _short_text,
    "$sparse": _sparse,
    "$column": lambda value, arrays: _columns.made(decode(value, arrays)),
    "$array": lambda value, arrays: arrays.pop(value),
}
