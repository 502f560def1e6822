"""Small files that claim much, or unpack to much, cost little to refuse."""

import gzip
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.datasets import (
    load_cifar,
    load_label_list,
    load_mat,
    load_mnist,
    load_npz,
    read_idx,
)

BOMB = 64 * 2**20


def idx_header(*shape, code=0x08):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


@pytest.mark.slow
def test_gzip_bombs_are_unpacked_as_far_as_they_claim(tmp_path, peak_below):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx_header(3) + bytes(BOMB)))
    assert path.stat().st_size < 10**5
    with (
        pytest.raises(ValueError, match=r"bomb\.gz is too long.* takes 11 bytes"),
        peak_below(3 * 2**20),
    ):
        read_idx(path)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx_header(*[2**32 - 1] * 64), "cut short.* takes 2\\*\\*63 bytes or more"),
        (idx_header(2**31, 2**20) + bytes(10**6), "cut short"),
        (idx_header(*[1] * 65) + b"\0", "65 axes"),
        (idx_header(*[0] * 65), "65 axes"),
        (idx_header(*[1] * 255) + b"\0", "255 axes"),
        (idx_header(0, *[2**32 - 1] * 3), "not an array of shape"),
    ],
)
def test_sizes_that_idx_files_claim_are_checked_first(
    tmp_path, content, message, zipped, peak_below
):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with (
        pytest.raises(ValueError, match=rf"file (is|has) .*{message}"),
        peak_below(6 * 10**6),
    ):
        read_idx(path)


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (3, 0), (), (1,) * 64])
@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_of_any_shape_are_read(tmp_path, shape, zipped):
    path = tmp_path / "file"
    content = idx_header(*shape, code=0x0E) + np.ones(shape, ">f8").tobytes()
    path.write_bytes(gzip.compress(content) if zipped else content)
    array = read_idx(path)
    np.testing.assert_array_equal(array, np.ones(shape), strict=True)
    array[...] = 0  # as writable as other arrays


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data(), zipped=st.booleans())
def test_damaged_idx_files_are_read_or_refused(
    tmp_path_factory, data, zipped, peak_below, refused_by_name
):
    content = bytearray(idx_header(2, 3, code=0x0B) + bytes(range(12)))
    content = bytearray(gzip.compress(content)) if zipped else content
    damage(data, content)
    path = tmp_path_factory.getbasetemp() / "mutated.idx"
    path.write_bytes(content)
    with peak_below(4 * 2**20), refused_by_name("mutated.idx"):
        read_idx(path)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_label_lists_are_read_or_refused(
    tmp_path_factory, data, refused_by_name
):
    content = bytearray(b"a 1.jpg 0 1\nb.jpg 1 1\r\n\nc.jpg 0 0\n")
    damage(data, content)
    path = tmp_path_factory.getbasetemp() / "mutated.txt"
    path.write_bytes(content)
    with refused_by_name("mutated.txt"):
        load_label_list(path)


def damage(data, content):
    """Overwrites a few bytes, and perhaps cuts off the end."""
    places = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(places) :]


@pytest.mark.parametrize("end", [b"", b"x", gzip.compress(b"", mtime=0)])
def test_gzip_files_of_several_members_are_read(tmp_path, end):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx_header(2)) + gzip.compress(b"ab") + end)
    if end == b"x":
        with pytest.raises(ValueError, match="file is a damaged gzip file"):
            read_idx(path)
    else:
        assert read_idx(path).tolist() == [97, 98]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (np.zeros((2, 4, 4), np.uint8), r"\(4, 4\) and uint8 of shape \(5, 5\)"),
        (np.zeros((2, 5, 5), np.int32), r"int32 of shape \(5, 5\) and uint8 of"),
    ],
)
def test_mnist_files_that_do_not_fit_are_refused(tmp_path, other, message):
    codes = {"uint8": 8, "int32": 12}
    for prefix, images in (("train", np.zeros((2, 5, 5), np.uint8)), ("t10k", other)):
        header = idx_header(*images.shape, code=codes[images.dtype.name])
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(
            header + images.tobytes()
        )
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_header(2) + b"\0\1")
    with pytest.raises(ValueError, match=message):
        load_mnist(tmp_path)
    assert load_mnist(tmp_path, subset="test").data.dtype == other.dtype


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("load", [read_idx, load_label_list, load_mat, load_npz])
def test_pipes_are_no_files(pipe, load):
    with pytest.raises(ValueError, match="pipe is not a regular file"):
        load(pipe)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["data_batch_2", "batches.meta"])
def test_pipes_are_no_files_of_cifar(tmp_path, name):
    batch = np.zeros(3073, np.uint8).tobytes()
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}.bin").write_bytes(batch)
    (tmp_path / "test_batch.bin").write_bytes(batch)
    name += ".bin" if name.startswith("data") else ".txt"
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name} is not a regular file"):
        load_cifar(tmp_path)


@pytest.mark.parametrize("load", [read_idx, load_label_list, load_mat, load_npz])
def test_folders_are_no_files(tmp_path, load):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(tmp_path)


def test_files_with_holes_do_not_fit_in_memory(tmp_path):
    with (tmp_path / "list.txt").open("wb") as file:
        try:
            file.truncate(2**43)
        except OSError:
            pytest.skip("this file system has no such large files")
    with pytest.raises(ValueError, match=r"list\.txt does not fit in memory"):
        load_label_list(tmp_path / "list.txt")
