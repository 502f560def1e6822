"""scikit-learn's own checks, on every public estimator."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_positive_only_tag_during_fit,
    parametrize_with_checks,
)
from skorch import NeuralNet

import skhash
from skhash import DeepHashEncoder
from skhash.baselines import ITQ, PCAHashing
from skhash.losses import HashLoss, NeighborDistillation


def public_estimators():
    """Classes of estimators in all modules of the package, in a fixed order.

    Losses are parts of an encoder, and its trainer is a net of skorch.
    """
    found = {}
    for module in pkgutil.walk_packages(skhash.__path__, "skhash."):
        names = vars(importlib.import_module(module.name))
        for name, value in names.items():
            if (
                inspect.isclass(value)
                and issubclass(value, BaseEstimator)
                and not issubclass(value, (HashLoss, NeuralNet))
                and value.__module__.startswith("skhash.")
                and not inspect.isabstract(value)
                and not name.startswith("_")
            ):
                found[name] = value
    return [found[name] for name in sorted(found)]


def short(**params):
    """An encoder whose trainings take a fraction of a second."""
    return DeepHashEncoder(max_epochs=20, **params)


def instances():
    """Every estimator as it is by default; encoders of several losses, trained less."""
    # These make at most one bit of a feature, and the checks have few of them.
    few_bits = {ITQ, PCAHashing}
    others = [cls for cls in public_estimators() if cls is not DeepHashEncoder]
    return [
        *(cls(n_bits=2) if cls in few_bits else cls() for cls in others),
        short(),
        short(loss="dcwh", output="bits", network="linear"),
        short(loss="exponentiated", output="embedding"),
        short(loss="neighbor_distillation"),
        short(loss=NeighborDistillation(teacher="y")),
    ]


def expected_failures(estimator):
    if not isinstance(estimator, DeepHashEncoder):
        check = check_positive_only_tag_during_fit
        if "X -= X.mean()\n" not in inspect.getsource(check):
            return {}
        return {
            check.__name__: "This scikit-learn subtracts a mean from integers in place."
        }
    reason = (
        "Batches are drawn: a row of weight 2 and the same row twice meet other rows. "
        "test_weights_act_as_repetitions_do looks at what is promised."
    )
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


def test_discovery_finds_the_estimators():
    names = {cls.__name__ for cls in public_estimators()}
    assert {
        "DeepHashEncoder",
        "HammingNeighbors",
        "HammingNeighborsClassifier",
    } <= names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(instances(), expected_failed_checks=expected_failures)
def test_estimator_passes_sklearn_check(estimator, check):
    # These give labels of one dimension as y, whatever the tags ask for.
    of_transformers = "check_transformer" in getattr(check, "func", check).__name__
    asked = get_tags(estimator).target_tags
    if of_transformers and asked.multi_output and not asked.single_output:
        estimator = WithColumns(**estimator.get_params(deep=False))
    check(estimator)


class WithColumns(DeepHashEncoder):
    """An encoder that takes labels of one dimension for vectors of one number."""

    def fit(self, X, y=None, **rest):
        y = None if y is None else np.asarray(y)
        return super().fit(X, y[:, None] if np.ndim(y) == 1 else y, **rest)
