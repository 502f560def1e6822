"""Balance and correlation of bits."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skhash.hamming import pack
from skhash.neighbors import HammingNeighbors
from skhash.plots import BitHealthDisplay
from tests.plots.estimators import Packs, as_items


def test_values_equal_numpy(retrieval):
    bits = retrieval[1]
    display = BitHealthDisplay.from_codes(bits)
    np.testing.assert_allclose(display.balance, bits.mean(axis=0))
    alive = np.flatnonzero(bits.any(axis=0) & ~bits.all(axis=0))
    assert 3 not in alive
    shown = display.correlation[np.ix_(alive, alive)]
    wanted = np.corrcoef(bits[:, alive].astype(float).T)
    np.testing.assert_allclose(shown, wanted, atol=1e-12)
    assert np.isnan(display.correlation[3]).all()


def test_draws_the_values(retrieval):
    display = BitHealthDisplay.from_codes(retrieval[1], name="toy codes")
    tops = [bar.get_y() + bar.get_height() for bar in display.bars_]
    np.testing.assert_allclose(tops, display.balance)
    drawn = display.mesh_.get_array()
    np.testing.assert_allclose(
        drawn.filled(np.nan).reshape(12, 12), np.abs(display.correlation)
    )
    assert display.mesh_.get_clim() == (0, 1)
    assert display.ax_[0].get_title(loc="left") == "toy codes"


def test_marks_dead_bits_with_a_cross(retrieval):
    ax = BitHealthDisplay.from_codes(retrieval[1]).ax_[0]
    (dead,) = [line for line in ax.get_lines() if line.get_label() == "dead bit"]
    assert dead.get_marker() == "x"
    assert dead.get_xdata().tolist() == [3]
    alive = BitHealthDisplay.from_codes(np.eye(4, dtype=bool)).ax_[0]
    assert [line.get_label() for line in alive.get_lines()][1:] == []


def test_from_estimator_knows_the_number_of_bits(retrieval):
    bits = retrieval[1]
    of_codes = BitHealthDisplay.from_codes(pack(bits), n_bits=12)
    display = BitHealthDisplay.from_estimator(Packs().fit(bits), as_items(bits))
    np.testing.assert_array_equal(display.balance, of_codes.balance)
    np.testing.assert_array_equal(display.correlation, of_codes.correlation)
    padded = BitHealthDisplay.from_estimator(
        Packs().fit(bits), as_items(bits), n_bits=16
    )
    assert len(padded.balance) == 16


def test_asks_the_best_pipeline_of_a_search(retrieval):
    bits, labels = retrieval[1::2]
    search = GridSearchCV(
        make_pipeline(Packs(), HammingNeighbors()), {"packs__n_bits": [11, 12]}, cv=2
    ).fit(as_items(bits), labels)
    n_bits = search.best_params_["packs__n_bits"]
    database = search.best_estimator_[-1]
    display = BitHealthDisplay.from_estimator(search, as_items(bits))
    wanted = BitHealthDisplay.from_codes(database.codes_, n_bits=n_bits)
    np.testing.assert_array_equal(display.balance, wanted.balance)
    assert len(display.balance) == n_bits


def test_number_of_bits_that_does_not_fit_is_not_believed(retrieval):
    bits = retrieval[1]
    display = BitHealthDisplay.from_estimator(Packs(n_bits=99).fit(bits), bits)
    assert len(display.balance) == 16


def test_refuses_no_codes():
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        BitHealthDisplay.from_codes(np.zeros((0, 2), dtype=np.uint8))
    assert not plt.get_fignums()


def test_large_matrices_become_an_image(rng):
    long = rng.random((20, 80)) < 0.5
    assert BitHealthDisplay.from_codes(long).mesh_.get_rasterized()
    assert not BitHealthDisplay.from_codes(long[:, :64]).mesh_.get_rasterized()
