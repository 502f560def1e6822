"""Values and arrays come back as they were: kinds, dtypes, order in memory."""

import datetime
import math
import uuid

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from skhash.archive import Node, read, storable, write


def back(folder, content):
    """The content, written and read."""
    write(folder / "a", content, kind="test", about="")
    return read(folder / "a", kind="test").content


def same(a, b):
    """Whether two values are the same to the bit, and of the same types."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) and a.dtype.kind in ("O", "T"):
        return (a.dtype, a.shape) == (b.dtype, b.shape) and same(a.tolist(), b.tolist())
    if isinstance(a, (np.ndarray, np.generic)):
        told = [(x.dtype, x.shape, x.tobytes()) for x in (a, b)]
        return told[0] == told[1]
    if isinstance(a, float):
        signs = math.isnan(a) or math.copysign(1, a) == math.copysign(1, b)
        return signs and repr(a) == repr(b)
    return a == b


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
DTYPES = (
    npst.boolean_dtypes()
    | npst.integer_dtypes(endianness="?")
    | npst.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | npst.unicode_string_dtypes(endianness="?", min_len=1, max_len=5)
    | npst.byte_string_dtypes(min_len=1, max_len=5)
    | npst.datetime64_dtypes(endianness="?")
    | npst.timedelta64_dtypes(endianness="?")
)


@pytest.mark.slow
@given(PLAIN)
def test_plain_values(tmp_path_factory, content):
    assert same(back(tmp_path_factory.mktemp("a"), content), content)


@pytest.mark.slow
@given(
    npst.arrays(DTYPES, npst.array_shapes(min_dims=0, min_side=0, max_side=3)),
    st.sampled_from(["codes", "other"]),
)
def test_arrays(tmp_path_factory, array, name):
    content = back(tmp_path_factory.mktemp("a"), {name: array})
    assert same(content[name], array)
    assert content[name].flags.writeable


@pytest.mark.parametrize("name", ["vectors", "weights"])
def test_the_order_in_memory_is_kept(tmp_path, name):
    whole = np.arange(24.0).reshape(2, 3, 4)
    for array in (whole, whole.T, whole[::2], whole[:, ::-1], whole[0].T, whole[:0]):
        found = back(tmp_path, {name: array})[name]
        assert same(found, array)
        turned = array.flags.f_contiguous and not array.flags.c_contiguous
        assert found.flags.f_contiguous == (turned or array.flags.f_contiguous)


COLUMNS = {
    "text": ["a", "", "bé\0", "\ud800"],
    "whole": [2**80, -1, 0],
    "bytes": [b"", b"\0", b"a"],
    "floats": [0.1, math.inf],
    "UUID": [uuid.UUID(int=5), uuid.UUID(int=2**127)],
    "dates": [datetime.date(1, 1, 1), datetime.date(2026, 2, 28)],
    "times": [
        datetime.datetime(2026, 1, 1, 1, 2, 3, 4),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),  # noqa: UP017
    ],
    "none": [],
}


@pytest.mark.parametrize("name", ["ids", "names"])
@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_columns_of_objects(tmp_path, values, name):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    assert same(back(tmp_path, {name: column})[name], column)
    texts = [str(value).replace("\ud800", "") for value in values]
    strings = np.array(texts, dtype=np.dtypes.StringDType())
    assert same(back(tmp_path, {name: strings})[name], strings)


def test_long_text_gets_a_member_of_its_own(tmp_path):
    names = np.array([f"{i:0100}" for i in range(400)])
    assert same(back(tmp_path, {"names": names})["names"], names)


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("name", ["labels", "others"])
def test_sparse_arrays(tmp_path, kind, name):
    rng = np.random.default_rng(0)
    array = kind(rng.random((5, 7)) < 0.3)
    found = back(tmp_path, {name: array})[name]
    assert type(found) is kind
    assert found.dtype == bool
    np.testing.assert_array_equal(found.toarray(), array.toarray())


def test_scalars_types_and_nodes(tmp_path):
    content = {
        "scalars": [np.float32(0.1), np.int8(-1), np.bool_(True), np.str_("é")],
        "date": np.datetime64("2026-01-01T00:00"),
        "dtype": [np.dtype("float32"), np.dtype(object)],
        "types": [np.float64, np.uint8, np.bool_, np.object_],
    }
    found = back(tmp_path, content)
    assert same(found["scalars"], content["scalars"])
    assert found["date"] == content["date"]
    assert found["dtype"] == content["dtype"]
    assert found["types"] == content["types"]
    node = back(tmp_path, [Node("box", {"a": np.arange(3), "b": Node("c", {})})])[0]
    assert (node.kind, node.content["b"]) == ("box", Node("c", {}))
    np.testing.assert_array_equal(node.content["a"], np.arange(3))


class Text(str):
    """A kind of text of its own."""


def mixed():
    column = np.empty(2, dtype=object)
    column[:] = ["a", 1]
    return column


REFUSED = {
    "a set": {1},
    "a function": len,
    "a class": int,
    "a kind of text": Text("a"),
    "bytes": b"a",
    "objects of two kinds": mixed(),
    "objects": np.array([object()]),
    "a record": np.zeros(2, dtype=[("a", int)]),
    "a masked array": np.ma.masked_array([1, 2], [True, False]),
    "a matrix that is not CSR": sp.csc_array(np.eye(2)),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_no_file_can_hold_is_refused(tmp_path, value):
    assert not storable([value])
    with pytest.raises(TypeError, match=r"^deep\.0 is .*, which a file cannot hold"):
        write(tmp_path / "a", {"deep": [value]}, kind="test", about="")
    assert list(tmp_path.iterdir()) == []
