"""ITQ with labels: canonical correlations against a slow definition."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash.baselines import ITQ, ITQCCA
from skhash.baselines import _itq_cca as module
from skhash.metrics import mean_average_precision

X, y = load_digits(return_X_y=True)


def slow_correlations(X, Y, reg):
    """Singular values of the whitened cross-covariance."""

    def whitener(A):
        C = np.cov(A.T, bias=True)
        C += np.eye(len(C)) * reg * np.trace(C) / len(C)
        values, vectors = np.linalg.eigh(C)
        return vectors @ np.diag(values**-0.5) @ vectors.T

    A, B = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return np.linalg.svd(whitener(X) @ (A.T @ B / len(X)) @ whitener(Y))[1]


def one_hot(y):
    return (y[:, None] == np.unique(y)).astype(float)


@pytest.mark.parametrize("reg", [1e-4, 0.1])
def test_correlations_are_the_singular_values(reg):
    fitted = ITQCCA(16, reg=reg, random_state=0).fit(X, y)
    expected = slow_correlations(X, one_hot(y), reg)[:9]
    np.testing.assert_allclose(fitted.correlations_, expected, rtol=1e-5)


def test_outputs_have_the_scale_of_the_correlations():
    # In all they have: V w is of variance c^2 (but for the ridge), and R keeps lengths.
    fitted = ITQCCA(9, reg=1e-9, random_state=0).fit(X, y)
    total = fitted.embed(X).var(axis=0).sum()
    assert total == pytest.approx((fitted.correlations_**2).sum(), rel=1e-3)
    assert (np.diff(fitted.errors_) <= 1e-9).all()


def test_labels_help():
    parts = train_test_split(X, y, test_size=300, random_state=0, stratify=y)
    X_train, X_test, y_train, y_test = parts

    def score(method):
        fitted = method.fit(X_train, y_train)
        codes = fitted.transform(X_test), fitted.transform(X_train)
        return mean_average_precision(*codes, y_test, y_train)

    assert score(ITQCCA(16, random_state=0)) > score(ITQ(16, random_state=0)) + 0.15


@pytest.mark.parametrize(
    "labels",
    [
        np.array(list("abcdefghij"))[y],
        one_hot(y),
        2 * one_hot(y) - 1,
        sp.csr_array(one_hot(y)),
    ],
    ids=["strings", "one-hot", "signs", "CSR"],
)
def test_labels_of_every_form_mean_the_same(labels):
    expected = ITQCCA(12, random_state=0).fit(X, y)
    found = ITQCCA(12, random_state=0).fit(X, labels)
    np.testing.assert_allclose(found.correlations_, expected.correlations_, rtol=1e-9)
    assert np.mean(found.transform(X) == expected.transform(X)) > 0.999


def test_label_sets():
    Y = np.column_stack([y < 5, y % 2 == 0, y > 7])
    fitted = ITQCCA(3, random_state=0).fit(X, Y)
    expected = slow_correlations(X, Y.astype(float), 1e-4)[:3]
    np.testing.assert_allclose(fitted.correlations_, expected, rtol=1e-5)


@pytest.mark.parametrize("n_bits", [4, 9, 10, 40])
def test_any_number_of_bits(n_bits):
    fitted = ITQCCA(n_bits, output="bits", random_state=0).fit(X, y)
    assert len(fitted.correlations_) == min(n_bits, 9)
    assert (np.diff(fitted.errors_) <= 1e-9).all()
    share = fitted.transform(X).mean(axis=0)
    assert ((share > 0.02) & (share < 0.98)).all()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "requires y"),
        (np.zeros(len(y)), "1 class"),
        (y[:-1], "inconsistent numbers of samples"),
        (y + 0.5, "continuous"),
        (np.where(y == 3, np.nan, y), "missing|NaN|nan"),
    ],
)
def test_labels_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        ITQCCA().fit(X, labels)


def test_too_many_classes_are_refused(monkeypatch):
    monkeypatch.setattr(module, "_MOST_LABELS", 9)
    with pytest.raises(ValueError, match="at most 9 classes, got 10"):
        ITQCCA().fit(X, y)


@pytest.mark.parametrize("constant", [True, False])
def test_features_that_tell_nothing_warn(constant):
    X = np.full((40, 3), 0.1) if constant else np.tile([[1.0], [2.0]], (20, 1))
    y = np.zeros(40) if constant else np.repeat([0, 1], 20)
    if constant:
        y[::2] = 1
    with pytest.warns(UserWarning, match="No feature of X tells of y"):
        ITQCCA(4).fit(X, y)
