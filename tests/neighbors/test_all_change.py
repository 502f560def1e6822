"""Every estimator's database begins empty, grows, shrinks and tells its codes."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

from skhash.neighbors import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
)
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(2)
CODES = draw_codes(RNG, 90, 16, 0.1)
QUERIES = draw_codes(RNG, 15, 16, 0.1)
IDS = np.array([f"item {i}" for i in RNG.permutation(90)])
Y = np.array(["dog", "cat", "ox", "bee"])[np.repeat([0, 1, 2, 3], [40, 20, 20, 10])]
SETS = RNG.random((90, 5)) < 0.3
EMPTY = np.empty((0, 2), np.uint8)
ESTIMATORS = [HammingNeighbors, HammingNeighborsClassifier, HammingNeighborsTransformer]
LABELS = {"classes": Y, "sets": SETS, "sparse sets": sp.csr_array(SETS * 1)}


def answers(estimator):
    """All that a fitted estimator says of the queries, as dense arrays."""
    found = [*estimator.kneighbors(QUERIES, 4), estimator.codes_, estimator.ids_]
    if isinstance(estimator, HammingNeighborsClassifier):
        found += [estimator.predict(QUERIES), estimator.predict_proba(QUERIES)]
        found += [estimator.classes_]
    if isinstance(estimator, HammingNeighborsTransformer):
        found += [estimator.transform(QUERIES).toarray()]
        found += [estimator.get_feature_names_out()]
    return [np.asarray(each) for each in found]


def assert_equal(left, right):
    for one, other in zip(answers(left), answers(right), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("named", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("start", ["unfitted", "empty", "some"])
def test_changes_equal_a_fit_of_the_result(cls, labels, named, start):
    y = LABELS[labels]
    parts = [slice(0, 30), slice(30, 34), slice(34, 90)]
    one = cls()
    if start == "some":
        one.fit(CODES[parts[0]], y[parts[0]], IDS[parts[0]] if named else None)
    else:
        if start == "empty":
            one.fit(EMPTY, y[:0], ids=[] if named else None)
            assert one.n_samples_fit_ == 0
        one.add(CODES[parts[0]], y[parts[0]], IDS[parts[0]] if named else None)
    for part in parts[1:]:
        one.add(CODES[part], y[part], IDS[part] if named else None)
    whole = cls().fit(CODES, y, IDS if named else None)
    assert_equal(one, whole)
    gone = RNG.permutation(90)[:25]
    kept = np.setdiff1d(np.arange(90), gone)
    one.remove(IDS[gone] if named else gone)
    rest = cls().fit(CODES[kept], y[kept], IDS[kept] if named else None)
    assert_equal(one, rest)
    assert_equal(copy.deepcopy(one), rest)
    assert_equal(pickle.loads(pickle.dumps(one)), rest)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_codes_are_told_by_id_row_and_mask(cls):
    named, plain = cls().fit(CODES, Y, IDS), cls().fit(CODES, Y)
    chosen = [70, 3, 3, 41]
    np.testing.assert_array_equal(named.codes_of(IDS[chosen]), CODES[chosen])
    np.testing.assert_array_equal(plain.codes_of(chosen), CODES[chosen])
    np.testing.assert_array_equal(plain.codes_of(5), CODES[[5]])
    mask = RNG.random(90) < 0.2
    np.testing.assert_array_equal(plain.codes_of(mask), CODES[mask])
    told = plain.codes_of(chosen)
    told[:] = 0
    np.testing.assert_array_equal(plain.codes_, CODES)
    with pytest.raises(ValueError, match="No code has the id 'item 90'"):
        named.codes_of(["item 90"])
    with pytest.raises(NotFittedError):
        cls().codes_of([0])


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_empty_database_says_what_it_lacks(cls):
    empty = cls().fit(EMPTY, [])
    with pytest.raises(ValueError, match="n_samples_fit = 0"):
        empty.kneighbors(QUERIES)
    assert empty.codes_.shape == (0, 2)
    with pytest.raises(ValueError, match="X has 3 features"):
        empty.add(np.zeros((2, 3), np.uint8), ["a", "b"])
    assert empty.n_samples_fit_ == 0


@pytest.mark.parametrize(
    "X",
    [
        np.empty((0, 2)),
        np.empty((0, 2), bool),
        np.empty((0, 2), np.int64),
        [],
        np.empty((0, 0), np.uint8),
        np.empty(0, np.uint8),
    ],
    ids=["float", "bits", "int64", "list", "no width", "flat"],
)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_only_an_empty_array_of_bytes_is_a_database(cls, X):
    with pytest.raises(ValueError, match=r"0 sample|0 feature|Expected 2D array"):
        cls().fit(X, [])


def test_the_first_codes_of_an_empty_database_bring_labels_and_ids():
    neighbors = HammingNeighbors().fit(EMPTY).add(CODES, Y, IDS)
    np.testing.assert_array_equal(neighbors.ids_, IDS)
    np.testing.assert_array_equal(neighbors.labels_, Y)
    with pytest.raises(ValueError, match="has labels: give some"):
        neighbors.add(CODES[:1], ids=["new"])
    emptied = HammingNeighbors().fit(CODES, ids=IDS).remove(IDS)
    with pytest.raises(ValueError, match="has ids: give some"):
        emptied.add(CODES)


def test_classes_come_with_additions_and_stay_after_removals():
    voter = HammingNeighborsClassifier(1).fit(CODES[:60], Y[:60])
    assert voter.classes_.tolist() == ["cat", "dog"]
    voter.add(CODES[80:], Y[80:])  # "bee" sorts first
    assert voter.classes_.tolist() == ["bee", "cat", "dog"]
    anew = HammingNeighborsClassifier(1)
    anew.fit(np.delete(CODES, range(60, 80), 0), np.delete(Y, range(60, 80)))
    np.testing.assert_array_equal(
        voter.predict_proba(QUERIES), anew.predict_proba(QUERIES)
    )
    voter.remove(np.arange(40, 60))
    assert voter.classes_.tolist() == ["bee", "cat", "dog"]
    assert not voter.predict_proba(CODES)[:, 1].any()
    voter.remove(np.arange(voter.n_samples_fit_)).add(CODES[:5], Y[:5])
    assert voter.predict_proba(CODES[:1]).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (Y[:2], "inconsistent numbers of samples"),
        ([1, 2, 3], "mix numbers and strings"),
        (SETS[:3], "equal width|both vectors"),
        ([0.5, 1.5, 2.5], "Unknown label type"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, message):
    voter = HammingNeighborsClassifier().fit(CODES, Y)
    before = voter._database
    with pytest.raises(ValueError, match=message):
        voter.add(CODES[:3], y)
    assert voter._database is before
    assert voter.n_samples_fit_ == 90


def test_a_classifier_begins_empty_before_it_knows_the_kind_of_its_labels():
    codes = np.random.default_rng(0).integers(0, 256, (20, 2), dtype=np.uint8)
    sets = np.random.default_rng(1).integers(0, 2, (20, 3))
    model = HammingNeighborsClassifier().fit(np.empty((0, 2), np.uint8), [])
    model.add(codes, sets)
    assert model.predict(codes).shape == (20, 3)
