"""No command writes over a file that it reads."""

import shutil

import numpy as np
import pytest


@pytest.fixture
def labels(tmp_path, vectors):
    path = tmp_path / "labels.npy"
    np.save(path, vectors[1])
    return path


def test_a_file_that_is_read_is_never_the_output(
    refused, run, npz, signs, labels, tmp_path
):
    X = ("--key", "X")
    database = tmp_path / "database.skhash"
    run("encode", signs, npz, *X, "--label", "y", "-o", database)
    other = tmp_path / "other.skhash"
    shutil.copy(signs, other)
    link = tmp_path / "link.npy"
    link.symlink_to(labels)
    told = ("--labels", labels)
    asked = ("evaluate", database, npz, *X, *told, "--model", other)
    new, checkpoint = tmp_path / "new.skhash", "--checkpoint"
    before = {path: path.read_bytes() for path in (npz, signs, labels, database, other)}
    for arguments in [
        (*asked, "--html", other),
        (*asked, "--html", labels),
        (*asked, "--html", link),
        (*asked, "--database-labels", link, "--html", labels),
        (*asked, "--html", database),
        (*asked, "--html", npz),
        ("encode", signs, npz, *X, *told, "-o", labels),
        ("encode", signs, npz, *X, "-o", npz),
        ("fit", npz, *X, *told, "-o", new, checkpoint, new),
        ("fit", npz, *X, *told, "-o", new, checkpoint, labels),
        ("fit", npz, *X, *told, "-o", new, checkpoint, npz),
        ("export", signs, signs, "--to", "onnx"),
    ]:
        assert "is read and cannot be written, too" in refused(*arguments), arguments
    assert {path: path.read_bytes() for path in before} == before
    assert not new.exists()
