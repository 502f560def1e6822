"""The classifier with several labels a code, against votes counted in loops."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import cross_val_score

from skhash.hamming import distances
from skhash.neighbors import HammingNeighborsClassifier
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(4)
CODES = draw_codes(RNG, 100, 16, 0.15)
SETS = (RNG.random((100, 6)) < [0.05, 0.2, 0.4, 0.6, 0.9, 0]).astype(int)
DATABASE, QUERIES = slice(0, 70), slice(70, 100)


@pytest.mark.parametrize("weights", ["uniform", "distance", lambda d: 1.0 / (1 + d)])
@pytest.mark.parametrize("n_neighbors", [1, 4, 5])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, np.ndarray.tolist])
def test_votes_equal_loops(weights, n_neighbors, form):
    voter = HammingNeighborsClassifier(n_neighbors, weights=weights)
    voter.fit(CODES[DATABASE], form(SETS[DATABASE]))
    proba = voter.predict_proba(CODES[QUERIES])
    expected = np.zeros((30, 6))
    frequency = [(sum(SETS[:70, c]) + 0.5) / 71 for c in range(6)]
    for i, row in enumerate(distances(CODES[QUERIES], CODES[DATABASE])):
        nearest = sorted(range(70), key=lambda j: (row[j], j))[:n_neighbors]
        dist = row[nearest].astype(float)
        if weights == "uniform":
            weight = np.ones(n_neighbors)
        elif weights == "distance":
            weight = (dist == 0) * 1.0 if (dist == 0).any() else 1 / dist
        else:
            weight = weights(dist)
        mean = sum(weight) / n_neighbors
        for c in range(6):
            votes = sum(w for w, j in zip(weight, nearest, strict=True) if SETS[j, c])
            total = sum(weight) + mean
            expected[i, c] = (votes + mean * frequency[c]) / total
    np.testing.assert_allclose(proba, expected)
    assert proba.dtype == np.float64
    assert ((proba > 0) & (proba < 1)).all()
    predicted = voter.predict(CODES[QUERIES])
    assert predicted.dtype == np.int64
    np.testing.assert_array_equal(predicted, expected > 0.5)
    right = [list(a) == list(b) for a, b in zip(predicted, SETS[70:], strict=True)]
    score = voter.score(CODES[QUERIES], form(SETS[QUERIES]))
    assert score == pytest.approx(np.mean(right))
    weight = RNG.random(30)
    score = voter.score(CODES[QUERIES], SETS[QUERIES], weight)
    assert score == pytest.approx(np.average(right, weights=weight))


def test_scores_of_scikit_learn_work():
    voter = HammingNeighborsClassifier(15)
    for scoring in ("accuracy", "f1_micro", "roc_auc", "average_precision"):
        scores = cross_val_score(voter, CODES, SETS[:, 1:4], scoring=scoring, cv=3)
        assert np.isfinite(scores).all()


def test_labels_of_another_width_are_refused():
    voter = HammingNeighborsClassifier().fit(CODES, SETS)
    for y in (SETS[:, :5], SETS[:, 0]):
        with pytest.raises(ValueError, match="6 columns of 0 and 1: give as many"):
            voter.score(CODES, y)


def test_many_sparse_labels_are_not_made_dense():
    rows = np.arange(100)
    wide = sp.csr_array((np.ones(100), (rows, rows * 400)), shape=(100, 40_000))
    voter = HammingNeighborsClassifier(1).fit(CODES, wide)
    assert sp.issparse(voter.labels_)
    voter.add(CODES[:1], wide[:1]).remove([100])
    own = voter.predict_proba(CODES[:3])
    assert own.shape == (3, 40_000)
    assert (own > 0.5).sum() == 3
    # Of equal codes, the first answers.
    firsts = len(np.unique(CODES, axis=0))
    assert voter.score(CODES, wide) == firsts / 100
