"""HammingNeighborsClassifier against scikit-learn's KNeighborsClassifier."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils._param_validation import InvalidParameterError

from skhash.hamming import distances
from skhash.neighbors import HammingNeighborsClassifier
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(3)
CODES = draw_codes(RNG, 90, 16, 0.15)
Y = np.array(["dog", "cat", "bird"])[RNG.integers(0, 3, 90)]


def inverse_square(distances):
    return 1.0 / (1.0 + distances) ** 2


@pytest.mark.parametrize("weights", ["uniform", "distance", inverse_square])
@pytest.mark.parametrize("n_neighbors", [1, 4, 60])
def test_votes_equal_scikit_learns(weights, n_neighbors):
    mine = HammingNeighborsClassifier(n_neighbors, weights=weights)
    mine.fit(CODES[:60], Y[:60])
    theirs = KNeighborsClassifier(n_neighbors, weights=weights, metric="precomputed")
    theirs.fit(distances(CODES[:60], CODES[:60]).astype(float), Y[:60])
    # A stable order of equal distances, as scikit-learn's selection has none.
    matrix = distances(CODES[60:], CODES[:60]).astype(float)
    ranks = np.argsort(matrix, axis=1, kind="stable")
    proba = mine.predict_proba(CODES[60:])
    if n_neighbors == 60:
        np.testing.assert_allclose(proba, theirs.predict_proba(matrix))
    for i, order in enumerate(ranks[:, :n_neighbors]):
        dist = matrix[i, order]
        if weights == "uniform":
            weight = np.ones(n_neighbors)
        elif weights == "distance":
            weight = (dist == 0) * 1.0 if (dist == 0).any() else 1 / dist
        else:
            weight = weights(dist)
        votes = [weight[Y[:60][order] == label].sum() for label in mine.classes_]
        np.testing.assert_allclose(proba[i], np.array(votes) / sum(votes))


def test_equal_votes_go_to_the_first_class():
    codes = np.zeros((4, 1), np.uint8)
    classifier = HammingNeighborsClassifier(4).fit(codes, ["b", "a", "b", "a"])
    assert classifier.predict(codes[:1]).tolist() == ["a"]


def test_score_is_the_accuracy():
    classifier = HammingNeighborsClassifier().fit(CODES[:60], Y[:60])
    accuracy = np.mean(classifier.predict(CODES[60:]) == Y[60:])
    assert classifier.score(CODES[60:], Y[60:]) == accuracy


def test_fitted_labels_are_as_given():
    classifier = HammingNeighborsClassifier().fit(CODES, Y)
    np.testing.assert_array_equal(classifier.labels_, Y)
    assert classifier.classes_.tolist() == ["bird", "cat", "dog"]


def test_more_neighbors_than_codes_are_refused():
    classifier = HammingNeighborsClassifier(5).fit(CODES[:4], Y[:4])
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit"):
        classifier.predict(CODES)


def test_unknown_weights_are_refused():
    with pytest.raises(InvalidParameterError, match="weights"):
        HammingNeighborsClassifier(weights="inverse").fit(CODES, Y)


def test_weights_that_are_all_zero_are_refused():
    classifier = HammingNeighborsClassifier(weights=lambda d: d * 0.0).fit(CODES, Y)
    for call in (classifier.predict, classifier.predict_proba):
        with pytest.raises(ValueError, match="zero weights"):
            call(CODES)
    with pytest.raises(ValueError, match="zero weights"):
        classifier.score(CODES, Y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (lambda d: -1.0 - d, "finite and 0 or more, got -"),
        (lambda d: np.where(d == d.min(), np.nan, 1.0), "0 or more, got nan"),
        (lambda d: 1.0 / np.where(d == d.min(), 0.0, d), "0 or more, got inf"),
        (lambda d: d[:, :1], r"the distances' shape, \(90, 5\), got shape \(90, 1\)"),
        (lambda d: d.sum(axis=1), r"got shape \(90,\)"),
        (lambda d: 1.0, r"got shape \(\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_weights_that_cannot_be_are_refused(weights, message):
    classifier = HammingNeighborsClassifier(weights=weights).fit(CODES, Y)
    for call in (classifier.predict, classifier.predict_proba):
        with pytest.raises(ValueError, match=message):
            call(CODES)
