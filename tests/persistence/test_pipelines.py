"""Pipelines, unions and scikit-learn's own estimators in them."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from skhash import DeepHashEncoder, HammingNeighbors, save

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)) + 3 * RNG.normal(size=(3, 6))[np.arange(60) % 3]
Y = np.array(["a", "b", "c"])[np.arange(60) % 3]
HOLES = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
TEXTS = [f"word{i % 5} and word{i % 7} é" for i in range(40)]

ALONE = {
    "StandardScaler": (StandardScaler(), X),
    "StandardScaler with holes": (StandardScaler(with_mean=False), HOLES),
    "MinMaxScaler": (MinMaxScaler((-1, 2), clip=True), X.astype(np.float32)),
    "MaxAbsScaler": (MaxAbsScaler(), X),
    "RobustScaler": (RobustScaler(quantile_range=(10.0, 90.0)), X),
    "Normalizer": (Normalizer("max"), X),
    "SimpleImputer": (SimpleImputer(add_indicator=True), HOLES),
    "SimpleImputer of text": (
        SimpleImputer(missing_values="", strategy="most_frequent"),
        np.array([["a", "b"], ["a", ""], ["", "c"]], dtype=object),
    ),
    "SimpleImputer of a constant": (
        SimpleImputer(strategy="constant", fill_value=0.0),
        HOLES,
    ),
    "PCA": (PCA(3, whiten=True), X),
    "PCA by another solver": (PCA(0.9, svd_solver="full"), X),
    "TruncatedSVD": (TruncatedSVD(3, random_state=0), X),
    "TfidfVectorizer": (TfidfVectorizer(ngram_range=(1, 2), min_df=2), TEXTS),
    "TfidfVectorizer of lists": (
        TfidfVectorizer(
            stop_words=["and"], vocabulary={"word1": 0, "é": 1}, dtype=np.float32
        ),
        TEXTS,
    ),
    "TfidfVectorizer of English": (TfidfVectorizer(stop_words="english"), TEXTS),
}


def dense(array):
    return array.toarray() if hasattr(array, "toarray") else array


@pytest.mark.parametrize(("model", "data"), ALONE.values(), ids=ALONE)
def test_estimators_of_scikit_learn(again, model, data):
    model = clone(model).fit(data)
    loaded = again(model)
    assert type(loaded) is type(model)
    assert repr(loaded.get_params()) == repr(model.get_params())
    a, b = dense(loaded.transform(data)), dense(model.transform(data))
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)
    names = [each.get_feature_names_out().tolist() for each in (loaded, model)]
    assert names[0] == names[1]
    assert repr(again(clone(model))) == repr(model)


def test_scalers_go_on(again):
    for scaler in (StandardScaler(), MinMaxScaler(), MaxAbsScaler()):
        loaded = again(scaler.fit(X))
        np.testing.assert_array_equal(
            loaded.partial_fit(X + 1).transform(X),
            scaler.partial_fit(X + 1).transform(X),
        )


@pytest.fixture(scope="module")
def pipeline():
    union = FeatureUnion(
        [
            ("scaled", make_pipeline(StandardScaler(), Normalizer())),
            ("parts", PCA(2)),
            ("nothing", "drop"),
            ("all", "passthrough"),
        ],
        transformer_weights={"parts": 2.0},
    )
    encoder = DeepHashEncoder(8, max_epochs=2, random_state=0)
    return make_pipeline(
        SimpleImputer(), union, "passthrough", encoder, HammingNeighbors(3)
    ).fit(HOLES, Y)


def test_a_pipeline_of_all(again, pipeline):
    loaded = again(pipeline)
    assert repr(loaded) == repr(pipeline)
    np.testing.assert_array_equal(
        loaded[:-1].transform(HOLES), pipeline[:-1].transform(HOLES)
    )
    assert loaded.score(HOLES, Y) == pipeline.score(HOLES, Y)
    again_fitted = clone(loaded).fit(HOLES, Y)
    np.testing.assert_array_equal(again_fitted[-1].codes_, pipeline[-1].codes_)


def test_texts_to_codes(again):
    model = make_pipeline(
        TfidfVectorizer(),
        TruncatedSVD(4, random_state=0),
        DeepHashEncoder(4, max_epochs=9, random_state=0),
    )
    y = np.arange(40) % 2
    model.fit(TEXTS, y)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.transform(TEXTS), model.transform(TEXTS))
    np.testing.assert_array_equal(loaded.predict(TEXTS), model.predict(TEXTS))


def test_frozen_estimators(again):
    model = FrozenEstimator(StandardScaler().fit(X))
    np.testing.assert_array_equal(again(model).transform(X), model.transform(X))


def test_outputs_of_pandas(again):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = make_pipeline(StandardScaler(), PCA(2)).set_output(transform="pandas")
    model.fit(frame)
    pd.testing.assert_frame_equal(again(model).transform(frame), model.transform(frame))


def test_random_states_and_memory_are_left_out(again, tmp_path):
    parts = PCA(2, random_state=np.random.RandomState(0))
    encoder = DeepHashEncoder(8, optimizer=type("Adam", (), {}))
    model = Pipeline([("parts", parts), ("encoder", encoder)])
    with pytest.warns(UserWarning, match=r"^parts\.random_state, encoder\.optimizer: "):
        loaded = again(model)
    assert loaded["parts"].random_state is None
    joblib = pytest.importorskip("joblib")
    model = Pipeline([("parts", PCA(2))], memory=joblib.Memory(tmp_path, verbose=0))
    with pytest.warns(UserWarning, match=r"^memory: "):
        assert again(model).memory is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again(model.set_params(memory="folder")).memory == "folder"


REFUSED = {
    "another estimator": (KMeans(2).fit(X), "KMeans is no estimator that"),
    "a step": (
        make_pipeline(StandardScaler(), PolynomialFeatures(2)).fit(X),
        "PolynomialFeatures is no estimator that",
    ),
    "a function": (
        FunctionTransformer(np.abs).fit(X),
        r"parameters\.func is of type ufunc",
    ),
    "a tokenizer": (
        TfidfVectorizer(tokenizer=str.split, token_pattern=None).fit(TEXTS),
        r"parameters\.tokenizer is of type method_descriptor",
    ),
    "no estimator": (5, r"builtins\.int is no estimator that"),
    "a class": (PCA, r"abc\.ABCMeta is no estimator that"),
}


@pytest.mark.parametrize(("model", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(model, told, tmp_path):
    with pytest.raises(TypeError, match=told):
        save(model, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
