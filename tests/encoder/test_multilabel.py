"""Several labels an item: marginals, predictions and scores, against loops in numpy."""

import copy

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.preprocessing import scale

from skhash import DeepHashEncoder
from skhash.encoder import _class_models
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=8, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # Some held-out items have no label, and no relevant item.
    "ignore::sklearn.exceptions.UndefinedMetricWarning",
)

LOSSES = ["dual_hinge", "dcwh"]


@pytest.fixture(scope="module")
def tagged():
    """Features (400, 12) and sets (400, 6) of labels, the last of which is rare."""
    rng = np.random.default_rng(0)
    Y = (rng.random((400, 6)) < [0.1, 0.2, 0.3, 0.4, 0.5, 0.02]).astype(int)
    X = Y @ rng.normal(size=(6, 12)) + rng.normal(scale=0.7, size=(400, 12))
    return X, Y


def evidence(signs, own, Y, weight):
    """Log-odds of each label before, and what its linear discriminant adds."""
    total, n_bits = weight.sum(), signs.shape[1]
    common = weight @ own / total
    spread = np.cov(own.T, aweights=weight, ddof=0)
    prior, added = np.empty(Y.shape[1]), np.empty((len(signs), Y.shape[1]))
    for c in range(Y.shape[1]):
        has = Y[:, c] == 1
        share = (weight[has].sum() + 0.5) / (total + 1)
        prior[c] = np.log(share / (1 - share))
        # One more item on either side, with the bits as often set as anywhere.
        inside, outside = (
            (weight[side] @ own[side] + common) / (weight[side].sum() + 1)
            for side in (has, ~has)
        )
        difference = inside - outside
        within = spread - share * (1 - share) * np.outer(difference, difference)
        within += 0.3 * np.eye(n_bits)
        slope = np.linalg.inv(within) @ difference
        added[:, c] = (signs - (inside + outside) / 2) @ slope
    return prior, added


def logistic(odds):
    return 1 / (1 + np.exp(-odds))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_marginals_equal_loops(tagged, loss, weighted):
    X, Y = tagged
    weight = np.linspace(0.5, 2, 300) if weighted else np.ones(300)
    model = encoder(loss=loss).fit(X[:300], Y[:300], sample_weight=weight)
    own, signs = (np.where(model.embed(x) > 0, 1.0, -1.0) for x in (X[:300], X[300:]))
    prior, added = evidence(signs, own, Y[:300], weight / weight.mean())
    odds = prior + added / model._temperature
    np.testing.assert_allclose(model.decision_function(X[300:]), odds, rtol=1e-5)
    proba = model.predict_proba(X[300:])
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba, logistic(odds), rtol=1e-5)
    predicted = model.predict(X[300:])
    assert predicted.dtype == np.int64
    np.testing.assert_array_equal(predicted, proba > 0.5)
    right = [list(a) == list(b) for a, b in zip(predicted, Y[300:], strict=True)]
    assert model.score(X[300:], Y[300:]) == pytest.approx(np.mean(right))
    w = np.linspace(1, 3, 100)
    assert model.score(X[300:], Y[300:], w) == pytest.approx(
        np.average(right, weights=w)
    )


@pytest.mark.slow
@pytest.mark.parametrize("early_stopping", [False, True])
def test_held_out_marginals_say_more_than_frequencies(tagged, early_stopping):
    X, Y = tagged
    model = encoder(24, max_epochs=40, early_stopping=early_stopping)
    model.fit(X[:300], Y[:300])
    columns = slice(0, 5)
    found = model.predict_proba(X[300:])
    prior = np.broadcast_to(Y[:300].mean(axis=0), (100, 6))
    ours, theirs = (
        np.mean([log_loss(Y[300:, c], p[:, c]) for c in range(5)])
        for p in (found, prior)
    )
    assert ours < 0.8 * theirs
    scores = np.log(found / (1 - found))[:, columns]
    before = np.log(prior / (1 - prior))[:, columns]
    # Any other share of what the bits say would be hardly better.
    best = min(
        np.mean(np.logaddexp(0, o) - Y[300:, columns] * o)
        for o in (
            before + (scores - before) * t for t in np.exp(np.linspace(-2, 2, 50))
        )
    )
    assert ours < 1.1 * best


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csr", "list", "signs", "bool"])
def test_every_form_of_the_sets_gives_the_same(tagged, form):
    X, Y = tagged
    made = {
        "csr": sp.csr_matrix,
        "list": np.ndarray.tolist,
        "signs": lambda Y: 2 * Y - 1,
        "bool": lambda Y: Y > 0,
    }[form](Y)
    expected, found = encoder().fit(X, Y), encoder().fit(X, made)
    np.testing.assert_allclose(
        found.predict_proba(X), expected.predict_proba(X), rtol=1e-9
    )
    assert found.score(X, made) == expected.score(X, Y)
    assert isinstance(found.predict(X), np.ndarray)


@pytest.mark.slow
def test_partial_fits_add_up(tagged):
    X, Y = tagged
    model = encoder().partial_fit(X[:100], Y[:100])
    first = model.predict_proba(X)
    for _ in range(12):
        model.partial_fit(X[:300], Y[:300])
    losses = [
        np.mean(-np.log(np.where(Y[300:] == 1, p[300:], 1 - p[300:])))
        for p in (first, model.predict_proba(X))
    ]
    assert losses[1] < losses[0]


def test_pieces_do_not_change_predictions(tagged, monkeypatch):
    X, Y = tagged
    model = encoder().fit(X, Y)
    predicted, score = model.predict(X), model.score(X, Y)
    monkeypatch.setattr(_class_models, "_CELLS", 40)
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert model.score(X, Y) == score


def test_labels_of_another_width_are_refused(tagged):
    X, Y = tagged
    model = encoder().fit(X, Y)
    for y in (Y[:, :5], Y[:, 0]):
        with pytest.raises(ValueError, match="6 columns of 0 and 1: give as many"):
            model.score(X, y)


def test_labels_that_all_or_none_have_are_known(tagged):
    X, Y = tagged
    Y = np.column_stack([Y, np.ones(400), np.zeros(400)])
    model = encoder().fit(X, Y)
    proba = model.predict_proba(X)
    assert (proba[:, -2] > 0.99).all()
    assert (proba[:, -1] < 0.01).all()
    assert ((proba > 0) & (proba < 1)).all()


def test_a_diverged_training_still_answers(tagged):
    X, Y = tagged
    model = encoder(lr=1e25, optimizer="sgd", normalize_z=False).fit(X, Y)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.slow
def test_tools_of_scikit_learn_work():
    X, Y = make_multilabel_classification(200, 6, n_classes=4, random_state=0)
    X = scale(X)
    for scoring in ("accuracy", "f1_micro", "roc_auc", "average_precision"):
        scores = cross_val_score(encoder(), X, Y, scoring=scoring, cv=3)
        assert np.isfinite(scores).all()
    assert scores.min() > Y.mean()
    proba = cross_val_predict(encoder(), X, Y, method="predict_proba", cv=3)
    assert proba.shape == (200, 4)
    assert hasattr(clone(DeepHashEncoder()), "predict_proba")


def test_a_copy_answers_alone(tagged):
    X, Y = tagged
    model = encoder().fit(X, Y)
    other = copy.deepcopy(model)
    expected = other.predict_proba(X)
    model.partial_fit(X[:50], Y[:50])
    np.testing.assert_array_equal(other.predict_proba(X), expected)
