"""Parquet, faiss, usearch and hnswlib: there and back, and what is refused."""

import numpy as np
import pytest

from skhash import HammingNeighbors
from skhash.export import (
    from_faiss,
    from_parquet,
    from_usearch,
    to_faiss,
    to_hnswlib,
    to_parquet,
    to_usearch,
)
from skhash.hamming import pack, unpack
from tests.export.samples import (
    QUERY,
    K,
    check,
    codes_of,
    database,
    embeddings,
    engine,
)

BITS = [5, 13, 64]


@pytest.mark.parametrize("n_bits", BITS)
@pytest.mark.parametrize("ids", ["integers", "strings", None])
@pytest.mark.parametrize("labels", [None, "integers", "strings"])
def test_parquet_comes_back_as_it_was(tmp_path, n_bits, ids, labels):
    pq = engine("pyarrow.parquet")
    neighbors, path = database(n_bits, ids, labels), tmp_path / "codes.parquet"
    to_parquet(neighbors, path)
    again = from_parquet(path)
    np.testing.assert_array_equal(again.codes_, neighbors.codes_)
    for name in ("ids_", "labels_"):
        ours, back = getattr(neighbors, name), getattr(again, name)
        assert (ours is None) == (back is None)
        assert ours is None or back.tolist() == ours.tolist()
    schema = pq.read_schema(path)
    assert str(schema.field("code").type) == f"fixed_size_binary[{-(-n_bits // 8)}]"
    assert schema.metadata[b"n_bits"] == str(n_bits).encode()


def test_parquet_holds_factors_and_vectors(tmp_path):
    pq = engine("pyarrow.parquet")
    neighbors, _ = embeddings("cosine", ids="strings")
    to_parquet(neighbors, tmp_path / "a.parquet", vectors=True)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["id", "code", "label", "slope", "intercept", "vector"]
    assert [str(table.schema.field(n).type) for n in ("slope", "intercept")] == [
        "float",
        "float",
    ]
    assert table.schema.metadata[b"metric"] == b"cosine"
    X = np.array(table["vector"].to_pylist())
    kept = neighbors._database.vectors.rows(np.arange(600))
    np.testing.assert_array_equal(X, kept.astype(np.float32))


def test_parquet_is_written_in_groups_of_rows(tmp_path):
    pq = engine("pyarrow.parquet")
    codes = codes_of(16, 150_000)
    to_parquet(codes, tmp_path / "a.parquet")
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        assert file.num_row_groups == 3
    np.testing.assert_array_equal(from_parquet(tmp_path / "a.parquet").codes_, codes)


def test_parquet_stays_as_it_was_after_an_error(tmp_path):
    engine("pyarrow")
    path = tmp_path / "codes.parquet"
    path.write_bytes(b"before")
    bad = HammingNeighbors().fit([[1], [2]], ids=[0.5, 1.5])
    with pytest.raises(ValueError, match="integers of 64 bits or strings"):
        to_parquet(bad, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def write(path, metadata=None, **columns):
    """A Parquet file of another program."""
    pa, pq = engine("pyarrow"), engine("pyarrow.parquet")
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)


def test_parquet_of_another_program(tmp_path):
    pa = engine("pyarrow")
    path = tmp_path / "a.parquet"
    code = pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.uint8(), 2))
    write(path, bits=code, name=["a", "b", "c"], kind=[1, 2, 1])
    found = from_parquet(path, code="bits", id="name", label="kind")
    assert found.codes_.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.ids_.tolist() == ["a", "b", "c"]
    assert found.labels_.tolist() == [1, 2, 1]
    assert from_parquet(path, code="bits", id=None).ids_ is None


@pytest.mark.parametrize(
    ("package", "write"),
    [("pyarrow", to_parquet), ("faiss", to_faiss), ("hnswlib", to_hnswlib)],
)
def test_a_missing_folder_is_named_and_no_part_of_a_file(tmp_path, package, write):
    engine(package)
    target = tmp_path / "none" / "a.codes"
    with pytest.raises(FileNotFoundError) as caught:
        write(database(16, "integers"), target)
    told = str(caught.value)
    assert f"no folder {target.parent} to write a.codes into" in told
    assert ".part" not in told
    assert list(tmp_path.iterdir()) == []


