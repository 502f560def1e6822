"""The layout of the file: what other tools see, and the fields for more than 4 GB."""

import io
import os
import subprocess
import zipfile

import hypothesis.strategies as st
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given

from skhash.archive import write
from skhash.archive._zip import Member, data_offset, pieces


@pytest.fixture
def path(tmp_path):
    """A file of each kind of member."""
    codes = np.arange(24, dtype=np.uint8).reshape(8, 3)
    weights = np.arange(6.0).reshape(2, 3)
    write(
        tmp_path / "a",
        {"codes": codes, "weights": weights, "turned": weights.T},
        kind="test",
        about="For humans.\n",
    )
    return tmp_path / "a"


def test_other_tools_read_the_members(path):
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        names = ["README.md", "weights.safetensors", "codes.npy", "manifest.json"]
        assert file.namelist() == names
        assert file.read("README.md") == b"For humans.\n"
        codes = np.load(io.BytesIO(file.read("codes.npy")))
        tensors = safetensors.numpy.load(file.read("weights.safetensors"))
    np.testing.assert_array_equal(codes, np.arange(24).reshape(8, 3))
    np.testing.assert_array_equal(tensors["weights"], np.arange(6.0).reshape(2, 3))
    # What lies in Fortran's order is told as its transpose.
    np.testing.assert_array_equal(tensors["turned"], np.arange(6.0).reshape(2, 3))


def test_unzip_finds_no_error(path):
    try:
        done = subprocess.run(["unzip", "-t", path], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unzip")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_content_gives_the_same_bytes(path, tmp_path):
    codes = np.arange(24, dtype=np.uint8).reshape(8, 3)
    weights = np.arange(6.0).reshape(2, 3)
    content = {"codes": codes, "weights": weights, "turned": weights.T}
    write(tmp_path / "b", content, kind="test", about="For humans.\n")
    assert path.read_bytes() == (tmp_path / "b").read_bytes()


def laid_out(path, sizes):
    """Write the frame of members of these sizes, which stay holes in the file."""
    members = [Member(f"m{i}.npy", size, i) for i, size in enumerate(sizes)]
    with path.open("wb") as file:
        for piece in pieces(members, b"the end"):
            file.seek(piece.offset)
            file.write(piece.content)
    return members


def check_as_zipfile_does(path, members):
    """Compare with what zipfile reads, and each header with where it says it is."""
    with zipfile.ZipFile(path) as file:
        assert file.comment == b"the end"
        start = 0
        for member, info in zip(members, file.infolist(), strict=True):
            assert (info.filename, info.file_size) == (member.name, member.size)
            assert (info.CRC, info.compress_type) == (member.crc, zipfile.ZIP_STORED)
            assert info.header_offset == start
            begin = data_offset(start, member.name, member.size)
            assert begin % 64 == 0
            with file.open(info) as stream:  # compares the local header
                assert stream._orig_compress_start == begin
            start = begin + member.size
    assert path.stat().st_size > start


@given(st.lists(st.integers(0, 300), max_size=5))
def test_members_lie_where_zipfile_finds_them(tmp_path_factory, sizes):
    path = tmp_path_factory.mktemp("zip") / "a"
    check_as_zipfile_does(path, laid_out(path, sizes))


# One too small, one that needs long fields, and offsets beyond them.
LONG = [2**32 - 2, 2**32 - 1, 7, 5 * 2**30]


@pytest.mark.skipif(os.name == "nt", reason="files have no holes")
@pytest.mark.parametrize("sizes", [LONG, LONG[:1], [2**31] * 2], ids=len)
def test_fields_for_more_than_four_gigabytes(tmp_path, sizes):
    path = tmp_path / "a"
    try:
        members = laid_out(path, sizes)
    except OSError:
        pytest.skip("the disk takes no such file")
    check_as_zipfile_does(path, members)


@pytest.mark.slow
def test_more_members_than_short_fields_count(tmp_path):
    laid_out(tmp_path / "a", [9] * 65_536)
    with zipfile.ZipFile(tmp_path / "a") as file:
        assert len(file.namelist()) == 65_536
