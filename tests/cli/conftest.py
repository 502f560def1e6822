"""Small files to run commands on, and a way to run them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skhash.baselines import RotatedSigns
from skhash.cli import main
from skhash.persistence import save

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="session")
def _no_fsync():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture
def run(capsys):
    """Run a command that must succeed; what it prints on standard output."""

    def run(*arguments):
        assert main([str(each) for each in arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused; the one line that says why."""

    def refused(*arguments):
        capsys.readouterr()
        assert main([str(each) for each in arguments]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        lines = err.splitlines()
        assert lines[-1].startswith(f"skhash {arguments[0]}: ")
        return lines[-1]

    return refused


def process(*arguments, **how):
    """A command in a process of its own, started."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how}
    command = [sys.executable, "-m", "skhash", *map(str, arguments)]
    where = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, env=where, **how)


def table(text):
    """Rows of csv output as dicts."""
    return list(csv.DictReader(text.splitlines()))


def objects(text):
    """Rows of jsonl output."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def vectors():
    """60 vectors of 16 values in three classes, their ids and labels."""
    X, y = make_blobs(60, 16, centers=3, random_state=0)
    ids = np.array([f"item {i}" for i in range(60)])
    return X.astype(np.float32), np.array(["a", "b", "c"])[y], ids


@pytest.fixture
def npz(tmp_path, vectors):
    X, y, ids = vectors
    path = tmp_path / "items.npz"
    np.savez(path, X=X, y=y, ids=ids)
    return path


@pytest.fixture
def signs(tmp_path, vectors):
    """A model that was quickly fitted: signs, 16 bits."""
    path = tmp_path / "signs.skhash"
    save(RotatedSigns(random_state=0).fit(vectors[0]), path)
    return path


@pytest.fixture(scope="session")
def pixels():
    """Photos of 20 x 24 pixels in two classes, all different."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, 24).astype(np.uint8)
    rows = {"right": ramp, "left": ramp[::-1]}
    return {
        f"{name}/{i}.png": np.clip(
            np.tile(row, (20, 1))[..., None] + rng.integers(0, 50, (20, 24, 3)), 0, 255
        ).astype(np.uint8)
        for name, row in rows.items()
        for i in range(4)
    }


@pytest.fixture
def photos(tmp_path, pixels):
    """A folder with a folder of photos for each class."""
    Image = pytest.importorskip("PIL.Image")
    for name, values in pixels.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    return tmp_path / "photos"
