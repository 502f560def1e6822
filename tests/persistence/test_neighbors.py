"""Databases of codes answer as before: ids, labels, classes, ways to search."""

import datetime
import uuid
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skhash import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
    load,
    save,
)
from skhash.hamming.indexes import ALGORITHMS, pivots

KINDS = [HammingNeighbors, HammingNeighborsClassifier, HammingNeighborsTransformer]
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 256, size=(90, 3), dtype=np.uint8)
QUERIES = RNG.integers(0, 256, size=(7, 3), dtype=np.uint8)
IDS = {
    "none": None,
    "integers": np.arange(90)[::-1] * 10**12,
    "unsigned": np.arange(90, dtype=np.uint64) + 2**63,
    "floats": np.arange(90) / 7,
    "text": [f"item {i}é" for i in range(90)],
    "text with zeros": [f"{i}\0" for i in range(90)],
    "bytes": [bytes([i, 0]) for i in range(90)],
    "dates": np.datetime64("2026-01-01") + np.arange(90),
    "Python's dates": [datetime.date(2026, 1, 1 + i % 31) for i in range(30)] * 3,
    "huge": [2**70 + i for i in range(90)],
    "UUIDs": [uuid.UUID(int=i) for i in range(90)],
}
IDS["Python's dates"] = [datetime.date(1900 + i, 1, 1) for i in range(90)]
SETS = RNG.random((90, 4)) < 0.4
LABELS = {
    "integers": np.arange(90) % 4,
    "text": np.array(["a", "b", "cé"])[np.arange(90) % 3],
    "truths": np.arange(90) % 2 == 0,
    "sets": SETS,
    "sparse sets": sp.csr_array(SETS),
}


def same(one, other):
    """The answers of two databases are the same, and of the same types."""
    for ask in (
        lambda m: m.kneighbors(QUERIES),
        lambda m: m.kneighbors(n_neighbors=2),
        lambda m: (m.codes_, m.ids_, m.labels_, m.n_samples_fit_, m.n_features_in_),
    ):
        for a, b in zip(ask(one), ask(other), strict=True):
            assert type(a) is type(b)
            if sp.issparse(a):
                assert a.dtype == b.dtype
                a, b = a.toarray(), b.toarray()
            np.testing.assert_array_equal(a, b)
            assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
    if hasattr(one, "predict"):
        np.testing.assert_array_equal(one.classes_, other.classes_)
        np.testing.assert_array_equal(one.predict(QUERIES), other.predict(QUERIES))
        chances = one.predict_proba(QUERIES), other.predict_proba(QUERIES)
        np.testing.assert_array_equal(*chances)
    if hasattr(one, "transform"):
        assert (one.transform(QUERIES) != other.transform(QUERIES)).nnz == 0
    assert repr(one) == repr(other)
    assert repr(clone(one)) == repr(clone(other))


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_ids(again, ids):
    model = HammingNeighbors(3).fit(CODES, ids=ids)
    loaded = again(model)
    same(loaded, model)
    for each in (loaded, model):
        each.remove([each.ids_[5] if ids is not None else 5])
    same(loaded, model)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("kind", KINDS[:2])
def test_labels(again, kind, labels):
    model = kind(n_neighbors=3).fit(CODES, labels)
    loaded = again(model)
    same(loaded, model)
    score = [each.score(QUERIES, labels[:7]) for each in (loaded, model)]
    assert score[0] == score[1]
    for each in (loaded, model):
        each.remove([0, 4]).add(QUERIES, labels[:7])
    same(loaded, model)
    same(again(loaded), model)


def test_a_class_without_codes_stays(again):
    labels = np.arange(90) % 4
    model = HammingNeighborsClassifier(weights="distance").fit(CODES, labels)
    model.remove(labels == 2)
    loaded = again(model)
    assert list(loaded.classes_) == [0, 1, 2, 3]
    same(loaded, model)


@pytest.mark.parametrize("algorithm", ["auto", *ALGORITHMS])
def test_ways_to_search(again, algorithm):
    codes = RNG.integers(0, 4, size=(3000, 2), dtype=np.uint8)
    model = HammingNeighbors(3, algorithm=algorithm).fit(codes)
    loaded = again(model)
    assert loaded.info()["algorithm"] == model.info()["algorithm"]
    np.testing.assert_array_equal(
        loaded.kneighbors(codes[:50])[1], model.kneighbors(codes[:50])[1]
    )
    np.testing.assert_array_equal(
        loaded.radius_neighbors_graph(codes[:50]).indices,
        model.radius_neighbors_graph(codes[:50]).indices,
    )
    for each in (loaded, model):  # a few codes beside an index
        each.add(codes[:9])
    joined = again(model)
    assert joined.info()["algorithm"] == model.info()["algorithm"]
    np.testing.assert_array_equal(
        joined.kneighbors(codes[:50])[1], loaded.kneighbors(codes[:50])[1]
    )


