"""Unpickling that can build plain containers and arrays of numbers, nothing else.

A pickle is a program: loading one runs whatever it names. Here every name that numpy's
array pickles use stands for a small class of our own, which checks what it is given;
any other name is refused. No code of numpy sees the file's claims about memory.
"""

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np


class UnsafePickleError(ValueError):
    """A pickle asked for something other than arrays and plain containers."""


class _Dtype:
    """Stands for numpy.dtype."""

    def __init__(self, kind: Any, *_: Any) -> None:
        kind = kind.decode("ascii") if isinstance(kind, bytes) else str(kind)
        if kind[:1] not in "biuf" or not kind[1:].isdigit():
            raise UnsafePickleError(f"arrays of dtype {kind!r} are not read")
        self.dtype = np.dtype(kind)

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        order = order.decode("ascii") if isinstance(order, bytes) else order
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)


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
    if not isinstance(shape, tuple) or order not in ("C", "F"):
        raise UnsafePickleError("an array has no proper shape")
    if len(data) != math.prod(shape) * dtype.dtype.itemsize:
        raise UnsafePickleError("an array's bytes do not fit its shape")
    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Stands for _codecs.encode, by which old protocols write bytes."""
    if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
        raise UnsafePickleError("text is not encoded as latin1")
    return text.encode("latin1")


def _no_bytes(*arguments: Any) -> bytes:
    """Stands for bytes, by which old protocols write nothing at all."""
    if arguments:
        raise UnsafePickleError("bytes are made of something")
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
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise UnsafePickleError(f"it asks for {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, _: Any) -> Any:
        raise UnsafePickleError("it refers to objects outside itself")


def load_arrays(content: bytes) -> Any:
    """Load a pickle of dicts, lists, numbers, strings and arrays of numbers.

    Strings of Python 2 come back as bytes.

    Raises
    ------
    UnsafePickleError
        If the pickle asks for anything else. Nothing of it has been run.
    ValueError
        If it is no whole pickle.
    """
    try:
        return _plain(_Unpickler(io.BytesIO(content), encoding="bytes").load(), {})
    except UnsafePickleError:
        raise
    except RecursionError as error:
        raise ValueError("its lists hold themselves, or hundreds of others") from error
    # A damaged pickle can make the unpickler raise nearly anything.
    except Exception as error:
        raise ValueError(f"no whole pickle ({error})") from error


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The value without stand-ins.

    `done` holds what is made of each container: a few lists that hold each other many
    times over would take forever if each mention were a list of its own.
    """
    if value is None or isinstance(value, bool | int | float | str | bytes | bytearray):
        return value
    if id(value) not in done:
        done[id(value)] = _plain_container(value, done)
    return done[id(value)]


def _plain_container(value: Any, done: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, done) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item, done) for item in value)
    raise UnsafePickleError(f"it holds a {type(value).__name__.lstrip('_').lower()}")
