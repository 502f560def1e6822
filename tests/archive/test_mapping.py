"""Large arrays are mapped where they lie, and verified when that is asked for."""

import hashlib
import json
import time

import numpy as np
import pytest

from skhash.archive import LoadError, read, write
from skhash.archive._arrays import Layout, npy_header
from skhash.archive._manifest import BLOCK, MANIFEST, Digest, Tail, as_member, as_text
from skhash.archive._zip import data_offset, pieces
from tests.archive.sealing import manifest_of


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file whose codes take three blocks, the last of them in part."""
    path = tmp_path_factory.mktemp("large") / "a"
    codes = np.arange(2 * BLOCK + 80, dtype=np.uint64).astype(np.uint8).reshape(-1, 8)
    write(path, {"codes": codes, "small": codes[:2]}, kind="test", about="")
    return path


@pytest.mark.slow
def test_large_arrays_are_mapped(large):
    content = read(large, kind="test").content
    codes = content["codes"]
    assert isinstance(codes, np.memmap)
    assert not codes.flags.writeable
    assert codes.ctypes.data % 64 == 0
    assert codes.shape == (2 * BLOCK // 8 + 10, 8)
    assert (codes[-1] == np.arange(72, 80)).all()
    assert not isinstance(content["small"], np.memmap)


def test_mapped_arrays_are_verified_if_asked(large, tmp_path):
    read(large, kind="test", verify=True)
    other = tmp_path / "b"
    content = bytearray(large.read_bytes())
    place = content.index(bytes(range(256))) + BLOCK + 1000  # in the second block
    content[place] ^= 1
    other.write_bytes(content)
    assert read(other, kind="test").content["codes"].size > BLOCK
    with pytest.raises(LoadError, match=r"'codes\.npy' is damaged: .*in its block 1"):
        read(other, kind="test", verify=True)


def test_a_file_that_was_replaced_stays_mapped(large, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(large.read_bytes())
    codes = read(path, kind="test").content["codes"]
    before = codes[:8].copy()
    write(path, {"codes": codes[:1]}, kind="test", about="")
    np.testing.assert_array_equal(codes[:8], before)
    assert len(read(path, kind="test").content["codes"]) == 1


@pytest.mark.slow
def test_a_large_file_opens_at_once(tmp_path):
    path, n = tmp_path / "a", 20 * 2**27
    try:
        write_hole(path, n)
    except OSError:
        pytest.skip("the disk takes no such file")
    start = time.perf_counter()
    codes = read(path, kind="test").content["codes"]
    assert time.perf_counter() - start < 1
    assert codes.shape == (n, 8)
    assert not codes[-1].any()


def write_hole(path, n):
    """A file of n codes that were never written; checksums of blocks are not theirs."""
    write(path, {"codes": np.zeros((n % 7 + 1, 8), np.uint8)}, kind="test", about="")
    told = json.loads(manifest_of(path.read_bytes()))
    readme, row = told["members"]
    layout = Layout("|u1", (n, 8))
    head = npy_header(layout)
    row["bytes"] = size = len(head) + layout.n_bytes
    row["blocks"] = ["0" * 64] * -(-size // BLOCK)
    told["arrays"]["codes"] = layout.entry("codes.npy")
    text, own = as_text(told), Digest(MANIFEST)
    own.update(text)
    begin = data_offset(data_offset(0, "README.md", 0), "codes.npy", size)
    at = data_offset(begin + size, MANIFEST, len(text))
    digest = hashlib.sha256(text).hexdigest()
    tail = Tail(told["versions"]["skhash"], 1, at, len(text), digest)
    members = [as_member(each) for each in (readme, row, own.told())]
    written = [(begin, head), (at, text)]
    written += [(each.offset, each.content) for each in pieces(members, tail.text)]
    with path.open("wb") as file:
        for offset, content in written:
            file.seek(offset)
            file.write(content)
