"""Retrieval scorers inside scikit-learn's searches, pipelines and callbacks."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skhash.hamming import pack
from skhash.metrics import (
    average_precision,
    evaluate,
    make_retrieval_scorer,
    mean_average_precision,
    mean_average_precision_scorer,
    precision_at_k_scorer,
    precision_at_radius,
    precision_at_radius_scorer,
    recall_at_k,
    recall_at_k_scorer,
    recall_at_radius,
)


class ThresholdEncoder(ClassifierMixin, TransformerMixin, BaseEstimator):
    """Bit j is feature j above the threshold, in each output an encoder may have."""

    def __init__(self, threshold=0.0, output="packed"):
        self.threshold = threshold
        self.output = output

    def fit(self, X, y=None):
        self.classes_ = np.unique(y)
        return self

    def transform(self, X):
        z = np.asarray(X, dtype=np.float32) - np.float32(self.threshold)
        return {
            "packed": lambda: pack(z > 0),
            "bits": lambda: z > 0,
            "signs": lambda: np.where(z > 0, 1, -1).astype(np.int8),
            "embedding": lambda: z,
        }[self.output]()

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Database(BaseEstimator):
    """What scorers recognise a database by."""

    def fit(self, X, y=None):
        self.codes_, self.labels_ = np.asarray(X), y
        return self

    def kneighbors(self, X):
        raise AssertionError("scorers rank by histograms")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.repeat(["ant", "bee", "cat"], 20)
    centers = rng.normal(size=(3, 12))
    X = centers[np.repeat([0, 1, 2], 20)] + rng.normal(scale=0.8, size=(60, 12))
    return X, y


FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def test_encoder_is_scored_by_leave_one_out(data):
    X, y = data
    encoder = ThresholdEncoder().fit(X, y)
    codes = pack(X > 0)
    expected = mean_average_precision(codes, codes, y, y, exclude_self=True)
    assert mean_average_precision_scorer(encoder, X, y) == expected
    assert expected < mean_average_precision(codes, codes, y, y)


@pytest.mark.parametrize("output", ["bits", "signs", "embedding"])
def test_every_output_of_an_encoder_scores_alike(data, output):
    X, y = data
    packed = mean_average_precision_scorer(ThresholdEncoder().fit(X, y), X, y)
    encoder = ThresholdEncoder(output=output).fit(X, y)
    assert mean_average_precision_scorer(encoder, X, y) == packed


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_packed_codes_of_another_dtype_stay_codes(data, dtype):
    X, y = data
    encoder = ThresholdEncoder().fit(X, y)
    cast = make_pipeline(
        encoder, FunctionTransformer(lambda codes: codes.astype(dtype))
    )
    assert mean_average_precision_scorer(cast, X, y) == mean_average_precision_scorer(
        encoder, X, y
    )


def test_frames_from_set_output_score_alike(data):
    X, y = data
    pytest.importorskip("pandas")
    scaled = StandardScaler().set_output(transform="pandas").fit(X)
    bits = ThresholdEncoder().fit(X, y)
    codes = bits.transform(scaled.transform(X))
    expected = mean_average_precision(codes, codes, y, y, exclude_self=True)
    assert mean_average_precision_scorer(scaled, X, y) == expected


def test_queries_are_ranked_against_a_fitted_database(data):
    X, y = data
    pipeline = make_pipeline(StandardScaler(), ThresholdEncoder(), Database())
    pipeline.fit(X[::2], y[::2])
    queries = pipeline[:-1].transform(X[1::2])
    expected = mean_average_precision(queries, pipeline[-1].codes_, y[1::2], y[::2])
    assert mean_average_precision_scorer(pipeline, X[1::2], y[1::2]) == expected
    alone = pipeline[-1]
    assert mean_average_precision_scorer(alone, queries, y[1::2]) == expected
    nested = Pipeline([("inner", pipeline)])
    assert mean_average_precision_scorer(nested, X[1::2], y[1::2]) == expected


def test_grid_search_ranks_by_retrieval(data):
    X, y = data
    grid = {"threshold": [0.0, 50.0]}
    for build in (lambda e: e, lambda e: make_pipeline(e, Database())):
        estimator = build(ThresholdEncoder())
        prefix = "" if isinstance(estimator, ThresholdEncoder) else "thresholdencoder__"
        search = GridSearchCV(
            estimator,
            {prefix + key: value for key, value in grid.items()},
            scoring=mean_average_precision_scorer,
            cv=FOLDS,
            error_score="raise",
        ).fit(X, y)
        assert search.best_params_ == {prefix + "threshold": 0.0}
        assert search.cv_results_["mean_test_score"][0] > 0.7


def test_search_is_scored_by_its_best_estimator(data):
    X, y = data
    pipeline = make_pipeline(ThresholdEncoder(), Database())
    search = GridSearchCV(
        pipeline,
        {"thresholdencoder__threshold": [0.0, 0.1]},
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
    )
    scores = cross_val_score(
        search,
        X,
        y,
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
        error_score="raise",
    )
    assert (scores > 0.7).all()


@pytest.mark.parametrize("database", [False, True])
def test_multimetric_search_takes_several_scorers(data, database):
    X, y = data
    estimator = ThresholdEncoder()
    if database:
        estimator = make_pipeline(estimator, Database())
    scoring = {
        "map": mean_average_precision_scorer,
        "map_at_5": make_retrieval_scorer(mean_average_precision, k=5),
        "precision": make_retrieval_scorer(precision_at_radius, radius=3),
        "recall": make_retrieval_scorer(recall_at_radius, radius=3),
        "precision_at_10": precision_at_k_scorer,
        "recall_at_10": recall_at_k_scorer,
        "precision_at_radius_2": precision_at_radius_scorer,
    }
    results = cross_validate(
        estimator, X, y, scoring=scoring, cv=FOLDS, error_score="raise"
    )
    for name, scorer in scoring.items():
        single = cross_val_score(estimator, X, y, scoring=scorer, cv=FOLDS)
        np.testing.assert_array_equal(results[f"test_{name}"], single)
    assert (results["test_map"] != results["test_map_at_5"]).any()


def test_scorer_works_in_a_dict_beside_scikit_learns_own(data):
    X, y = data
    encoder = ThresholdEncoder().fit(X, y)
    scorer = check_scoring(
        encoder, {"map": mean_average_precision_scorer, "accuracy": "accuracy"}
    )
    scores = scorer(encoder, X, y)
    assert scores["accuracy"] == pytest.approx(1 / 3)
    assert scores["map"] == mean_average_precision_scorer(encoder, X, y)


def test_scoring_monitor_callback_takes_the_scorer(data):
    callback = pytest.importorskip("sklearn.callback")  # scikit-learn 1.9
    from sklearn.linear_model import LogisticRegression

    X, y = data
    monitor = callback.ScoringMonitor(scoring=mean_average_precision_scorer)
    scorer = check_scoring(LogisticRegression(), monitor._scoring)
    encoder = ThresholdEncoder().fit(X, y)
    assert scorer(encoder, X, y) == {
        "score": mean_average_precision_scorer(encoder, X, y)
    }


def by_pickle(scorer):
    return pickle.loads(pickle.dumps(scorer))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, by_pickle])
def test_scorer_survives_copies(data, duplicate):
    X, y = data
    scorer = make_retrieval_scorer(mean_average_precision, k=7, normalizer="hits")
    again = duplicate(scorer)
    encoder = ThresholdEncoder().fit(X, y)
    assert again(encoder, X, y) == scorer(encoder, X, y)
    assert repr(again) == (
        "make_retrieval_scorer(mean_average_precision, k=7, normalizer='hits')"
    )


def test_scorer_is_kept_by_clone():
    search = GridSearchCV(ThresholdEncoder(), {}, scoring=mean_average_precision_scorer)
    assert isinstance(clone(search).scoring, type(mean_average_precision_scorer))


def test_sorted_folds_warn_and_name_the_remedy(data):
    X, y = data
    pipeline = make_pipeline(ThresholdEncoder(), Database())
    with pytest.warns(UndefinedMetricWarning, match="20 of 20.*StratifiedKFold"):
        scores = cross_val_score(
            pipeline, X, y, scoring=mean_average_precision_scorer, cv=KFold(3)
        )
    assert np.isnan(scores).all()


@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, sparse.csr_array])
def test_folds_of_several_labels_an_item_are_not_sent_to_stratify(data, convert):
    X, y = data
    Y = (y[:, None] == np.unique(y)).astype(int)
    database = Database().fit(pack(X[:20] > 0), convert(Y[:20]))
    with pytest.warns(
        UndefinedMetricWarning, match=r"40 of 40.*larger folds"
    ) as caught:
        mean_average_precision_scorer(database, pack(X[20:] > 0), convert(Y[20:]))
    assert "StratifiedKFold" not in str(caught[0].message)
    # The advice is gone with the scorer.
    with pytest.warns(UndefinedMetricWarning) as caught:
        mean_average_precision([[0]], [[0]], [0], [1])
    assert "folds" not in str(caught[0].message)


@pytest.mark.parametrize(
    ("metric", "options", "given"),
    [
        (average_precision, {}, "average_precision gives one number per query"),
        (recall_at_k, {"average": None}, r"one number per query \(shape \(60,\)\)"),
        (evaluate, {}, "evaluate gives a RetrievalReport"),
    ],
)
def test_metrics_that_give_no_single_number_are_refused(data, metric, options, given):
    X, y = data
    scorer = make_retrieval_scorer(metric, **options)
    with pytest.raises(TypeError, match=given + ".*mean_average_precision instead"):
        scorer(ThresholdEncoder().fit(X, y), X, y)


def test_multilabel_targets_are_scored(data):
    X, _ = data
    Y = (X[:, :4] > 0).astype(int)
    scorer = make_retrieval_scorer(mean_average_precision, zero_relevant=0)
    encoder = ThresholdEncoder().fit(X, Y)
    codes = encoder.transform(X)
    expected = mean_average_precision(
        codes, codes, Y, Y, exclude_self=True, zero_relevant=0
    )
    assert scorer(encoder, X, Y) == expected


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (Database(), NotFittedError, "not fitted"),
        (Database().fit(np.zeros((3, 1), np.uint8)), ValueError, "without labels"),
        (
            KNeighborsClassifier(1).fit([[0], [1]], [0, 1]),
            TypeError,
            "HammingNeighbors",
        ),
        (BaseEstimator(), TypeError, "`transform`"),
        (FunctionTransformer(lambda X: X * np.nan), ValueError, "NaN"),
    ],
)
def test_unsuitable_estimators_are_refused(estimator, error, message):
    X = np.zeros((3, 1))
    with pytest.raises(error, match=message):
        mean_average_precision_scorer(estimator, X, [0, 0, 1])


def test_missing_labels_are_refused(data):
    X, y = data
    encoder = ThresholdEncoder().fit(X, y)
    with pytest.raises(ValueError, match="y is None"):
        mean_average_precision_scorer(encoder, X, None)


def test_bad_scorers_are_refused():
    with pytest.raises(TypeError, match="callable"):
        make_retrieval_scorer("mean_average_precision")
    with pytest.raises(ValueError, match="exclude_self"):
        make_retrieval_scorer(mean_average_precision, exclude_self=True)
