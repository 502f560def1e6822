"""Several labels an item, odd sizes, weights."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skhash.losses import DualHinge
from skhash.metrics import mean_average_precision
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Several labels an item


@pytest.mark.slow
@pytest.mark.parametrize("make", ["dense", "list", "csr"])
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh"])
def test_multilabel_codes_retrieve_shared_labels(make, loss):
    rng = np.random.default_rng(0)
    Y = (rng.random((300, 8)) < 0.2).astype(int)
    Y[Y.sum(1) == 0, 0] = 1
    X = Y @ rng.normal(size=(8, 12)) + rng.normal(scale=0.3, size=(300, 12))
    given = {"dense": Y, "list": Y.tolist(), "csr": sp.csr_matrix(Y)}[make]
    train, test = slice(0, 200), slice(200, 300)
    given = given[train]
    model = encoder(16, loss=loss, max_epochs=25).fit(X[train], given)
    np.testing.assert_array_equal(model.classes_, np.arange(8))
    assert model.multilabel_
    codes = model.transform(X)
    assert codes.shape == (300, 2)
    assert model.embed(X).shape == (300, 16)
    score = mean_average_precision(codes[test], codes[train], Y[test], Y[train])
    chance = np.mean(Y[test] @ Y[train].T > 0)
    assert score > chance + 0.2
    with pytest.raises(AttributeError, match="class_codes_ needs one label an item"):
        model.class_codes_  # noqa: B018
    again = clone(model).set_params(loss=DualHinge()).partial_fit(X[train], given)
    again.partial_fit(X[test], Y[test])
    assert again.n_iter_ == 2


# Odd sizes


@pytest.mark.parametrize("n_bits", [1, 7, 8, 9, 4096])
def test_any_length_of_codes(blobs, n_bits):
    X, y = (part[:30] for part in blobs)
    model = encoder(n_bits, network="linear", max_epochs=1).fit(X, y)
    assert model.transform(X).shape == (30, -(-n_bits // 8))
    assert model.embed(X).shape == (30, n_bits)
    assert model.predict(X).shape == (30,)


@pytest.mark.parametrize("network", ["mlp", "linear"])
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh", "exponentiated"])
def test_two_items_one_feature(network, loss):
    X, y = np.array([[0.0], [1.0]]), ["a", "b"]
    model = encoder(4, network=network, loss=loss, max_epochs=20).fit(X, y)
    assert model.transform(X).shape == (2, 1)
    assert set(model.predict(X)) <= {"a", "b"}


@pytest.mark.slow
def test_five_hundred_classes():
    rng = np.random.default_rng(0)
    y = np.arange(1500) % 500
    X = rng.normal(size=(500, 16))[y] + rng.normal(scale=0.1, size=(1500, 16))
    model = encoder(32, max_epochs=15, batch_size=128).fit(X, y)
    assert model.class_codes_.shape == (500, 32)
    assert model.score(X, y) > 0.5


def test_constant_features_do_not_matter(blobs):
    X, y = blobs
    wide = np.hstack([X, np.full((240, 3), 7.0, dtype=np.float32)])
    model = encoder(max_epochs=8).fit(wide, y)
    assert np.isfinite(model.embed(wide)).all()
    assert model.score(wide, y) > 0.9


@pytest.mark.slow
def test_weights_act_as_repetitions_do(digits):
    """Rows of weight 8 are learnt as 8 copies of them are, on the average over seeds.

    Batches are drawn, so that single trainings differ. With short codes the classes
    compete: those that weigh less are retrieved worse.
    """
    X, X_query, y, y_query = digits
    weight = np.where(y < 3, 8, 1)
    repeated = np.repeat(np.arange(len(y)), weight)
    light = y_query >= 3
    n_steps = 120

    def score(rows, weight, seed):
        model = encoder(
            6,
            network="linear",
            balanced_batches=False,
            random_state=seed,
            max_epochs=round(n_steps / math.ceil(len(rows) / 64)),
        ).fit(X[rows], y[rows], sample_weight=weight)
        codes, queries = model.transform(X), model.transform(X_query[light])
        return mean_average_precision(queries, codes, y_query[light], y)

    everything = np.arange(len(y))
    plain, weighted, copies = np.mean(
        [
            (
                score(everything, None, seed),
                score(everything, weight, seed),
                score(repeated, None, seed),
            )
            for seed in range(3)
        ],
        axis=0,
    )
    assert copies < plain - 0.15
    assert abs(weighted - copies) < 0.3 * (plain - copies)
