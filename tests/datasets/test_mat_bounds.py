"""MATLAB files are followed, claim by claim, before scipy believes them."""

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io.matlab
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.io import savemat

from skhash.datasets import load_mat

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
INT8, INT32, UINT32, DOUBLE = 1, 5, 6, 9
CELL, STRUCT, OBJECT, CHAR, SPARSE, FULL, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 6, 16, 17
MANY = 32 * 2**20


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind, dims, *parts, flags=0, nonzero=0, name=b"X"):
    start = element(UINT32, struct.pack("<II", kind | flags, nonzero))
    if kind != OPAQUE:
        start += element(INT32, struct.pack(f"<{len(dims)}i", *dims))
        start += element(INT8, name)
    return element(14, start + b"".join(parts))


def packed(content):
    content = zlib.compress(content)
    return struct.pack("<II", 15, len(content)) + content


NUMBER = matrix(FULL, (1, 1), element(DOUBLE, bytes(8)), name=b"")
BOMB = element(DOUBLE, bytes(MANY))
LETTERS = element(INT8, bytes(MANY))
NAMES = element(INT32, struct.pack("<i", 8)) + element(INT8, b"a".ljust(8, b"\0"))


def nested(kind, depth):
    content = NUMBER
    for _ in range(depth):
        parts = [content] if kind == CELL else [NAMES, content]
        content = matrix(kind, (1, 1), *parts)
    return content


HOSTILE = {
    "numbers": matrix(FULL, (1, 3), BOMB),
    "imaginary part": matrix(FULL, (1, 1), NUMBER[-16:], BOMB, flags=0x800),
    "text": matrix(CHAR, (1, 3), LETTERS),
    "text without bytes": matrix(CHAR, (2**15, 2**15), element(4, b"")),
    "row numbers": matrix(SPARSE, (3, 3), element(INT32, bytes(MANY)), nonzero=3),
    "name": matrix(FULL, (1, 3), name=bytes(MANY)),
    "name of an object": matrix(OBJECT, (1, 1), LETTERS),
    "names of fields": matrix(STRUCT, (1, 1), NAMES[:16], LETTERS),
    "name of a type": matrix(OPAQUE, (), LETTERS),
    "number in a cell": matrix(CELL, (1, 1), matrix(FULL, (1, 3), BOMB)),
    "number in a field": matrix(STRUCT, (1, 1), NAMES, matrix(FULL, (1, 3), BOMB)),
    "number in a function": matrix(FUNCTION, (1, 1), matrix(FULL, (1, 3), BOMB)),
    "cells": matrix(CELL, (30_000, 30_000), NUMBER),
    "structs": matrix(STRUCT, (10_000, 10_000), NAMES, NUMBER),
    "structs without fields": matrix(
        STRUCT, (2**31 - 1,) * 2, NAMES[:16], element(INT8, b"")
    ),
    "negative shape": matrix(CELL, (-1, -(2**30)), NUMBER),
    "axes": matrix(FULL, (1,) * 33, element(DOUBLE, bytes(8))),
    "deep cells": nested(CELL, 2000),
    "deep structs": nested(STRUCT, 1000),
}


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("what", HOSTILE)
def test_claims_are_checked_first(tmp_path, what, is_packed, peak_below):
    path = tmp_path / "a.mat"
    content = HOSTILE[what]
    path.write_bytes(HEADER + (packed(content) if is_packed else content))
    with (
        pytest.raises(
            ValueError, match=r"a\.mat is not a complete MATLAB file: .*(claims|deep)"
        ),
        peak_below(3 * 2**20),
    ):
        load_mat(path)


PLACES = {
    "whole": ([0, 2], [0, 1, 2, 2]),
    "row": ([0, 3], [0, 1, 2, 2]),
    "row below": ([0, -1], [0, 1, 2, 2]),
    "starts": ([0, 2], [0, 2, 1, 2]),
    "start": ([0, 2], [1, 1, 2, 2]),
    "start below": ([0, 2], [-1, 1, 2, 2]),
    "end": ([0, 2], [0, 1, 2, 2**30]),
    "too few": ([0, 2], [0, 1, 2]),
}


@pytest.mark.parametrize("what", PLACES)
def test_places_of_sparse_variables_are_checked(tmp_path, what):
    rows, starts = (np.array(part, "<i4").tobytes() for part in PLACES[what])
    parts = element(INT32, rows), element(INT32, starts), element(DOUBLE, bytes(16))
    path = tmp_path / "a.mat"
    path.write_bytes(HEADER + matrix(SPARSE, (3, 3), *parts, nonzero=2))
    if what == "whole":
        assert load_mat(path)["X"].shape == (3, 3)
    else:
        with pytest.raises(
            ValueError, match=r"a\.mat is not a complete .* beyond its shape"
        ):
            load_mat(path)


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 14, 15, 19, 97, 255, 0x7F05, 2**16 - 1])
def test_types_beyond_the_table_are_refused(tmp_path, kind):
    """Scipy takes whatever lies there for a type, and crashes."""
    path = tmp_path / "a.mat"
    for what in (FULL, CHAR, SPARSE, CELL, 0, 18, 255):
        path.write_bytes(HEADER + matrix(what, (1, 1), element(kind, bytes(8))))
        with pytest.raises(ValueError, match=r"a\.mat is not a complete MATLAB file"):
            load_mat(path)


