"""Many small files are written here: none of them has to outlive a power cut."""

import os

import pytest

from skhash import load, save


@pytest.fixture(autouse=True, scope="session")
def _no_fsync():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture
def again(tmp_path):
    """A function that saves an estimator and loads it."""

    def saved_and_loaded(estimator, **options):
        save(estimator, tmp_path / "model.skhash")
        return load(tmp_path / "model.skhash", **options)

    return saved_and_loaded
