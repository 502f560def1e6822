"""Files of codes: told from tables of items, held to their bits, read back whole."""

import numpy as np
import pytest

import skhash
from skhash import HammingNeighbors
from skhash.metrics import evaluate
from tests.cli.conftest import objects

JSON = ("--format", "jsonl")


@pytest.fixture
def parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def write(**columns):
        arrays = {
            k: v if isinstance(v, pa.Array) else pa.array(v) for k, v in columns.items()
        }
        parquet.write_table(pa.table(arrays), tmp_path / "a.parquet")
        return tmp_path / "a.parquet"

    return write


@pytest.fixture
def short(tmp_path):
    """Codes of 12 bits, and a database of them."""
    rng = np.random.default_rng(0)
    codes = skhash.hamming.pack(rng.random((40, 12)) < 0.5)
    labels = rng.integers(0, 3, 40)
    for name, n_bits in (("short.npz", 12), ("long.npz", 999), ("two.npz", [1, 2])):
        np.savez(tmp_path / name, codes=codes, labels=labels, n_bits=n_bits)
    np.save(tmp_path / "short.npy", codes)
    np.save(tmp_path / "labels.npy", labels)
    return codes, labels


def pair_rows(codes, radius):
    pairs = HammingNeighbors().fit(codes).pairs(radius)
    return {int(row) for left, right, _ in pairs for row in (*left, *right)}


def test_keys_of_bytes_are_no_codes(run, refused, signs, vectors, parquet):
    import pyarrow as pa

    X, _, ids = vectors
    keys = pa.array([bytes(divmod(i, 7)) for i in range(60)], pa.binary(2))
    path = parquet(key=keys, name=ids.tolist(), embedding=X.tolist())
    assert "holds no codes" in refused("search", path, path)
    found = objects(run("duplicates", path, "--id", "name", "--radius", 1, *JSON))
    wanted = pair_rows(skhash.load(signs).transform(X), 1)
    assert {row["id"] for row in found} == {ids[row] for row in wanted}
    odd = parquet(id=keys, embedding=X.tolist())
    told = refused("duplicates", odd, "--id", "id")
    assert "column 'id' for --id is of type fixed_size_binary[2], not" in told
    both = parquet(code=keys, embedding=X.tolist())
    found = objects(
        run("duplicates", both, "--columns", "embedding", "--radius", 1, *JSON)
    )
    assert {row["id"] for row in found} == wanted


