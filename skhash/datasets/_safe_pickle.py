"""Unpickling that can build plain containers and arrays of numbers, nothing else.

A pickle is a program: loading one runs whatever it names. Here every name that numpy's
array pickles use stands for a small class of our own, which checks what it is given;
any other name is refused. No code of numpy sees the file's claims about memory, and
none of ours looks into a value before its type is known: tuples that contain one
another many times over take a few bytes to write, and forever to print or to compare.
"""

import io
import math
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from skhash.datasets._files import MOST_AXES, describe_size
from skhash.datasets._pickle_scan import UnsafePickleError, check_opcodes

_KINDS = ["b1", *(f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)), "f16"]
_ATOMS = (bool, int, float, str, bytes, bytearray)
# This many values do no harm, however few bytes they are written in.
_SMALL = 10**6


class _Dtype:
    """Stands for numpy.dtype."""

    def __init__(self, kind: Any, *_: Any) -> None:
        kind = _text(kind)
        if kind not in _KINDS:
            raise UnsafePickleError(f"arrays of dtype {kind!r:.80} are not read")
        self.dtype = np.dtype(kind)

    def __setstate__(self, state: Any) -> None:
        order = _text(state[1])
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii")
    if not isinstance(value, str):
        raise UnsafePickleError("a dtype is not described by text")
    return value


class _Array:
    """Stands for an array that numpy would rebuild."""

    def __init__(self, *_: Any) -> None:
        self.array = np.empty(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, data = state
        self.array = _array(data, dtype, shape, "F" if is_fortran else "C")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C") -> _Array:
    """Stands for what pickle protocol 5 calls."""
    array = _Array()
    array.array = _array(data, dtype, shape, order)
    return array


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
        raise UnsafePickleError("an array is not made of numbers")
    if not _is_shape(shape) or order not in ("C", "F"):
        raise UnsafePickleError("an array has no proper shape")
    n_bytes = math.prod(shape) * dtype.dtype.itemsize
    if len(data) != n_bytes:
        raise UnsafePickleError(
            f"an array's {len(data)} bytes do not fit its shape, which takes "
            f"{describe_size(n_bytes)}"
        )
    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, tuple)
        and len(shape) <= MOST_AXES
        and all(isinstance(size, int) and 0 <= size < 2**63 for size in shape)
    )


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Stands for _codecs.encode, by which old protocols write bytes."""
    if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
        raise UnsafePickleError("text is not encoded as latin1")
    return text.encode("latin1")


def _no_bytes(*arguments: Any) -> bytes:
    """Stands for bytes, which old protocols call to make an empty one."""
    if arguments:
        raise UnsafePickleError("it calls bytes with arguments")
    return b""


def _no_array(*_: Any) -> None:
    """Stands for numpy.ndarray, which is only ever an argument."""
    raise UnsafePickleError("it calls numpy.ndarray")


class _Name:
    """What a name of the pickle stands for: it can be called, and never changed.

    A pickle may set attributes of anything it names; ours outlive the pickle.
    """

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, _: Any) -> None:
        raise UnsafePickleError("it changes what a name stands for")


_NAMES: dict[tuple[str, str], _Name] = {
    ("_codecs", "encode"): _Name(_encode),
    ("__builtin__", "bytes"): _Name(_no_bytes),
    ("numpy", "dtype"): _Name(_Dtype),
    ("numpy", "ndarray"): _Name(_no_array),
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in [
            ("multiarray", "_reconstruct", _Name(_Array)),
            ("numeric", "_frombuffer", _Name(_from_buffer)),
        ]
    },
}


class _Unpickler(pickle.Unpickler):
    """Reads one pickle, once."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._left_to_encode = len(content)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise UnsafePickleError(f"it asks for {module}.{name}")
        if name == "encode":
            return _Name(self._encode)
        return _NAMES[module, name]

    def _encode(self, text: Any, encoding: Any = "latin1") -> bytes:
        """Bytes of a text; refused once they are more than the pickle itself has."""
        encoded = _encode(text, encoding)
        self._left_to_encode -= len(encoded)
        if self._left_to_encode < 0:
            raise UnsafePickleError("it makes more bytes than it holds")
        return encoded

    def persistent_load(self, _: Any) -> Any:
        raise UnsafePickleError("it refers to objects outside itself")


def load_arrays(content: bytes) -> Any:
    """Load a pickle of dicts, lists, numbers, strings and arrays of numbers.

    Anything else is refused before it is run. Strings of Python 2 come back as bytes.
    """
    try:
        check_opcodes(content)
        plain = _Plain(max(4 * len(content), _SMALL))
        return plain.of(_Unpickler(content).load())
    except UnsafePickleError:
        raise
    except RecursionError as error:
        raise ValueError(
            "its lists hold themselves, or are nested too deeply"
        ) from error
    # A damaged pickle can make the unpickler raise nearly anything.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"not a complete pickle ({reason})") from error


class _Plain:
    """Values without stand-ins.

    A few lists that contain one another many times over are quick to build, but too
    many values for anyone to print or to make an array of. Each is built once, and
    counted each time it is contained.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._done: dict[int, tuple[Any, int]] = {}

    def of(self, value: Any) -> Any:
        return self._count(value)[0]

    def _count(self, value: Any) -> tuple[Any, int]:
        """The plain value, and how many values it is, with all that it contains."""
        if value is None or isinstance(value, _ATOMS):
            return value, 1
        if isinstance(value, _Array):
            return value.array, 1
        if id(value) not in self._done:
            plain, count = self._container(value)
            if count > self._most:
                raise UnsafePickleError("its lists hold each other too often")
            self._done[id(value)] = plain, count
        return self._done[id(value)]

    def _container(self, value: Any) -> tuple[Any, int]:
        if isinstance(value, dict):
            keys, n_keys = self._items(value)
            items, n_items = self._items(value.values())
            return dict(zip(keys, items, strict=True)), n_keys + n_items
        if isinstance(value, list):
            return self._items(value)
        if isinstance(value, tuple):
            items, count = self._items(value)
            return tuple(items), count
        name = type(value).__name__.lstrip("_").lower()
        raise UnsafePickleError(f"it holds a {name}")

    def _items(self, values: Iterable[Any]) -> tuple[list[Any], int]:
        items, total = [], 1
        for value in values:
            item, count = self._count(value)
            items.append(item)
            total += count
        return items, total
