"""Pickles that would change the reader, or keep it busy for ever."""

import pickle
import pickletools
import struct
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_lists_held_many_times_are_read_once():
    value = ["text"]
    for _ in range(5):
        value = [value] * 10
    loaded = load_arrays(pickle.dumps(value))
    assert loaded == value
    assert sys.getrefcount(loaded[0]) > 10


P = b"\x80\x04"
U1 = b"cnumpy\ndtype\nX\x02\0\0\0u1\x85R"
ARRAY = b"cnumpy._core.multiarray\n_reconstruct\n)R"


def doubled_tuple(n):
    return b")" + b"2\x86" * n


def doubled_list(n):
    return b"]" + b"q\x01]h\x01ah\x01a" * n


def array_of(shape, data=b"C\x01\x00"):
    return P + ARRAY + b"(K\x01" + shape + U1 + b"\x89" + data + b"tb."


# Each place a value can stand in; with a value of 2 ** n items there, any code that
# prints, hashes or compares it never ends.
PLACES = {
    "data": P + b"%s.",
    "item": P + b"(K\x01%sl.",
    "key": P + b"}%sK\x01s.",
    "keys": P + b"}(%sK\x01K\x02K\x03u.",
    "key of an old pickle": P + b"(%sK\x01d.",
    "item of a set": P + b"\x8f(%s\x90.",
    "item of a frozen set": P + b"(%s\x91.",
    "value": P + b"}X\x04\0\0\0data%ss.",
    "dtype": P + b"cnumpy\ndtype\n%s\x85R.",
    "order of a dtype": P + U1 + b"(K\x03%stb.",
    "shape": array_of(b"%s"),
    "length": array_of(b"%s\x85"),
    "order": P + b"cnumpy._core.numeric\n_frombuffer\n(C\x01a" + U1 + b"K\x01\x85%stR.",
    "bytes": array_of(b"K\x01\x85", b"%s"),
    "text": P + b"c_codecs\nencode\n%s\x85R.",
    "encoding": P + b"c_codecs\nencode\nX\x01\0\0\0a%s\x86R.",
    "state": P + ARRAY + b"%sb.",
    "name": P + b"%sX\x01\0\0\0a\x93.",
    "call": P + b"%s)R.",
}


@pytest.mark.parametrize("n", [27, 60, 1000])
@pytest.mark.parametrize("double", [doubled_tuple, doubled_list])
@pytest.mark.parametrize("place", PLACES)
def test_values_that_double_are_refused_in_every_place(place, double, n, peak_below):
    content = PLACES[place].replace(b"%s", double(n))
    with pytest.raises(ValueError) as caught, peak_below(2 * 10**6):  # noqa: PT011
        load_arrays(content)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("place", [2**28, 2**31 - 1])
@pytest.mark.parametrize("put", [b"r%b", b"p%d\n"], ids=["LONG_BINPUT", "PUT"])
def test_places_of_the_memo_that_no_pickle_needs_are_refused(put, place, peak_below):
    argument = struct.pack("<I", place) if put == b"r%b" else place
    content = b"K\x00" + put % argument + b"."
    assert len(content) < 20
    with (
        pytest.raises(UnsafePickleError, match=f"writes to place {place}"),
        peak_below(10**5),
    ):
        load_arrays(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (array_of(b"(" + b"J\xff\xff\xff\x7f" * 60 + b"t"), r"takes 2\*\*63 bytes"),
        (array_of(b"(" + b"K\x01" * 65 + b"t"), "no proper shape"),
        (
            array_of(b"(" + b"\x8b\0\0\1\0" + b"\x7f" * 2**16 + b"2" * 60 + b"t"),
            "shape",
        ),
        (array_of(b"]K\x01aJ\xff\xff\xff\x7f\x86"), "no proper shape"),
        (array_of(b"J\xff\xff\xff\xff2\x86"), "no proper shape"),
        (
            array_of(b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x7f2\x87", b"C\x00"),
            "complete pickle",
        ),
        (P + b"\x96" + struct.pack("<Q", 2**40) + b".", "only 1 remain"),
        (P + b"B" + struct.pack("<I", 2**32 - 1) + b".", "only 1 remain"),
        (P + b"})" + b"\x85" * 10**4 + b"K\0s.", "tuple for a key"),
    ],
)
def test_claims_are_believed_by_no_one(content, message, peak_below):
    with pytest.raises(ValueError, match=message), peak_below(10**6):
        load_arrays(content)


def test_text_is_not_made_bytes_over_and_over(peak_below):
    text = b"X" + struct.pack("<I", 10**5) + b"a" * 10**5
    start = P + b"c_codecs\nencode\nq\0" + text + b"q\1X\6\0\0\0latin1q\2]"
    again = b"h\0h\1h\2\x86Ra"
    assert load_arrays(start + again + b".") == [b"a" * 10**5]
    with (
        pytest.raises(UnsafePickleError, match="more bytes than it holds"),
        peak_below(10**6),
    ):
        load_arrays(start + again * 1000 + b".")


@pytest.mark.parametrize("length", range(1, 40))
def test_frames_hold_whole_values(length, capfd):
    value = b"\x96\x06" + bytes(7) + b"abcdef"  # a bytearray
    frame = b"\x95" + struct.pack("<Q", length)
    # The frame may end after any value: the bytearray, its removal, None, the end.
    if length in (len(value), len(value) + 1, len(value) + 2, len(value) + 3):
        assert load_arrays(b"\x80\x05" + frame + value + b"0N.") is None
    else:
        with pytest.raises(ValueError, match=r"frame ends within a value|truncated"):
            load_arrays(b"\x80\x05" + frame + value + b"0N.")
    assert capfd.readouterr().err == ""
    with pytest.raises(UnsafePickleError, match="within another"):
        load_arrays(b"\x80\x05" + 2 * frame + value + b".")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.binary(),
    lambda values: (
        st.lists(values, max_size=4)
        | st.tuples(values, values)
        | st.dictionaries(
            st.text(max_size=3) | st.binary(max_size=3), values, max_size=4
        )
    ),
    max_leaves=20,
)


@settings(max_examples=50)
@given(PLAIN, st.integers(2, pickle.HIGHEST_PROTOCOL), st.booleans())
def test_plain_values_come_back(value, protocol, optimize):
    content = pickle.dumps([value, value], protocol=protocol)
    if optimize:
        content = pickletools.optimize(content)
    assert load_arrays(content) == [value, value]


@given(data=st.data())
def test_mutated_pickles_are_read_or_refused(data, peak_below):
    value = {
        "data": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "labels": [1, (2, "a")],
    }
    protocol = data.draw(st.integers(0, pickle.HIGHEST_PROTOCOL))
    content = bytearray(pickle.dumps([value, value], protocol=protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with peak_below(2 * 10**6), suppress(ValueError):
        load_arrays(bytes(content))