def test_a_table_with_a_column_of_that_name_is_no_file_of_codes(refused, run, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("code,a,b\n1012,1.5,2\n1011,1.5,2\n1013,-1.5,-3\n")
    assert "column 'code' looks like no part of a vector" in refused("duplicates", path)
    found = objects(run("duplicates", path, "--id", "code", "--radius", 0, *JSON))
    assert [row["id"] for row in found] == ["1012", "1011"]


def test_bytes_are_codes_only_if_it_is_said(refused, run, signs, tmp_path):
    path = tmp_path / "codes.npy"
    codes = np.array([[0, 0], [255, 255], [0, 1], [7, 99]], np.uint8)
    np.save(path, codes)
    assert "may be codes or vectors: say --codes" in refused("duplicates", path)
    told = objects(run("duplicates", path, "--codes", "--radius", 1, "--pairs", *JSON))
    assert told == [{"left": 0, "right": 2, "distance": 1}]
    both = refused("duplicates", path, "--codes", "--model", signs)
    assert "Give --model or --codes, not both" in both


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".skhash"])
def test_label_sets_are_kept(run, npz, signs, vectors, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    Y = (np.random.default_rng(0).random((60, 3)) < 0.4).astype(int)
    np.save(tmp_path / "sets.npy", Y)
    out = tmp_path / f"out{suffix}"
    how = ("--key", "X", "--labels", tmp_path / "sets.npy")
    run("encode", signs, npz, *how, "-o", out)
    codes = skhash.load(signs).transform(vectors[0])
    wanted = evaluate(codes, codes, Y, Y, k=5, exclude_self=True)
    told = objects(run("evaluate", out, "-k", 5, *JSON))[0]
    assert told["scores"] == wanted.to_dict()["scores"]


def test_label_sets_are_refused_where_there_is_no_place(
    refused, npz, signs, tmp_path, monkeypatch
):
    monkeypatch.setattr("skhash.cli._sides.encode", None)  # before codes are made
    np.save(tmp_path / "sets.npy", np.eye(60, dtype=int))
    how = ("--key", "X", "--labels", tmp_path / "sets.npy", "-o", tmp_path / "a.csv")
    assert "label sets go into .npz, .parquet" in refused("encode", signs, npz, *how)
    assert not (tmp_path / "a.csv").exists()


def test_label_sets_of_tables(run, refused, signs, vectors, tmp_path, parquet):
    X, _, _ = vectors
    Y = (np.random.default_rng(0).random((60, 3)) < 0.4).astype(int)
    codes = skhash.load(signs).transform(X)
    wanted = evaluate(codes, codes, Y, Y, k=5, exclude_self=True).to_dict()["scores"]
    np.savez(tmp_path / "a.npz", X=X, Y=Y)
    path = parquet(e=X.tolist(), tags=Y.tolist())
    for how in (
        (tmp_path / "a.npz", "--key", "X", "--label", "Y"),
        (path, "--columns", "e", "--label", "tags"),
    ):
        told = objects(run("evaluate", *how, "--model", signs, "-k", 5, *JSON))
        assert told[0]["scores"] == wanted
    ragged = parquet(e=X.tolist(), tags=[[1], *Y[1:].tolist()])
    how = ("--columns", "e", "--label", "tags", "--model", signs)
    assert "has lists of different lengths" in refused("evaluate", ragged, *how)


def test_codes_keep_their_number_of_bits(run, refused, short, tmp_path):
    codes, labels = short
    wanted = evaluate(
        codes, codes, labels, labels, k=5, n_bits=12, exclude_self=True
    ).to_dict()
    told = objects(run("evaluate", tmp_path / "short.npz", "-k", 5, *JSON))[0]
    assert told["scores"] == wanted["scores"]
    bare, how = tmp_path / "short.npy", ("--labels", tmp_path / "labels.npy", "-k", 5)
    told = objects(run("evaluate", bare, *how, "--bits", 12, *JSON))[0]
    assert told == wanted
    assert objects(run("evaluate", bare, *how, *JSON))[0] != wanted
    shown = run(
        "export", bare, tmp_path / "items.copy", "--to", "pgvector", "--bits", 12
    )
    assert "bit(12)" in shown
    out = ("export", tmp_path / "short.npz", tmp_path / "items.copy")
    assert "bit(12)" in run(*out, "--to", "pgvector")
    for bits, message in [
        (8, "they are of 2 bytes, which hold 9 to 16"),
        (17, "they are of 2 bytes, which hold 9 to 16"),
        (9, "said to have codes of 9 bits, but there are ones beyond"),
    ]:
        asked = ("duplicates", bare, "--codes", "--bits", bits)
        assert message in refused(*asked)
    told = refused("duplicates", tmp_path / "short.npz", "--bits", 16)
    assert "has codes of 12 bits: leave --bits 16 out" in told
    told = refused("duplicates", tmp_path / "long.npz")
    assert "is said to have codes of 999 bits, but they are of 2 bytes" in told
    told = refused("duplicates", tmp_path / "two.npz")
    assert "n_bits is one whole number, got int64 of shape (2,)" in told


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".npy"])
def test_encode_tells_of_bits_that_fill_the_last_byte(
    run, npz, vectors, tmp_path, capsys, suffix
):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    model = skhash.baselines.RandomHyperplanes(12, random_state=0).fit(vectors[0])
    skhash.save(model, tmp_path / "m.skhash")
    out = tmp_path / f"out{suffix}"
    capsys.readouterr()
    how = ("--key", "X", "--label", "y", "-o", out)
    from skhash.cli import main

    assert main([*map(str, ("encode", tmp_path / "m.skhash", npz, *how))]) == 0
    assert ("say --bits 12 where" in capsys.readouterr().err) == (suffix == ".npy")
    if suffix == ".csv":
        assert out.read_text().splitlines()[0] == "id,label,code:12"
    labels = tmp_path / "y.npy"
    np.save(labels, vectors[1])
    more = ("--labels", labels, "--bits", 12) if suffix == ".npy" else ()
    told = objects(run("evaluate", out, "-k", 5, *more, *JSON))[0]
    codes, y = model.transform(vectors[0]), vectors[1]
    wanted = evaluate(codes, codes, y, y, k=5, n_bits=12, exclude_self=True)
    assert told == wanted.to_dict()


def test_what_export_writes_is_read_back(run, npz, signs, vectors, tmp_path):
    database, out = tmp_path / "database.skhash", tmp_path / "a.npz"
    how = ("--key", "X", "--id", "ids", "--label", "y")
    run("encode", signs, npz, *how, "-o", database)
    run("export", database, out)
    asked = ("--codes", "-k", 3, "--format", "csv")
    assert run("search", out, out, *asked) == run("search", database, database, *asked)
    again = run("evaluate", out, "-k", 5, *JSON)
    assert again == run("evaluate", database, "-k", 5, *JSON)