def test_many_cells_take_no_minutes(tmp_path):
    empty = struct.pack("<II", 14, 0)
    path = tmp_path / "a.mat"
    content = matrix(CELL, (5000, 1000), empty * 5 * 10**6)
    path.write_bytes(HEADER + packed(content))
    assert path.stat().st_size < 10**5
    start = time.process_time()  # other processes may take the cores
    with pytest.raises(ValueError, match="claims to hold 5000000 others"):
        load_mat(path)
    assert time.process_time() - start < 30


def test_elements_that_claim_more_than_the_file_are_refused(tmp_path, peak_below):
    path = tmp_path / "a.mat"
    numbers = struct.pack("<II", DOUBLE, 2**32 - 8)
    path.write_bytes(HEADER + matrix(FULL, (2**20, 2**9), numbers))
    with pytest.raises(ValueError, match="claims 4294967288 bytes"), peak_below(10**6):
        load_mat(path)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((2**31 - 1, 2**31 - 1), r"2\*\*63 bytes or more"),
        ((2**15, 2**14), "4294967296"),
    ],
)
def test_claims_of_old_files_are_checked_first(
    tmp_path, order, shape, found, peak_below
):
    path = tmp_path / "a.mat"
    kind = 0 if order == "<" else 1000
    whole = struct.pack(f"{order}5i", kind, 1, 1, 0, 2) + b"X\0" + bytes(8)
    claim = struct.pack(f"{order}5i", kind, *shape, 0, 2) + b"Y\0"
    path.write_bytes(whole + claim)
    with pytest.raises(ValueError, match=rf"a\.mat .*{found}"), peak_below(10**6):
        load_mat(path)


RNG = np.random.default_rng(0)
VARIABLES = {
    "X": RNG.random((3, 4)),
    "Z": RNG.random((2, 3)) + 1j,
    "b": np.array([[True, False]]),
    "i": np.arange(6, dtype=np.int16).reshape(1, 2, 3),
    "t": np.array(["one", "two"]),
    "c": np.array([["a", np.zeros((2, 2))]], dtype=object),
    "s": np.array([(1, "x"), (2, "y")], dtype=[("n", object), ("m", object)]),
    "e": np.zeros((0, 3)),
    "n": np.array("größe"),
    "d": {"inner": {"list": [1, "two", np.eye(3) * 1j]}, "empty": ""},
}


@pytest.mark.parametrize("is_packed", [True, False])
def test_honest_files_are_read(tmp_path, is_packed):
    path = tmp_path / "a.mat"
    savemat(path, VARIABLES, do_compression=is_packed)
    bunch = load_mat(path, data="X")
    assert sorted(bunch) == sorted([*VARIABLES, "data"])
    for name in ("X", "Z", "b", "i", "e"):
        np.testing.assert_array_equal(bunch[name], VARIABLES[name])
    assert bunch["c"][0, 1].tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("version", ["4", "5"])
def test_honest_numbers_of_both_versions_are_read(tmp_path, version):
    path = tmp_path / "a.mat"
    arrays = {name: VARIABLES[name] for name in "XZ"}
    arrays |= {"u": np.eye(3, dtype=np.uint8), "t": np.array(["one", "two"])}
    savemat(path, arrays, format=version)
    bunch = load_mat(path)
    for name in "XZu":
        np.testing.assert_array_equal(bunch[name], arrays[name])


@pytest.mark.filterwarnings("ignore")  # scipy's, of files that it has for them
def test_files_that_matlab_wrote_are_read_where_scipy_reads_them():
    folder = Path(scipy.io.matlab.__file__).parent / "tests" / "data"
    if not (paths := sorted(folder.glob("*.mat"))):
        pytest.skip("scipy is installed without the files of its tests")
    for path in paths:
        assert is_read(load_mat, path) == is_read(scipy.io.loadmat, path), path


def is_read(load, path):
    try:
        load(path)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("matrix_type", [sparse.csc_array, sparse.csr_array])
def test_sparse_variables_stay_sparse(tmp_path, is_packed, matrix_type):
    path = tmp_path / "a.mat"
    dense = np.arange(12.0).reshape(3, 4) * (np.arange(4) > 1)
    variables = {"X": matrix_type(dense), "y": [1, 2, 3], "N": sparse.csc_array((5, 4))}
    savemat(path, variables, do_compression=is_packed)
    bunch = load_mat(path, data="X", target="y")
    np.testing.assert_array_equal(bunch.data.toarray(), dense)
    assert bunch["N"].shape == (5, 4)
    for axis in (1, -1):
        bunch = load_mat(path, data="X", samples_axis=axis)
        np.testing.assert_array_equal(bunch.data.toarray(), dense.T)
    with pytest.raises(ValueError, match="samples_axis must be an int from -2 to 1"):
        load_mat(path, data="X", samples_axis=2)
    with pytest.raises(ValueError, match=r"'X' and 'y' of .* have 4 and 3 rows"):
        load_mat(path, data="X", target="y", samples_axis=1)


def whole(**how):
    stream = io.BytesIO()
    savemat(
        stream, {"X": RNG.random((3, 4)), "c": VARIABLES["c"], "y": [1, 2, 3]}, **how
    )
    return stream.getvalue()


FILES = [whole(), whole(do_compression=True)]
OLD = io.BytesIO()
savemat(OLD, {"X": RNG.random((3, 4)), "y": [1, 2, 3]}, format="4")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # scipy's, of whatever it makes of the bytes
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory, data, peak_below, refused_by_name
):
    content = bytearray(data.draw(st.sampled_from([*FILES, OLD.getvalue()])))
    places = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(places) :]
    path = tmp_path_factory.getbasetemp() / "mutated.mat"
    path.write_bytes(content)
    with peak_below(4 * 2**20), refused_by_name("mutated.mat"):
        load_mat(path)