@pytest.mark.parametrize("added", [0, 9])
def test_an_index_that_builds_slowly_is_not_built_again(again, monkeypatch, added):
    centers = RNG.integers(0, 256, size=(12, 9), dtype=np.uint8)
    codes = centers[np.arange(4000) % 12] ^ (RNG.random((4000, 9)) < 0.3)
    model = HammingNeighbors(3, algorithm="pivot").fit(codes)
    if added:
        model.add(codes[:added] ^ 1)
    monkeypatch.setattr(pivots, "choose_pivots", None)
    loaded = again(model)
    assert loaded.info()["algorithm"] == "pivot"
    for ask in ("kneighbors", "radius_neighbors"):
        for a, b in zip(getattr(loaded, ask)(), getattr(model, ask)(), strict=True):
            assert all(map(np.array_equal, a, b))
    monkeypatch.undo()
    assert loaded.remove([5]).n_samples_fit_ == 3999 + added


TABLES = {
    "a row beyond": lambda t: t["rows"].__setitem__(3, 4000),
    "a row below": lambda t: t["rows"].__setitem__(3, -1),
    "an offset that falls": lambda t: t["offsets"].__setitem__(9, 4001),
    "another end": lambda t: t["offsets"].__setitem__(-1, 3999),
    "fewer rows": lambda t: t.update(rows=t["rows"][1:]),
    "other integers": lambda t: t.update(rows=t["rows"].astype(np.int32)),
    "fewer pivots": lambda t: t.update(pivots=t["pivots"][1:]),
    "wider pivots": lambda t: t.update(pivots=np.repeat(t["pivots"], 2, axis=1)),
}


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_tables_that_point_beyond_the_codes_are_refused(change):
    codes = RNG.integers(0, 256, size=(4000, 8), dtype=np.uint8)
    tables = {k: v.copy() for k, v in pivots.PivotIndex(codes)._tables.items()}
    pivots.PivotIndex._with_tables(codes, tables)
    change(tables)
    with pytest.raises(ValueError, match=r"no tables of 4000 codes|must"):
        pivots.PivotIndex._with_tables(codes, tables)


@pytest.mark.parametrize("kind", KINDS)
def test_bits_names_and_empty_databases(again, kind):
    pd = pytest.importorskip("pandas")
    bits = np.unpackbits(CODES, axis=1).astype(bool)
    frame = pd.DataFrame(bits, columns=[f"bit{i}" for i in range(24)])
    model = kind(n_neighbors=3).fit(frame, np.arange(90) % 2)
    loaded = again(model)
    assert list(loaded.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(
        loaded.kneighbors(frame[:5])[1], model.kneighbors(frame[:5])[1]
    )
    with pytest.raises(ValueError, match="feature names"):
        loaded.kneighbors(frame[:5].rename(columns={"bit0": "other"}))
    empty = again(kind().fit(np.empty((0, 3), np.uint8), np.empty(0)))
    assert empty.n_samples_fit_ == 0
    assert empty.add(CODES, np.arange(90) % 2).n_samples_fit_ == 90
    assert not hasattr(again(kind()), "codes_")


@pytest.mark.slow
def test_large_databases_are_mapped_and_can_change(tmp_path):
    n = (1 << 21) + 100
    codes = np.arange(8 * n, dtype=np.uint64).astype(np.uint8).reshape(n, 8)
    codes[:, 0] = RNG.integers(0, 256, n)
    labels = np.arange(n) % 3
    model = HammingNeighborsClassifier(n_neighbors=3, n_jobs=1)
    model.fit(codes, labels, ids=np.arange(n) + 5)
    save(model, tmp_path / "a")
    loaded = load(tmp_path / "a", verify=True)
    assert isinstance(loaded.codes_, np.memmap)
    assert isinstance(loaded.ids_, np.memmap)
    for ask in ("kneighbors", "predict"):
        answers = [getattr(each, ask)(codes[:2]) for each in (loaded, model)]
        np.testing.assert_array_equal(*answers)
    loaded.add(codes[:1], [0], ids=[1]).remove([7])
    assert loaded.n_samples_fit_ == n
    save(loaded, tmp_path / "a")  # onto the file that is mapped
    np.testing.assert_array_equal(load(tmp_path / "a").codes_, loaded.codes_)


def test_weights_by_a_function_are_refused(tmp_path):
    model = HammingNeighborsClassifier(weights=np.reciprocal).fit(CODES, CODES[:, 0])
    with pytest.raises(TypeError, match="weights is a function"):
        save(model, tmp_path / "a")


def test_ids_of_other_kinds_are_refused(tmp_path):
    model = HammingNeighbors().fit(CODES, ids=[Fraction(1, i + 3) for i in range(90)])
    with pytest.raises(TypeError, match=r"state\.ids is an array of objects"):
        save(model, tmp_path / "a")
