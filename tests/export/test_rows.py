"""Columns that every exporter gets, and what is refused before any is made."""

import datetime
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skhash import (
    EmbeddingNeighbors,
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
)
from skhash.baselines import ITQ
from skhash.export import (
    to_clickhouse,
    to_duckdb,
    to_elasticsearch,
    to_faiss,
    to_numpy,
    to_parquet,
    to_pgvector,
    to_vespa,
)
from skhash.export._rows import BLOCK, rows_of
from skhash.hamming import pack
from skhash.neighbors.exported import queries_of
from tests.export.samples import codes_of, database, embeddings, engine


@pytest.mark.parametrize("n_bits", [5, 8, 13, 64])
def test_bits_say_how_many_they_are(n_bits):
    bits = np.random.default_rng(0).random((9, n_bits)) < 0.5
    for given in (bits, HammingNeighbors().fit(bits)):
        arrays = to_numpy(given)
        assert arrays["n_bits"] == n_bits
        np.testing.assert_array_equal(arrays["code"], np.packbits(bits, axis=1))
        np.testing.assert_array_equal(arrays["id"], np.arange(9))


def test_packed_codes_are_as_long_as_their_bytes_unless_told():
    codes = codes_of(13)
    assert to_numpy(codes)["n_bits"] == 16
    assert to_numpy(codes, n_bits=13)["n_bits"] == 13
    assert to_numpy(codes.tolist(), n_bits=13)["n_bits"] == 13
    assert to_numpy(HammingNeighbors().fit(codes), n_bits=13)["n_bits"] == 13


def test_number_of_bits_must_fit():
    codes = codes_of(13)
    with pytest.raises(ValueError, match="ones beyond the first 12 bits"):
        to_numpy(np.full((1, 2), 0xFF, np.uint8), n_bits=12)
    with pytest.raises(ValueError, match=r"of 8 bits.*of 2 bytes.*9 to 16"):
        to_numpy(codes, n_bits=8)
    with pytest.raises(ValueError, match=r"of 17 bits.*of 2 bytes"):
        to_numpy(codes, n_bits=17)
    with pytest.raises(TypeError, match="n_bits must be an integer"):
        to_numpy(codes, n_bits=13.0)


@pytest.mark.parametrize(
    ("ids", "type_"),
    [
        ([3, 1, 2], np.int64),
        (np.array([3, 1, 2], np.uint8), np.int64),
        (np.array([3, 1, 2**63 - 1], np.uint64), np.int64),
        (["c", "a", "ä"], np.str_),
        (np.array(["c", "a", "b"], dtype=object), np.str_),
        (np.array(["c", "a", "b"], dtype=np.dtypes.StringDType()), np.str_),
    ],
)
def test_ids_come_in_one_of_two_types(ids, type_):
    found = to_numpy(HammingNeighbors().fit([[1], [2], [3]], ids=ids))["id"]
    assert found.dtype.type is type_
    assert found.tolist() == list(ids)


@pytest.mark.parametrize(
    "ids",
    [
        [0.5, 1.5],
        [2**63, 1],
        [2**70, 1],
        [b"a", b"b"],
        [datetime.date(2026, 1, day) for day in (1, 2)],
    ],
)
def test_other_ids_are_refused_with_the_way_out(ids):
    neighbors = HammingNeighbors().fit([[1], [2]], ids=ids)
    with pytest.raises(ValueError, match=r"ids=\[str\(i\) for i in ids\]"):
        to_numpy(neighbors)


@pytest.mark.parametrize("column", ["id", "label"])
@pytest.mark.parametrize("dtype", [np.str_, object])
def test_names_that_are_no_text_are_refused(tmp_path, column, dtype):
    names = [f"{i}.png" for i in range(BLOCK + 9)]
    names[-2] = os.fsdecode(b"a\xff.png")  # a file of Latin-1, as Python names it
    codes, names = np.zeros((len(names), 1), np.uint8), np.array(names, dtype)
    given = {"ids": names} if column == "id" else {"y": names}
    neighbors = HammingNeighbors().fit(codes, **given)
    engine("pyarrow")
    for export in (to_clickhouse, to_elasticsearch, to_parquet, to_pgvector, to_vespa):
        path = tmp_path / "items"
        with pytest.raises(ValueError, match=rf"{column} 'a\\udcff.png' is no text in"):
            export(neighbors, path)
        assert list(tmp_path.iterdir()) == []
    # Arrays hold what UTF-8 does not, and integers are no text.
    assert to_numpy(neighbors, tmp_path / "a.npz")[column].tolist() == names.tolist()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")[column], names)
    if column == "label":
        assert rows_of(neighbors, text_ids=False).kinds["id"] == "integer"


@pytest.mark.parametrize("labels", ["integers", "strings", "floats", "bool"])
def test_labels_go_along(labels):
    neighbors = database(labels=labels)
    found = to_numpy(neighbors)["label"]
    assert found.tolist() == neighbors.labels_.tolist()


