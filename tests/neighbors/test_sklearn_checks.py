"""scikit-learn's own checks, without any expected failure."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skhash.neighbors import HammingNeighbors, HammingNeighborsClassifier


@parametrize_with_checks([HammingNeighbors(), HammingNeighborsClassifier()])
def test_estimator_passes_sklearn_check(estimator, check):
    check(estimator)
