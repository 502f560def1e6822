"""Other ways to keep an estimator: pickle and joblib work, skops in part."""

import io
import pickle
import warnings

import joblib
import numpy as np
import pytest

from skhash import load, save
from tests.persistence.corpus import answer, made

NAMES = ["encoder_dcwh", "encoder_trained_on", "neighbors", "classifier", "pipeline"]


@pytest.mark.parametrize("name", NAMES)
def test_pickles_of_what_was_loaded(name, tmp_path):
    model, items = made(name)
    save(model, tmp_path / "a")
    loaded = load(tmp_path / "a")
    joblib.dump(loaded, tmp_path / "b")
    for other in (pickle.loads(pickle.dumps(loaded)), joblib.load(tmp_path / "b")):
        np.testing.assert_array_equal(answer(other, items), answer(model, items))
        save(other, tmp_path / "c")
    # But for seconds, what was pickled between is the same file again.
    assert (tmp_path / "c").stat().st_size == (tmp_path / "a").stat().st_size


def test_skops_keeps_databases_whose_types_are_trusted():
    sio = pytest.importorskip("skops.io")
    model, items = made("classifier")
    content = sio.dumps(model)
    trusted = sio.get_untrusted_types(data=content)
    assert all(name.startswith("skhash.") for name in trusted)
    loaded = sio.loads(content, trusted=trusted)
    np.testing.assert_array_equal(loaded.predict(items), model.predict(items))
    with pytest.raises(Exception, match=r"[Uu]ntrusted"):
        sio.loads(content, trusted=[])


def test_skops_cannot_keep_encoders():
    sio = pytest.importorskip("skops.io")
    model, _ = made("encoder_dcwh")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="Cannot directly construct Tensor"):
            sio.dumps(model)


def test_a_stream_is_no_path():
    with pytest.raises(TypeError, match="BytesIO"):
        save(made("neighbors")[0], io.BytesIO())
