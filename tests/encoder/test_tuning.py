"""The ways of tuning that the user guide and the gallery show, on small data."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions
from skorch.callbacks import Callback

from skhash import DeepHashEncoder, HammingNeighbors, HammingNeighborsClassifier
from skhash.hamming import pack
from skhash.losses import LOSSES
from skhash.metrics import (
    mean_average_precision,
    mean_average_precision_scorer,
    order_bits,
    precision_at_k_scorer,
    score_by_length,
)

FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)
# Trainings of one or two epochs leave bits dead; their scores are what they are.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def data():
    """Items (160, 8) of four classes that overlap, so that settings matter."""
    return make_blobs(
        n_samples=160, n_features=8, centers=4, cluster_std=3.0, random_state=1
    )


def encoder(n_bits=8, **params):
    params = {"network": "linear", "max_epochs": 3, **params}
    return DeepHashEncoder(n_bits, random_state=0, **params)


def search_pipeline(last):
    return Pipeline(
        [("scale", StandardScaler()), ("encode", encoder()), ("search", last)]
    )


def brute_average_precision(bits, labels, query_bits, query_label):
    """Expected over all orders of ties: the mean of many random orders is close."""
    distances = (bits != query_bits).sum(axis=1)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(200):
        order = np.lexsort((rng.random(len(bits)), distances))
        hits = labels[order] == query_label
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        values.append(precision[hits].mean())
    return np.mean(values)


def scores_by_hand(estimator, X, y):
    """mAP of each fold's items among the fold's training items, step by step."""
    scores = []
    for train, test in FOLDS.split(X, y):
        fitted = clone(estimator).fit(X[train], y[train])
        codes = [fitted[:-1].transform(X[part]) for part in (test, train)]
        scores.append(mean_average_precision(*codes, y[test], y[train]))
    return scores


# Grid search over a pipeline


@pytest.mark.slow
def test_grid_over_bits_and_margins_finds_the_best_and_refits_it(data):
    X, y = data
    grid = [
        {
            "encode__loss": ["dsh"],
            "encode__n_bits": [2, 8],
            "encode__loss__margin": [4.0, 16.0],
        },
        {
            "encode__loss": ["dcwh"],
            "encode__n_bits": [2, 8],
            "encode__loss__margin": [0.5, 1.1],
        },
    ]
    search = GridSearchCV(
        search_pipeline(HammingNeighborsClassifier()),
        grid,
        scoring={
            "mAP": mean_average_precision_scorer,
            "precision": precision_at_k_scorer,
            "accuracy": "accuracy",
        },
        refit="mAP",
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)

    results = search.cv_results_
    assert len(results["params"]) == 8
    assert search.best_params_ == results["params"][results["mean_test_mAP"].argmax()]
    assert len(set(results["mean_test_mAP"])) > 1
    expected = scores_by_hand(search.best_estimator_, X, y)
    found = [results[f"split{i}_test_mAP"][search.best_index_] for i in (0, 1)]
    assert found == pytest.approx(expected)

    again = clone(search.estimator).set_params(**search.best_params_).fit(X, y)
    codes = search.best_estimator_[:-1].transform(X)
    np.testing.assert_array_equal(again[:-1].transform(X), codes)
    best = search.best_estimator_["encode"]
    margin = search.best_params_["encode__loss__margin"]
    assert best.loss_.margin == margin
    assert best.loss_.n_bits_ == search.best_params_["encode__n_bits"]


@pytest.mark.slow
def test_cross_val_score_ranks_the_left_out_fold_among_the_others(data):
    X, y = data
    database = search_pipeline(HammingNeighbors())
    expected = scores_by_hand(database, X, y)
    found = cross_val_score(database, X, y, cv=FOLDS, error_score="raise")
    assert found == pytest.approx(expected)
    votes = search_pipeline(HammingNeighborsClassifier())
    scoring = mean_average_precision_scorer
    found = cross_val_score(votes, X, y, cv=FOLDS, scoring=scoring)
    assert found == pytest.approx(expected)
    accuracy = cross_val_score(votes, X, y, cv=FOLDS)
    assert not np.allclose(accuracy, expected)


@pytest.mark.slow
def test_shape_and_rate_of_dual_hinge_span_a_grid(data):
    X, y = data
    search = GridSearchCV(
        encoder(loss="dual_hinge"),
        {"loss__shape": [0.5, 2.0], "loss__rate": [0.5, 4.0]},
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    results = search.cv_results_
    cells = [
        (p["loss__rate"], p["loss__shape"]) for p in results["params"]
    ]  # sorted by name, the last one fastest: a matrix of (rate, shape)
    assert cells == [(0.5, 0.5), (0.5, 2.0), (4.0, 0.5), (4.0, 2.0)]
    assert len(set(results["mean_test_score"])) == 4
    train, test = next(FOLDS.split(X, y))
    for cell in (0, 3):
        rate, shape = cells[cell]
        one = encoder(loss=LOSSES["dual_hinge"](shape=shape, rate=rate), output="bits")
        bits = one.fit(X[train], y[train]).transform(X[test])
        by_hand = [
            brute_average_precision(
                np.delete(bits, i, axis=0), np.delete(y[test], i), bits[i], label
            )
            for i, label in enumerate(y[test])
        ]
        found = results["split0_test_score"][cell]
        assert found == pytest.approx(np.mean(by_hand), abs=3e-3)


# Every parameter of every loss


def another_value(constraints, default):
    """A valid value that is not the default."""
    for constraint in constraints:
        if constraint == "boolean":
            return not default
        if isinstance(constraint, StrOptions):
            others = sorted(constraint.options - {default})
            if others:
                return others[0]
        if isinstance(constraint, Interval):
            candidates = (2, 1, 0) if constraint.type.__name__ == "Integral" else ()
            for value in (*candidates, 1.5, 0.3, 0.6):
                if value in constraint and value != default:
                    return value
    raise AssertionError(f"no other value than {default!r} in {constraints}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(key for key in LOSSES if LOSSES[key].supervision == "labels")
)
def test_every_parameter_of_every_loss_can_be_searched(name, data):
    X, y = data
    loss = LOSSES[name]()
    constraints = loss._parameter_constraints
    defaults = loss.get_params()
    assert defaults.keys() == constraints.keys()
    grid = [
        {f"loss__{param}": [another_value(constraints[param], value)]}
        for param, value in defaults.items()
    ]
    search = GridSearchCV(
        encoder(loss=name, max_epochs=1),
        grid,
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
        error_score="raise",
    ).fit(X[::2], y[::2])
    assert search.cv_results_["params"] == [
        {key: value for key, (value,) in one.items()} for one in grid
    ]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    ((key, value),) = search.best_params_.items()
    changed = {key.removeprefix("loss__"): value}
    assert search.best_estimator_.loss_.get_params() == {**defaults, **changed}
    assert search.estimator.loss == name


# Halving over epochs


@pytest.mark.slow
def test_halving_trains_few_candidates_for_many_epochs(data):
    X, y = data
    search = HalvingGridSearchCV(
        search_pipeline(HammingNeighborsClassifier()),
        {"encode__lr": [1e-5, 1e-3, 1e-2, 3e-2]},
        resource="encode__max_epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        scoring=mean_average_precision_scorer,
        cv=FOLDS,
        error_score="raise",
    ).fit(X, y)
    assert search.n_resources_ == [1, 2, 4]
    assert search.n_candidates_ == [4, 2, 1]
    results = search.cv_results_
    for row, params in enumerate(results["params"]):
        epochs = search.n_resources_[results["iter"][row]]
        assert params["encode__max_epochs"] == epochs
    one = clone(search.estimator).set_params(**results["params"][0])
    expected = scores_by_hand(one, X, y)
    assert results["mean_test_score"][0] == pytest.approx(np.mean(expected))
    assert search.best_estimator_["encode"].n_iter_ == 4
    assert search.best_params_["encode__lr"] != 1e-5


# Optuna


class ReportTo(Callback):
    """Reports the score of each epoch to a trial."""

    def __init__(self, trial, stop):
        self.trial, self.stop = trial, stop

    def on_epoch_end(self, net, **kwargs):
        self.trial.report(net.history[-1, "valid_score"], len(net.history))
        if self.trial.should_prune():
            raise self.stop


def test_optuna_prunes_trials_by_the_score_of_each_epoch(data):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, y = data

    def objective(trial):
        model = encoder(
            lr=trial.suggest_categorical("lr", [1e-2, 1e-6]),
            max_epochs=5,
            early_stopping=True,
            callbacks=[ReportTo(trial, optuna.TrialPruned)],
        ).fit(X, y)
        assert model.n_iter_ == 5
        return max(row["valid_score"] for row in model.history_)

    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.PercentilePruner(50.0, n_startup_trials=1),
    )
    study.enqueue_trial({"lr": 1e-2})
    study.enqueue_trial({"lr": 1e-6})
    study.optimize(objective, n_trials=2)
    good, bad = study.trials
    assert good.state is optuna.trial.TrialState.COMPLETE
    assert good.value == max(good.intermediate_values.values())
    assert list(good.intermediate_values) == [1, 2, 3, 4, 5]
    assert bad.state is optuna.trial.TrialState.PRUNED
    assert len(bad.intermediate_values) < 5
    assert study.best_params == {"lr": 1e-2}


# Nested lengths


@pytest.mark.slow
def test_one_encoder_is_scored_at_every_length(data):
    X, y = data
    model = encoder(11, max_epochs=5, output="bits").fit(X[:100], y[:100])
    database, queries = model.transform(X[:100]), model.transform(X[100:])
    order = order_bits(database, y[:100], random_state=0)
    lengths, natural = score_by_length(
        pack(queries), pack(database), y[100:], y[:100], n_bits=11, lengths=range(1, 12)
    )
    _, ordered = score_by_length(
        queries[:, order], database[:, order], y[100:], y[:100], lengths=range(1, 12)
    )
    assert lengths.tolist() == list(range(1, 12))
    for length in (1, 4, 11):
        for columns, scores in ((np.arange(11), natural), (order, ordered)):
            kept = columns[:length]
            by_hand = [
                brute_average_precision(database[:, kept], y[:100], bits[kept], label)
                for bits, label in zip(queries, y[100:], strict=True)
            ]
            assert scores[length - 1] == pytest.approx(np.mean(by_hand), abs=4e-3)
    assert ordered[-1] == pytest.approx(natural[-1])
    assert ordered[:4].mean() > natural[:4].mean()

    short = HammingNeighbors().fit(pack(database[:, order[:4]]), y[:100])
    assert short.score(pack(queries[:, order[:4]]), y[100:]) == pytest.approx(
        ordered[3]
    )
