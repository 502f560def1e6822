"""Codes of chunks are those of one array; parts in a folder are made once."""

import json

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from scipy.sparse import csr_array, csr_matrix

from skhash import DeepHashEncoder, save
from skhash.baselines import RotatedSigns
from skhash.distributed import ChunkError, HammingNeighbors, encode

X = np.random.default_rng(0).normal(size=(70, 12)).astype(np.float32)


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


class Counting:
    """An encoder that counts how often it is asked."""

    calls = 0

    def __init__(self, encoder):
        self.encoder = encoder

    def transform(self, X):
        type(self).calls += 1
        return self.encoder.transform(X)


class Zeros:
    """An encoder whose codes are zeros, which zarr takes for nothing."""

    calls = 0

    def transform(self, X):
        type(self).calls += 1
        return np.zeros((len(X), 3), np.uint8)


@pytest.fixture
def encoder():
    Counting.calls = 0
    return Counting(RotatedSigns(20, random_state=0).fit(X))


def test_codes_of_chunks_are_those_of_the_array(encoder):
    wanted = encoder.transform(X)
    for chunks in ((30, 12), ((1, 69), (5, 7))):
        codes = encode(encoder, da.from_array(X, chunks=chunks))
        assert (codes.shape, codes.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_array_equal(codes, wanted)


def test_chunks_of_unknown_sizes_and_delayed_arrays(encoder):
    some = da.from_array(X, chunks=(30, 12))
    some = some[some[:, 0] > 0]
    wanted = encoder.transform(X[X[:, 0] > 0])
    np.testing.assert_array_equal(encode(encoder, some), wanted)
    files = [dask.delayed(X[:50]), dask.delayed(X[50:])]
    codes = encode(encoder, files)
    np.testing.assert_array_equal(codes, encoder.transform(X))
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        HammingNeighbors().fit(codes)


def test_blocks_of_csr():
    class OfSparse:
        def transform(self, X):
            return np.packbits((X.toarray() > 0), axis=1)

    sparse = csr_array(X * (X > 0.5))
    blocks = da.from_array(X, chunks=(30, 12)).map_blocks(
        lambda block: csr_array(block * (block > 0.5)), meta=csr_matrix((0, 0))
    )
    codes = encode(OfSparse(), blocks)
    np.testing.assert_array_equal(codes, OfSparse().transform(sparse))


def test_a_network_by_object_and_by_file(tmp_path):
    y = (X[:, 0] > 0).astype(int)
    network = DeepHashEncoder(16, max_epochs=2, random_state=0).fit(X, y)
    save(network, tmp_path / "encoder.skhash")
    z = network.embed(X)
    sure = np.packbits(np.abs(z) > 1e-5 * z.std(), axis=1)
    for given in (network, tmp_path / "encoder.skhash"):
        codes = encode(given, da.from_array(X, chunks=(9, 12))).compute()
        assert not ((codes ^ network.transform(X)) & sure).any()
    with pytest.raises(FileNotFoundError):
        encode(tmp_path / "other.skhash", da.from_array(X))


def test_parts_are_made_once(encoder, tmp_path):
    chunks = da.from_array(X, chunks=(30, 12))
    codes = encode(encoder, chunks, store=tmp_path / "codes")
    assert Counting.calls == 3
    np.testing.assert_array_equal(codes, encoder.encoder.transform(X))
    again = encode(encoder, chunks, store=tmp_path / "codes")
    assert Counting.calls == 3
    np.testing.assert_array_equal(again, codes)
    assert HammingNeighbors().fit(again).n_samples_fit_ == 70
    names = sorted(file.name for file in (tmp_path / "codes").iterdir())
    assert names[:2] == ["part-000000.json", "part-000000.npy"]
    assert len(names) == 6


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def turn(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, turn, lambda file: file.unlink()])
@pytest.mark.parametrize("name", ["part-000001.npy", "part-000001.json"])
def test_only_parts_that_are_not_whole_are_made_again(encoder, tmp_path, name, damage):
    chunks = da.from_array(X, chunks=(30, 12))
    encode(encoder, chunks, store=tmp_path)
    damage(tmp_path / name)
    codes = encode(encoder, chunks, store=tmp_path)
    assert Counting.calls == 4
    np.testing.assert_array_equal(codes, encoder.encoder.transform(X))


