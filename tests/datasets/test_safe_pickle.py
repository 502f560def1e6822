"""Pickles that would change the reader, or keep it busy for ever."""

import pickle
import sys

import numpy as np
import pytest

from skhash.datasets import _safe_pickle
from skhash.datasets._safe_pickle import UnsafePickleError, load_arrays

# BUILD (b) with attributes (the second of a pair), or with a plain dict of state.
SLOTS = b"(N}\x8c\x0c__defaults__K\x07\x85stb."
STATE = b"}\x8c\x05dtypeK\x07sb."
NAMES = list(_safe_pickle._NAMES)


@pytest.mark.parametrize("state", [SLOTS, STATE])
@pytest.mark.parametrize(("module", "name"), NAMES)
def test_no_pickle_changes_what_a_name_stands_for(module, name, state):
    before = _attributes()
    content = b"\x80\x04c" + f"{module}\n{name}\n".encode() + state
    with pytest.raises(UnsafePickleError, match="changes what a name stands for"):
        load_arrays(content)
    assert _attributes() == before


def _attributes():
    return {
        name: (dict(getattr(thing, "__dict__", {})), getattr(thing, "__defaults__", 0))
        for name, thing in vars(_safe_pickle).items()
        if name.startswith("_") and not name.startswith("__")
    }


@pytest.mark.parametrize("state", [SLOTS, STATE])
def test_made_arrays_and_dtypes_take_no_attributes(state):
    make = b"\x80\x04cnumpy\ndtype\n\x8c\x02u1\x85R"
    with pytest.raises(ValueError):  # noqa: PT011
        load_arrays(make + state)
    assert load_arrays(pickle.dumps(np.arange(3))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"cnumpy\nndarray\n.", "name"),
        (b"cnumpy\nndarray\n)R.", "calls numpy.ndarray"),
        (b"cnumpy\ndtype\n\x8c\x02u1\x85R.", "dtype"),
        (b"}cnumpy\ndtype\n\x8c\x02u1\x85RNs.", "dtype"),
        (pickle.dumps({1, 2})[2:], "set"),
        (pickle.dumps([1j])[2:], "asks for builtins.complex"),
    ],
)
def test_nothing_but_plain_containers_comes_out(content, what):
    with pytest.raises(UnsafePickleError, match=what):
        load_arrays(b"\x80\x04" + content)


def test_lists_in_themselves_are_described():
    loop = []
    loop.append(loop)
    pair = ([],)
    pair[0].append({"a": pair})
    deep = b"\x80\x04" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."
    for content in (pickle.dumps(loop), pickle.dumps(pair), deep):
        with pytest.raises(ValueError, match="hold themselves"):
            load_arrays(content)


def test_lists_that_multiply_are_read_once():
    value = ["text"]
    # 10 ** 60 strings if each mention were read on its own.
    for _ in range(60):
        value = [value] * 10
    loaded = load_arrays(pickle.dumps(value))
    assert sys.getrefcount(loaded[0]) > 10
    for _ in range(60):
        loaded = loaded[9]
    assert loaded == ["text"]