def test_parquet_that_holds_no_codes_is_refused(tmp_path):
    pa = engine("pyarrow")
    path = tmp_path / "a.parquet"
    good = pa.array([b"\x05", b"\xf0"], pa.binary(1))
    write(path, code=good)
    with pytest.raises(ValueError, match=r"no column 'id'; it has \['code'\]"):
        from_parquet(path)
    write(path, code=pa.array([b"a", b"b"]), id=[1, 2])
    with pytest.raises(ValueError, match="'code' is binary: codes are fixed_size_bin"):
        from_parquet(path)
    write(path, code=pa.array([b"a", None], pa.binary(1)), id=[1, 2])
    with pytest.raises(ValueError, match="'code' has missing"):
        from_parquet(path)
    write(path, code=pa.array([[1], [None]], pa.list_(pa.uint8(), 1)), id=[1, 2])
    with pytest.raises(ValueError, match="'code' has missing"):
        from_parquet(path)
    write(path, code=good, id=[1, None])
    with pytest.raises(ValueError, match="'id' has 1 missing values of 2"):
        from_parquet(path)
    write(path, code=good, id=[1, 1])
    with pytest.raises(ValueError, match="unique"):
        from_parquet(path)
    for bits, message in [
        ("4", "ones beyond"),
        ("9", "of 9 bits, but they are of 1 byte, which hold 1 to 8"),
        ("many", "no number of bits"),
    ]:
        write(path, {"n_bits": bits}, code=good, id=[1, 2])
        with pytest.raises(ValueError, match=message):
            from_parquet(path)
    path.write_bytes(b"PAR1 or not")
    with pytest.raises(ValueError, match=r"[Pp]arquet"):
        from_parquet(path)
    with pytest.raises(FileNotFoundError):
        from_parquet(tmp_path / "none")


@pytest.mark.parametrize("n_bits", BITS)
@pytest.mark.parametrize("ids", ["integers", None])
def test_faiss_finds_the_same_and_comes_back(tmp_path, n_bits, ids):
    faiss = engine("faiss")
    neighbors, query = database(n_bits, ids), QUERY[n_bits]
    index = to_faiss(neighbors, tmp_path / "a.faiss")
    read = faiss.read_index_binary(str(tmp_path / "a.faiss"))
    for each in (index, read):
        distances, found = each.search(query[None], K)
        pairs = list(zip(found[0].tolist(), distances[0].tolist(), strict=True))
        check(neighbors, pairs, query, n_bits)
    for each in (index, read, tmp_path / "a.faiss", str(tmp_path / "a.faiss")):
        again = from_faiss(each)
        np.testing.assert_array_equal(again.codes_, neighbors.codes_)
        np.testing.assert_array_equal(again.ids_, neighbors.ids_)


def test_faiss_of_another_program():
    faiss = engine("faiss")
    codes = codes_of(64)
    graph = faiss.IndexBinaryHNSW(64, 8)
    graph.add(codes)
    np.testing.assert_array_equal(from_faiss(graph).codes_, codes)
    mapped = faiss.IndexBinaryIDMap(faiss.IndexBinaryFlat(64))
    mapped.add_with_ids(codes, np.arange(len(codes)) * 3)
    assert from_faiss(mapped).ids_.tolist() == list(range(0, 3 * len(codes), 3))


def test_faiss_that_holds_no_codes_is_refused(tmp_path):
    faiss = engine("faiss")
    with pytest.raises(TypeError, match="got IndexFlatL2"):
        from_faiss(faiss.IndexFlatL2(8))
    with pytest.raises(TypeError, match="got list"):
        from_faiss([1])
    lists = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(8), 8, 1)
    with pytest.raises(TypeError, match=r"got IndexBinaryIVF.*reconstruct_n"):
        from_faiss(lists)
    with pytest.raises(ValueError, match="should hold 0 codes"):
        from_faiss(faiss.IndexBinaryFlat(8))
    mapped = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(8))
    mapped.add_with_ids(np.array([[1], [2]], np.uint8), np.array([5, 5]))
    with pytest.raises(ValueError, match="unique"):
        from_faiss(mapped)
    mapped = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(8))
    mapped.add_with_ids(np.array([[1], [2]], np.uint8), np.array([-1, 5]))
    with pytest.raises(ValueError, match="-1 means in faiss"):
        from_faiss(mapped)
    faiss.write_index(faiss.IndexFlatL2(8), str(tmp_path / "float"))
    with pytest.raises(ValueError, match="holds no binary index"):
        from_faiss(tmp_path / "float")
    with pytest.raises(FileNotFoundError):
        from_faiss(tmp_path / "none")