def test_label_sets_stay_behind_with_a_warning():
    neighbors = HammingNeighbors().fit([[1], [2]], [[1, 0], [1, 1]])
    with pytest.warns(UserWarning, match="labels stay behind, since they are label se"):
        assert "label" not in to_numpy(neighbors)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "inner_product"])
@pytest.mark.parametrize("encoder", [None, ITQ(16, random_state=0)])
def test_factors_estimate_what_the_estimator_does(metric, encoder):
    neighbors, queries = embeddings(metric, encoder=encoder, query_bits=8, vectors=None)
    queries = queries * 1.3
    arrays = to_numpy(neighbors)
    assert arrays["slope"].dtype == arrays["intercept"].dtype == np.float32
    asked = queries_of(neighbors, queries)
    signs = 2.0 * np.unpackbits(arrays["code"], axis=1)[:, : arrays["n_bits"]] - 1
    products = asked.outputs @ signs.T + asked.shifts[:, None]
    values = arrays["slope"] * products + arrays["intercept"]
    values += asked.constants[:, None]
    if metric == "euclidean":
        values = np.sqrt(np.maximum(values, 0))
    distances, rows = neighbors.kneighbors(queries, 600)
    # Both estimate the same; the estimator rounds its query to 8 bits.
    estimates = np.take_along_axis(values, rows, axis=1)
    assert np.abs(estimates - distances).max() < 0.02 * np.abs(distances).max()


def test_vectors_are_those_kept():
    neighbors, _ = embeddings()
    vectors = to_numpy(neighbors, vectors=True)["vector"]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, load_digits(return_X_y=True)[0][:600])


def test_vectors_that_are_not_kept_are_refused():
    for neighbors in (embeddings(vectors=None)[0], database()):
        with pytest.raises(ValueError, match="no vectors are kept"):
            to_numpy(neighbors, vectors=True)


def test_norms_beyond_float32_are_refused():
    X = np.random.default_rng(0).normal(size=(50, 8)) * 1e25
    neighbors = EmbeddingNeighbors().fit(X)
    with pytest.raises(ValueError, match="beyond float32"):
        to_numpy(neighbors)


@pytest.mark.parametrize(
    "estimator",
    [HammingNeighborsClassifier(), HammingNeighborsTransformer(n_neighbors=1)],
)
def test_relatives_are_exported_too(estimator):
    estimator.fit([[1], [2], [4]], [0, 1, 1])
    assert to_numpy(estimator)["code"].tolist() == [[1], [2], [4]]


def test_what_holds_no_codes_is_refused():
    with pytest.raises(TypeError, match="got LinearRegression"):
        to_numpy(LinearRegression())
    with pytest.raises(NotFittedError):
        to_numpy(HammingNeighbors())
    with pytest.raises(ValueError, match="codes"):
        to_numpy([[0.5]])


def test_blocks_are_the_whole_in_order():
    codes = codes_of(16, 1000)
    parts = list(rows_of(codes).blocks(300))
    assert [len(part["id"]) for part in parts] == [300, 300, 300, 100]
    for name in ("id", "code"):
        whole = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(whole, to_numpy(codes)[name])


def test_codes_on_a_disk_are_read_in_blocks(tmp_path):
    path = tmp_path / "codes.npy"
    np.save(path, codes_of(16, 2 * BLOCK))
    mapped = np.load(path, mmap_mode="r")
    neighbors = HammingNeighbors(algorithm="brute").fit(mapped)
    rows = rows_of(neighbors)
    assert np.shares_memory(rows.held.codes, mapped)
    assert all(np.shares_memory(part["code"], mapped) for part in rows.blocks())


def test_empty_database_has_no_rows():
    arrays = to_numpy(HammingNeighbors().fit(np.empty((0, 2), np.uint8)))
    assert arrays["code"].shape == (0, 2)
    assert len(arrays["id"]) == 0


def test_file_of_arrays_holds_the_same(tmp_path):
    neighbors = database(ids="strings", labels="integers")
    arrays = to_numpy(neighbors, tmp_path / "codes.npz")
    with np.load(tmp_path / "codes.npz") as file:
        assert set(file) == set(arrays)
        for name in file:
            np.testing.assert_array_equal(file[name], arrays[name])


def test_packed_bits_are_most_significant_first():
    assert to_numpy(pack([[1, 0, 0, 0, 0, 0, 0, 0, 1]]))["code"].tolist() == [
        [128, 128]
    ]


@pytest.mark.slow
def test_no_engine_is_loaded_before_it_is_called():
    code = (
        "import sys, skhash.export; dir(skhash.export)\n"
        "from skhash.export import *\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    engines = {"faiss", "usearch", "hnswlib", "duckdb", "chdb", "apsw", "sqlite_vec"}
    engines |= {"lancedb", "pymilvus", "qdrant_client", "psycopg", "bson"}
    assert not engines & set(done.stdout.split())


def test_missing_engine_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"needs duckdb.*pip install duckdb.*engines"):
        to_duckdb([[1]], "nowhere")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match="pip install faiss-cpu"):
        to_faiss([[1]])
