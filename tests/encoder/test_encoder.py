"""The encoder among the estimators of scikit-learn: outputs, searches, pipelines."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder, HammingNeighbors
from skhash.losses import DCWH, DualHinge
from skhash.metrics import mean_average_precision, mean_average_precision_scorer
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def retrieval(model, X, y, n_train=160):
    """mAP of the last items against the first."""
    codes = model.transform(X)
    return mean_average_precision(
        codes[n_train:], codes[:n_train], y[n_train:], y[:n_train]
    )


@pytest.fixture(scope="module")
def fitted(blobs):
    return encoder().fit(*blobs)


# What comes out


def test_codes_of_held_out_items_retrieve_their_class(blobs):
    X, y = blobs
    model = encoder(max_epochs=10).fit(X[:160], y[:160])
    assert retrieval(model, X, y) > 0.95
    assert model.score(X[160:], y[160:]) > 0.95


def test_outputs_tell_the_same_bits(fitted, blobs):
    X, _ = blobs
    z = fitted.embed(X)
    assert z.dtype == np.float32
    assert z.shape == (240, 12)
    outputs = {}
    for output in ("packed", "bits", "signs", "embedding"):
        model = copy.copy(fitted).set_params(output=output)
        outputs[output] = model.transform(X)
        assert len(model.get_feature_names_out()) == outputs[output].shape[1]
        np.testing.assert_array_equal(model.embed(X), z)
    assert outputs["packed"].dtype == np.uint8
    assert outputs["bits"].dtype == bool
    assert outputs["signs"].dtype == np.int8
    assert outputs["embedding"].dtype == np.float32
    np.testing.assert_array_equal(outputs["embedding"], z)
    np.testing.assert_array_equal(outputs["bits"], z > 0)
    np.testing.assert_array_equal(outputs["signs"], 2 * (z > 0).astype(int) - 1)
    np.testing.assert_array_equal(outputs["packed"], np.packbits(z > 0, axis=1))


def test_padding_of_packed_codes_is_zero(fitted, blobs):
    codes = fitted.transform(blobs[0])
    assert codes.shape == (240, 2)
    assert codes.flags.c_contiguous
    assert not (codes[:, 1] & 0b1111).any()
    assert (codes[:, 1] & 0b11110000).any()


def test_unknown_output_is_refused_after_fit_too(fitted, blobs):
    model = copy.copy(fitted).set_params(output="hex")
    with pytest.raises(ValueError, match="The 'output' parameter of DeepHashEncoder"):
        model.transform(blobs[0])


def test_fitted_length_counts_when_n_bits_is_set_afterwards(fitted, blobs):
    X, _ = blobs
    model = copy.copy(fitted).set_params(n_bits=99)
    assert len(model.get_feature_names_out()) == model.transform(X).shape[1] == 2
    np.testing.assert_array_equal(model.predict(X), fitted.predict(X))


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_set_output_gives_frames(fitted, blobs, frames):
    pytest.importorskip(frames)
    X, _ = blobs
    frame = copy.copy(fitted).set_output(transform=frames).transform(X)
    assert list(frame.columns) == ["deephashencoder0", "deephashencoder1"]
    np.testing.assert_array_equal(frame.to_numpy(), fitted.transform(X))


def test_prediction_is_the_class_with_the_nearest_mean_code(fitted, blobs):
    X, y = blobs
    signs = np.where(fitted.embed(X) > 0, 1.0, -1.0)
    means = np.array([signs[y == label].mean(0) for label in range(4)])
    np.testing.assert_allclose(fitted.class_codes_, means)
    distances = ((signs[:, None] - means[None]) ** 2).sum(2)
    np.testing.assert_array_equal(fitted.predict(X), distances.argmin(1))
    scores = fitted.decision_function(X)
    assert scores.shape == (240, 4)
    # Nearness is the negative squared distance, up to what all classes share.
    np.testing.assert_allclose(
        scores - scores[:, :1], (distances[:, :1] - distances) / 12, atol=1e-12
    )


def test_two_classes_have_one_score(blobs):
    X, y = blobs
    model = encoder().fit(X, np.where(y > 1, "yes", "no"))
    scores = model.decision_function(X)
    assert scores.shape == (240,)
    predicted = np.where(scores > 0, "yes", "no")
    np.testing.assert_array_equal(model.predict(X), predicted)


def test_families_that_model_classes_score_with_their_own(blobs):
    X, y = blobs
    model = encoder(loss="dcwh").fit(X, y)
    own = model.loss_.class_scores(torch.from_numpy(model.embed(X)).double())
    np.testing.assert_allclose(model.decision_function(X), own.numpy(), rtol=1e-5)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda y: np.array(["d", "a", "c", "b"])[y], id="str"),
        pytest.param(lambda y: np.array(["d", "a", "c", "b"], object)[y], id="object"),
        pytest.param(lambda y: y * 10 - 7, id="int"),
        pytest.param(lambda y: y.astype(np.uint8), id="uint8"),
        pytest.param(lambda y: y.astype(float), id="float"),
        pytest.param(lambda y: y > 1, id="bool"),
        pytest.param(lambda y: y.tolist(), id="list"),
    ],
)
def test_labels_of_any_kind_come_back(blobs, convert):
    X, y = blobs
    labels = convert(y)
    model = encoder(max_epochs=8).fit(X, labels)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    assert model.classes_.dtype == np.asarray(labels).dtype
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    assert (predicted == labels).mean() > 0.9
    assert model.score(X, labels) > 0.9


def test_unfitted_encoder_says_so(blobs):
    for method in ("transform", "embed", "predict", "decision_function"):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            getattr(DeepHashEncoder(), method)(blobs[0])
    assert not hasattr(DeepHashEncoder(), "loss_")
    assert not hasattr(DeepHashEncoder(), "class_codes_")


# Grid search, pipelines


@pytest.mark.slow
def test_grid_search_over_bits_ranks_by_retrieval(blobs):
    X, y = blobs
    search = GridSearchCV(
        encoder(),
        {"n_bits": [1, 16]},
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"n_bits": 16}
    one, sixteen = search.cv_results_["mean_test_score"]
    assert one < 0.8 < sixteen
    expected = []
    for train, test in FOLDS.split(X, y):
        codes = encoder(16).fit(X[train], y[train]).transform(X[test])
        expected.append(
            mean_average_precision(codes, codes, y[test], y[test], exclude_self=True)
        )
    np.testing.assert_allclose(sixteen, np.mean(expected), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_grid_search_reaches_losses_and_their_parameters(blobs):
    X, y = blobs
    params = {"max_epochs": 1}
    search = GridSearchCV(
        encoder(**params),
        [
            {"loss": ["hashnet", "dhn", DCWH(margin=1.5)]},
            {"loss": ["dual_hinge", DualHinge()], "loss__shape": [1, 2]},
            {"loss__shape": [0.5]},
        ],
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    final = clone(search.estimator).set_params(loss__shape=0.5).fit(X, y)
    assert isinstance(final.loss_, DualHinge)
    assert final.loss_.shape == 0.5


@pytest.mark.slow
def test_bare_encoder_is_searched_by_accuracy_on_stratified_folds(blobs):
    X, y = blobs
    order = np.argsort(y, kind="stable")  # plain folds would lack whole classes
    scores = cross_val_score(encoder(max_epochs=8), X[order], y[order], cv=3)
    assert scores.min() > 0.9


@pytest.mark.slow
def test_grid_search_over_a_pipeline_ending_in_a_database(blobs):
    X, y = blobs
    pipeline = make_pipeline(StandardScaler(), encoder(), HammingNeighbors())
    search = GridSearchCV(
        pipeline,
        {"deephashencoder__n_bits": [1, 16]},  # two codes are too few for the classes
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"deephashencoder__n_bits": 16}
    train, test = next(FOLDS.split(X, y))
    final = clone(pipeline).set_params(deephashencoder__n_bits=16)
    final.fit(X[train], y[train])
    queries, database = (final[:-1].transform(X[part]) for part in (test, train))
    expected = mean_average_precision(queries, database, y[test], y[train])
    assert search.cv_results_["split0_test_score"][1] == pytest.approx(expected)