def test_ids_and_labels_of_codes_by_other_names(run, capsys, tmp_path, parquet):
    import pyarrow as pa

    codes = pa.array([b"\0", b"\1", b"\xff"], pa.binary(1))
    path = parquet(code=codes, id=["a", "b", "c"], name=["x", "y", "z"])
    how = ("--radius", 1, *JSON)
    for more, wanted in [
        ((), ["a", "b"]),
        (("--id", "name"), ["x", "y"]),
        (("--id", "title"), ["a", "b"]),
    ]:
        assert [row["id"] for row in objects(run("duplicates", path, *how, *more))] == (
            wanted
        )
    table_of = tmp_path / "a.csv"
    table_of.write_text("name,code\nx,00\ny,01\nz,ff\n")
    found = objects(run("duplicates", table_of, "--id", "name", *how))
    assert [row["id"] for row in found] == ["x", "y"]


def test_labels_apart_stand_for_those_in_a_database(run, refused, short, tmp_path):
    codes, labels = short
    path = tmp_path / "d.skhash"
    skhash.save(HammingNeighbors().fit(codes, np.zeros(40, int)), path)
    apart = tmp_path / "labels.npy"
    wanted = evaluate(codes, codes, labels, labels, k=5, exclude_self=True)
    told = objects(run("evaluate", path, "--labels", apart, "-k", 5, *JSON))[0]
    assert told["scores"] == wanted.to_dict()["scores"]
    wanted = evaluate(codes, codes, labels, labels, k=5)
    both = ("--labels", apart, "--database-labels", apart)
    told = objects(run("evaluate", path, path, *both, "-k", 5, *JSON))[0]
    assert told["scores"] == wanted.to_dict()["scores"]
    told = refused("evaluate", path, "--database-labels", apart)
    assert "--database-labels is for a database beside queries" in told
    told = refused("evaluate", path, "--label", "y")
    assert "has its labels in it: leave --label out" in told


def test_options_that_would_do_nothing_are_refused(refused, npz, vectors, tmp_path):
    path = tmp_path / "vectors.skhash"
    skhash.save(skhash.EmbeddingNeighbors().fit(vectors[0]), path)
    told = refused("duplicates", path, "--id", "name")
    assert "is a database, which has its ids and codes in it: leave --id out" in told
    told = refused("search", path, npz, "--key", "X", "--codes")
    assert "takes vectors as queries: leave --codes out" in told


def test_photos_refuse_a_column_of_labels(refused, photos, tmp_path):
    told = refused("fit", photos, "--label", "y", "-o", tmp_path / "m.skhash")
    assert "holds photos: --label is for tables and arrays" in told


def test_names_that_are_no_text(run, refused, signs, vectors, tmp_path, monkeypatch):
    X, _, ids = vectors
    strange = ids.copy()
    strange[3] = "a\udcff"
    np.savez(tmp_path / "a.npz", X=X, ids=strange)
    out = tmp_path / "codes.csv"
    how = ("--key", "X", "--id", "ids", "-o")
    run("encode", signs, tmp_path / "a.npz", *how, out)
    found = run("search", out, out, "-k", 1, *JSON)
    assert objects(found)[3]["query"] == "a\udcff"
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("skhash.cli._sides.encode", None)  # before codes are made
    out = tmp_path / "codes.parquet"
    told = refused("encode", signs, tmp_path / "a.npz", *how, out)
    assert r"The id 'a\udcff' is no text in UTF-8: rename it." in told
    assert not out.exists()


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_ids_of_every_kind_of_text(run, signs, vectors, parquet, tmp_path, kind):
    import pyarrow as pa

    X, _, ids = vectors
    names = pa.array(ids.tolist()).cast(getattr(pa, kind)())
    try:
        path = parquet(name=names, e=X.tolist())
    except pa.ArrowNotImplementedError:
        pytest.skip(f"this pyarrow writes no {kind}")
    out = tmp_path / "out.npz"
    run("encode", signs, path, "--id", "name", "-o", out)
    with np.load(out) as arrays:
        assert arrays["ids"].tolist() == ids.tolist()


def test_ids_of_other_types_are_refused(refused, signs, vectors, parquet, tmp_path):
    import pyarrow as pa

    X, _, ids = vectors
    names = pa.array([name.encode() for name in ids.tolist()], pa.binary())
    path = parquet(name=names, e=X.tolist())
    how = ("--id", "name", "-o", tmp_path / "out.npz")
    told = refused("encode", signs, path, *how)
    assert "column 'name' for --id is of type binary, not numbers or text" in told
