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


def test_every_name_is_a_function():
    module = skhash.export
    assert [name for name in export.TARGETS if not hasattr(module, f"to_{name}")] == []


def test_codes_become_arrays_and_parquet(run, database, vectors, signs, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    codes = skhash.load(signs).transform(vectors[0])
    run("export", database, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert any(np.array_equal(array, codes) for array in arrays.values())
    run("export", database, tmp_path / "a.parquet")
    told = parquet.read_table(tmp_path / "a.parquet")
    assert told.column("code").to_pylist() == [row.tobytes() for row in codes]
    assert told.column("id").to_pylist() == vectors[2].tolist()
    # And back: the same neighbours as the database itself.
    how = ("--codes", "-k", 3, "--format", "csv")
    asked = tmp_path / "a.parquet"
    assert run("search", asked, asked, *how) == run("search", database, asked, *how)


def test_statements_for_the_engine_are_printed(run, database, tmp_path):
    shown = run("export", database, tmp_path / "items.copy", "--to", "pgvector")
    assert "bit(16)" in shown.lower()
    assert (tmp_path / "items.copy").read_bytes().startswith(b"PGCOPY\n")


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