def test_engines_that_know_integers_refuse_other_ids():
    texts = database(ids="strings")
    negative = HammingNeighbors().fit([[1], [2]], ids=[-1, 2])
    for module, export in [
        ("faiss", to_faiss),
        ("usearch", to_usearch),
        ("hnswlib", to_hnswlib),
    ]:
        engine(module)
        with pytest.raises(ValueError, match=r"strings, such as.*ids=range"):
            export(texts)
        with pytest.raises(ValueError, match="-1"):
            export(negative)


@pytest.mark.parametrize("n_bits", BITS)
@pytest.mark.parametrize("ids", ["integers", None])
def test_usearch_finds_the_same_and_comes_back(tmp_path, n_bits, ids):
    usearch = engine("usearch.index")
    neighbors, query = database(n_bits, ids), QUERY[n_bits]
    index = to_usearch(neighbors, tmp_path / "a.usearch")
    read = usearch.Index.restore(str(tmp_path / "a.usearch"))
    for each in (index, read):
        found = each.search(query, K, exact=True)
        pairs = list(zip(found.keys.tolist(), found.distances.tolist(), strict=True))
        check(neighbors, pairs, query, n_bits)
    names = np.arange(400) if ids is None else neighbors.ids_
    for each in (index, read, tmp_path / "a.usearch"):
        again = from_usearch(each)
        assert again.ids_.tolist() == sorted(names.tolist())
        np.testing.assert_array_equal(again.codes_, neighbors.codes_[np.argsort(names)])


def test_usearch_that_holds_no_codes_is_refused(tmp_path):
    usearch = engine("usearch.index")
    with pytest.raises(ValueError, match=r"compares ScalarKind\.F32 by"):
        from_usearch(usearch.Index(ndim=8, metric="cos", dtype="f32"))
    with pytest.raises(ValueError, match="Tanimoto"):
        from_usearch(usearch.Index(ndim=8, metric="tanimoto", dtype="b1"))
    with pytest.raises(ValueError, match="empty"):
        from_usearch(usearch.Index(ndim=8, metric="hamming", dtype="b1"))
    several = usearch.Index(ndim=8, metric="hamming", dtype="b1", multi=True)
    several.add(np.array([3, 3]), np.array([[1], [2]], np.uint8))
    with pytest.raises(ValueError, match="multi=True"):
        from_usearch(several)
    padded = usearch.Index(ndim=5, metric="hamming", dtype="b1")
    padded.add(np.array([3]), np.array([[0xFF]], np.uint8))
    with pytest.raises(ValueError, match="ones beyond the first 5"):
        from_usearch(padded)
    with pytest.raises(TypeError, match="got list"):
        from_usearch([1])
    (tmp_path / "no").write_bytes(b"no index at all, but long enough to be one" * 9)
    with pytest.raises(ValueError, match="holds no index of usearch"):
        from_usearch(tmp_path / "no")
    with pytest.raises(FileNotFoundError):
        from_usearch(tmp_path / "none")


@pytest.mark.parametrize("n_bits", BITS)
@pytest.mark.parametrize("kind", ["flat", "hnsw"])
@pytest.mark.parametrize("ids", ["integers", None])
def test_hnswlib_finds_the_same(tmp_path, n_bits, ids, kind):
    hnswlib = engine("hnswlib")
    neighbors, query = database(n_bits, ids), QUERY[n_bits]
    index = to_hnswlib(neighbors, tmp_path / "a.hnsw", index=kind)
    read = (hnswlib.BFIndex if kind == "flat" else hnswlib.Index)("l2", n_bits)
    read.load_index(str(tmp_path / "a.hnsw"))
    signs = np.where(unpack(query[None], n_bits), 1.0, -1.0)
    for each in (index, read):
        if kind == "hnsw":
            each.set_ef(400)  # looks at all
        names, distances = each.knn_query(signs, k=K)
        pairs = zip(names[0].tolist(), (distances[0] / 4).tolist(), strict=True)
        check(neighbors, list(pairs), query, n_bits)


def test_hnswlib_has_two_kinds():
    engine("hnswlib")
    with pytest.raises(ValueError, match="index must be 'flat' or 'hnsw', got 'ivf'"):
        to_hnswlib(database(), index="ivf")


def test_bits_lie_in_the_order_of_pack():
    """faiss and usearch keep the bytes, in which the first bit is the highest."""
    engine("faiss")
    code = pack([[1, 0, 0, 0, 0, 0, 0, 1]])
    assert to_faiss(code).reconstruct(0).tolist() == [0b10000001]