def test_parts_of_another_encoder_or_other_chunks_are_made_anew(encoder, tmp_path):
    encode(encoder, da.from_array(X, chunks=(30, 12)), store=tmp_path)
    encode(encoder, da.from_array(X, chunks=(35, 12)), store=tmp_path)
    assert Counting.calls == 5
    other = Counting(RotatedSigns(20, random_state=1).fit(X))
    codes = encode(other, da.from_array(X, chunks=(35, 12)), store=tmp_path)
    assert Counting.calls == 7
    np.testing.assert_array_equal(codes, other.encoder.transform(X))


def test_a_chunk_that_fails_is_named_and_others_stay(encoder, tmp_path):
    def read(i):
        if i == 1:
            raise FileNotFoundError("items-1.npy")
        return X[30 * i : 30 * (i + 1)]

    files = [dask.delayed(read)(i) for i in range(3)]
    with pytest.raises(ChunkError, match=r"Chunk 1 failed .*: items-1"):
        encode(encoder, files, store=tmp_path)
    record = json.loads((tmp_path / "part-000000.json").read_text())
    assert record["shape"] == [30, 3]


def test_a_chunk_that_cannot_be_encoded_is_named(encoder):
    blocks = da.from_array(X, chunks=(30, 12)).map_blocks(
        lambda block, block_info: block[:, block_info[0]["chunk-location"][0] == 1 :],
        meta=X[:0],
    )
    codes = encode(encoder, blocks)
    with pytest.raises(
        ChunkError, match=r"Chunk 1 failed in this process: ValueError: .* 11 feat"
    ):
        codes.compute()


def test_zarr_chunks_are_made_once(encoder, tmp_path):
    chunks = da.from_array(X, chunks=(30, 12))
    wanted = encoder.encoder.transform(X)
    folder = tmp_path / "codes.zarr"
    codes = encode(encoder, chunks, store=folder)
    assert Counting.calls == 4  # three chunks, and none to see what codes are like
    assert codes.chunks == ((30, 30, 10), (3,))
    np.testing.assert_array_equal(codes, wanted)
    found = da.from_zarr(zarr.open_array(folder, mode="r"))
    np.testing.assert_array_equal(found, wanted)
    again = encode(encoder, chunks, store=str(folder))
    assert Counting.calls == 5
    np.testing.assert_array_equal(again, wanted)
    assert HammingNeighbors().fit(again).n_samples_fit_ == 70


@pytest.mark.parametrize("damage", [cut, turn, lambda file: file.unlink()])
def test_only_zarr_chunks_that_are_not_whole_are_made_again(encoder, tmp_path, damage):
    chunks = da.from_array(np.zeros_like(X), chunks=(30, 12))
    folder = tmp_path / "codes.zarr"
    encode(Zeros(), chunks, store=folder)
    damage(folder / "c" / "1" / "0")
    Zeros.calls = 0
    codes = encode(Zeros(), chunks, store=folder)
    assert Zeros.calls == 2
    assert not codes.compute().any()


def test_zarr_of_another_encoder_width_or_chunks_is_made_anew(encoder, tmp_path):
    folder, chunks = tmp_path / "codes.zarr", da.from_array(X, chunks=(30, 12))
    encode(encoder, chunks, store=folder)
    for n_bits, sizes in ((20, 30), (9, 30), (9, 35)):
        other = Counting(RotatedSigns(n_bits, random_state=1).fit(X))
        codes = encode(other, da.from_array(X, chunks=(sizes, 12)), store=folder)
        np.testing.assert_array_equal(codes, other.encoder.transform(X))


def test_chunks_that_zarr_does_not_have_are_refused(encoder, tmp_path):
    folder = tmp_path / "codes.zarr"
    for chunks in ((10, 30, 30), (30, 10, 30)):
        with pytest.raises(ValueError, match=r"X\.rechunk\(\{0: n\}\)"):
            encode(encoder, da.from_array(X, chunks=(chunks, 12)), store=folder)
    with pytest.raises(ValueError, match="unknown rows"):
        encode(encoder, [dask.delayed(X)], store=folder)
    assert not folder.exists()
    wide = da.from_array(X, chunks=(30, 12)).map_blocks(
        lambda block, block_info: block[block_info[0]["chunk-location"][0] :],
        meta=X[:0],
    )
    with pytest.raises(ChunkError, match=r"Chunk 1 .* shape \(29, 3\)"):
        encode(encoder, wide, store=folder)


def test_items_must_be_chunks(encoder):
    with pytest.raises(TypeError, match="X must be a dask array, got ndarray"):
        encode(encoder, X)
