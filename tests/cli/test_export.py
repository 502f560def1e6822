"""`skhash export` calls the function of that name, with the model or the codes."""

import numpy as np
import pytest

import skhash
from skhash.cli._commands import export


@pytest.fixture
def database(run, npz, signs, tmp_path):
    path = tmp_path / "database.skhash"
    run("encode", signs, npz, "--key", "X", "--id", "ids", "-o", path)
    return path


def test_refusals(refused, database, npz, signs, tmp_path):
    assert "says not what to write: give --to" in refused("export", database, "a.xyz")
    assert "There is no folder" in refused("export", database, tmp_path / "no/a.npz")
    assert "is an encoder without a database" in refused("export", signs, "a.parquet")
    assert "is no .skhash file" in refused("export", npz, "a.onnx")


def test_every_engine_that_is_a_file_has_a_name():
    # Those that only a running server or a model's own code takes are for Python.
    clients = {"milvus", "qdrant", "torch"}
    functions = {name[3:] for name in skhash.export.__all__ if name.startswith("to_")}
    assert set(export.TARGETS) == functions - clients


def test_codes_become_arrays_and_parquet(run, database, vectors, signs, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    codes = skhash.load(signs).transform(vectors[0])
    run("export", database, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["code"], codes)
        assert arrays["id"].tolist() == vectors[2].tolist()
        assert arrays["n_bits"] == 16
    run("export", database, tmp_path / "a.parquet")
    told = parquet.read_table(tmp_path / "a.parquet")
    assert told.column("code").to_pylist() == [row.tobytes() for row in codes]
    assert told.column("id").to_pylist() == vectors[2].tolist()
    # And back: the same neighbours as the database itself.
    how = ("--codes", "-k", 3, "--format", "csv")
    wanted = run("search", database, database, *how)
    for asked in (tmp_path / "a.parquet", tmp_path / "a.npz"):
        assert run("search", asked, asked, *how) == wanted


def test_statements_for_the_engine_are_printed(run, database, tmp_path):
    shown = run("export", database, tmp_path / "items.copy", "--to", "pgvector")
    assert "bit(16)" in shown.lower()
    assert (tmp_path / "items.copy").read_bytes().startswith(b"PGCOPY\n")


@pytest.mark.slow
def test_codes_keep_their_number_of_bits(run, npz, vectors, tmp_path):
    model = skhash.baselines.RandomHyperplanes(12, random_state=0).fit(vectors[0])
    skhash.save(model, tmp_path / "m.skhash")
    for suffix in (".skhash", ".csv", ".npz"):
        out = tmp_path / f"codes{suffix}"
        run("encode", tmp_path / "m.skhash", npz, "--key", "X", "-o", out)
        shown = run("export", out, tmp_path / "items.copy", "--to", "pgvector")
        assert "bit(12)" in shown.lower()
        run("export", out, tmp_path / "a.npz")
        with np.load(tmp_path / "a.npz") as arrays:
            assert arrays["n_bits"] == 12


@pytest.mark.slow
def test_a_model_becomes_an_onnx_file(run, signs, npz, vectors, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    model, out = tmp_path / "model.skhash", tmp_path / "model.onnx"
    how = ("--label", "y", "--bits", 8, "--epochs", 2, "-q")
    run("fit", npz, "--key", "X", *how, "-o", model)
    run("export", model, out)
    session = onnxruntime.InferenceSession(out)
    codes = session.run(None, {session.get_inputs()[0].name: vectors[0]})[0]
    np.testing.assert_array_equal(codes, skhash.load(model).transform(vectors[0]))
