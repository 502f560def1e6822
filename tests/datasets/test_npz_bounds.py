"""NPZ files are checked, from the archive to each array, before they are unpacked."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from skhash.datasets import load_npz

MIB = 2**20


def npy(array, version=None):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def header(text, version=1, length=None):
    size = len(text) if length is None else length
    packed = struct.pack("<H" if version == 1 else "<I", size)
    return b"\x93NUMPY" + bytes([version, 0]) + packed + text


def claim(shape, descr="'<f8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
    return header(text.encode())


@pytest.fixture
def archive(tmp_path):
    """Writes members into an archive, and returns its path."""

    def write(*members, packing=zipfile.ZIP_DEFLATED):
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w", packing) as file:
            for name, content in members:
                file.writestr(name, content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(np.zeros(3)) + bytes(32 * MIB), "takes 152 bytes, but has 33554584"),
        (npy(np.zeros(3)) + b"\0", "takes 152 bytes, but has 153"),
        (claim((10**15,)), r"takes 80000000000000\d\d bytes, but has"),
        (claim((2**62,) * 9), r"takes 2\*\*63 bytes or more, but has"),
        (claim("(" + "0x" + "f" * 9000 + ",)"), "shape that no array has"),
        (claim((-1, -8)) + bytes(64), "shape that no array has"),
        (claim((1,) * 65) + bytes(8), "shape that no array has"),
        (claim((), "'<U500000000'"), "takes 20000000"),
        (claim((3,), "('<f8', (100000000,))"), "takes 24000000"),
        (claim((0, 2**62, 2**62)), "damaged"),
        (header(bytes(32 * MIB), 2, 2**32 - 1), "header claims 4294967295 bytes"),
        (header(b"(" * 9000), "damaged"),
        (header(b"-" * 9000 + b"1"), "damaged"),
        (header(b"{'a':" * 1800), "damaged"),
        (b"\x93NUMPY\x09\x00" + bytes(32 * MIB), r"NPY version is 9\.0"),
        (b"\x93NUMPY", "damaged"),
    ],
    ids=range(16),
)
def test_arrays_that_are_not_what_they_claim_are_refused(
    archive, content, message, peak_below
):
    path = archive(("X.npy", content))
    assert path.stat().st_size < 10**5
    with (
        pytest.raises(
            ValueError,
            match=rf"'X' of .*a\.npz is damaged: .*{message}|^Array 'X' of .*{message}",
        ),
        peak_below(2 * MIB),
    ):
        load_npz(path)


def test_members_that_are_no_arrays_are_not_unpacked(archive, peak_below):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("X.npy", bytes(32 * MIB))
    for content in (bytes(32 * MIB), inner.getvalue(), b""):
        path = archive(("X.npy", npy(np.zeros(3))), ("y.npy", content))
        with (
            pytest.raises(ValueError, match=r"a\.npz is not an NPZ file: 'y' in it"),
            peak_below(2 * MIB),
        ):
            load_npz(path)


def edit_directory(path, field, code, value, members=slice(None)):
    """Overwrites a field of the central directory's entries."""
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content)) if content.startswith(b"PK\1\2", i)]
    for start in starts[members]:
        struct.pack_into(code, content, start + field, value)
    path.write_bytes(content)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_that_claim_more_than_they_can_hold_are_refused(archive, packing):
    path = archive(("X.npy", claim((2**28 - 16,))), packing=packing)
    edit_directory(path, 24, "<I", 2**31 - 128 + len(claim((2**28 - 16,))))
    with pytest.raises(ValueError, match=r"'X' of .*cannot hold more than"):
        load_npz(path)


def test_members_that_share_their_bytes_are_refused(archive):
    content = npy(np.zeros(MIB))
    path = archive(("a.npy", content), *((f"{i}.npy", b"") for i in range(9)))
    size = zipfile.ZipFile(path).infolist()[0].compress_size
    for field, value in ((42, 0), (20, size), (24, len(content))):
        edit_directory(path, field, "<I", value)
    with pytest.raises(
        ValueError, match=r"a\.npz is not a complete NPZ file.*claim more"
    ):
        load_npz(path)


@pytest.mark.slow
@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_without_a_bound_are_refused(archive, packing, peak_below):
    path = archive(("X.npy", bytes(16 * MIB)), packing=packing)
    with (
        pytest.raises(ValueError, match=r"'X' of .*neither stored nor deflated"),
        peak_below(MIB),
    ):
        load_npz(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("X.npy", "X"), ("X.npy", "Y.npy", "X.npy")])
def test_arrays_of_one_name_are_refused(archive, names):
    path = archive(*((name, npy(np.zeros(i))) for i, name in enumerate(names)))
    with pytest.raises(ValueError, match="holds 'X' more than once"):
        load_npz(path)


def test_locked_members_are_refused(archive):
    path = archive(("X.npy", npy(np.zeros(3))))
    edit_directory(path, 8, "<H", 1)
    with pytest.raises(ValueError, match=r"'X' of .*a\.npz is damaged: .*encrypted"):
        load_npz(path)


RECORD = np.dtype([("a", "u1"), ("b", "<f4", (2,))])
SUBARRAYS = np.dtype("(2,3)<i4")


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    dtype=arrays.scalar_dtypes() | st.sampled_from([RECORD, SUBARRAYS]),
    shape=arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
    packed=st.booleans(),
    order=st.sampled_from("CF"),
    version=st.sampled_from([None, (2, 0), (3, 0)]),
)
def test_arrays_of_every_kind_come_back(
    tmp_path_factory, dtype, shape, packed, order, version
):
    array = np.zeros(shape, dtype, order)
    path = tmp_path_factory.getbasetemp() / "kinds.npz"
    with zipfile.ZipFile(path, "w", 8 if packed else 0) as file:
        file.writestr("X.npy", npy(array, version))
    np.testing.assert_array_equal(load_npz(path)["X"], array, strict=True)


def test_fields_may_have_any_name(archive):
    array = np.array([(1, 2.0)], [("größe", "<i8"), ("ラベル", "<f4")])
    with pytest.warns(UserWarning, match=r"format 3\.0"):
        content = npy(array)
    loaded = load_npz(archive(("X.npy", content)))["X"]
    assert loaded.dtype == array.dtype
    assert loaded.tolist() == array.tolist()


WHOLE = io.BytesIO()
np.savez_compressed(WHOLE, X=np.arange(6.0).reshape(2, 3), y=np.array(["a", "b"]))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory, data, peak_below, refused_by_name
):
    content = bytearray(WHOLE.getvalue())
    places = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(places) :]
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    path.write_bytes(content)
    with peak_below(4 * MIB), refused_by_name("mutated.npz"):
        load_npz(path)
