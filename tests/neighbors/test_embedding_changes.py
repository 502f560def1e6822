"""EmbeddingNeighbors that changes: ids, additions, removals, filters."""

import numpy as np
import pytest

from skhash import EmbeddingNeighbors
from skhash.baselines import ITQ
from tests.neighbors.vectors import DATABASE, LABELS, QUERIES, SURE

KINDS = ["keep", "float16", "int8"]


def answers(neighbors, **options):
    return neighbors.kneighbors(QUERIES, **options)


def assert_same(left, right):
    for mine, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("vectors", KINDS)
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "inner_product"])
def test_additions_answer_as_one_fit_of_the_same_encoder(vectors, metric):
    make = EmbeddingNeighbors(metric=metric, vectors=vectors, epsilon=SURE)
    first = make.fit(DATABASE[:300])
    for rows in (DATABASE[300:301], DATABASE[301:450], DATABASE[450:]):
        first.add(rows)
    assert first.n_samples_fit_ == 600
    np.testing.assert_array_equal(first.codes_, first.encode(DATABASE))
    found, indices = answers(first)
    kept = first._database.vectors.rows(np.arange(600))
    whole = EmbeddingNeighbors(metric=metric, epsilon=SURE).fit(kept)
    expected = answers(whole)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_allclose(found, expected[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("vectors", [*KINDS, None])
def test_removal_leaves_the_others_as_they_were(vectors):
    mine = EmbeddingNeighbors(vectors=vectors, epsilon=SURE).fit(DATABASE)
    mine.add(DATABASE[:5])
    expected = answers(mine, filter=np.arange(605) >= 100)
    mine.remove(range(100))
    found, indices = answers(mine)
    assert_same((found, indices + 100), expected)
    assert mine.n_samples_fit_ == 505


def test_all_can_go_and_others_come():
    mine = EmbeddingNeighbors(n_neighbors=1).fit(DATABASE)
    mine.remove(np.ones(600, bool))
    with pytest.raises(ValueError, match="n_samples_fit = 0"):
        mine.kneighbors(QUERIES)
    mine.add(QUERIES)
    assert mine.kneighbors(QUERIES)[1].ravel().tolist() == list(range(100))


def test_ids_name_vectors():
    names = np.array([f"v{i}" for i in range(600)])
    mine = EmbeddingNeighbors(epsilon=SURE).fit(DATABASE, ids=names)
    plain = EmbeddingNeighbors(epsilon=SURE).fit(DATABASE)
    np.testing.assert_array_equal(answers(mine)[1], names[answers(plain)[1]])
    mine.remove(["v3"]).add(DATABASE[3:4], ids=["again"])
    assert mine.kneighbors(DATABASE[3:4], 1)[1] == [["again"]]
    np.testing.assert_array_equal(mine.codes_of(["v0"]), plain.codes_[:1])
    with pytest.raises(ValueError, match="give some for added codes"):
        mine.add(DATABASE[:1])


@pytest.mark.parametrize("vectors", [*KINDS, None])
def test_filters_search_a_part(vectors):
    mask = np.arange(600) % 3 == 0
    mine = EmbeddingNeighbors(vectors=vectors, epsilon=SURE).fit(DATABASE)
    part = EmbeddingNeighbors(vectors=vectors, epsilon=SURE).fit(DATABASE)
    part.remove(~mask)
    rows = np.flatnonzero(mask)
    found, indices = answers(part)
    assert_same(answers(mine, filter=mask), (found, rows[indices]))
    assert_same(answers(mine, filter=set(rows.tolist())), (found, rows[indices]))
    within = mine.radius_neighbors(QUERIES, 15.0, filter=mask)[1]
    expected = part.radius_neighbors(QUERIES, 15.0)[1]
    for left, right in zip(within, expected, strict=True):
        np.testing.assert_array_equal(left, rows[right])


def test_labels_are_added_with_vectors():
    mine = EmbeddingNeighbors().fit(DATABASE[:300], LABELS[:300])
    mine.add(DATABASE[300:], LABELS[300:])
    np.testing.assert_array_equal(mine.labels_, LABELS)
    with pytest.raises(ValueError, match="The database has labels"):
        mine.add(DATABASE)


def test_adding_to_an_unfitted_one_fits():
    mine = EmbeddingNeighbors(ITQ(8, random_state=0)).add(DATABASE)
    assert mine.n_samples_fit_ == 600


def test_added_vectors_take_the_dtype_of_the_first():
    mine = EmbeddingNeighbors().fit(DATABASE.astype(np.float32))
    mine.add(DATABASE)
    stored = mine._database.vectors.stored
    assert stored.base.dtype == stored.more.dtype == np.float32
    whole = EmbeddingNeighbors().fit((10 * DATABASE).astype(np.int8))
    whole.add(DATABASE + 0.5)
    rows = whole._database.vectors.rows(np.array([0, 600]))
    np.testing.assert_array_equal(rows[0], (10 * DATABASE[0]).astype(np.int8))
    np.testing.assert_allclose(rows[1], DATABASE[0] + 0.5)


def test_vectors_that_do_not_fit_leave_the_database_as_it_was():
    half = EmbeddingNeighbors().fit(DATABASE.astype(np.float16))
    before = answers(half)
    with pytest.raises(ValueError, match="scale X down"):
        half.add(DATABASE * 1e6)
    whole = EmbeddingNeighbors().fit(DATABASE)
    with pytest.raises(ValueError, match="too large beside those of the fit"):
        whole.add(DATABASE * 1e22)
    assert_same(answers(half), before)
    assert whole.n_samples_fit_ == half.n_samples_fit_ == 600


def test_a_snapshot_does_not_see_what_is_added_to_a_copy(rng):
    from copy import copy

    mine = EmbeddingNeighbors(n_neighbors=1).fit(DATABASE[:300]).add(DATABASE[300:301])
    other = copy(mine)
    mine.add(DATABASE[400:401])
    other.add(DATABASE[500:501])
    assert mine.kneighbors(DATABASE[400:401])[0] == 0
    assert other.kneighbors(DATABASE[500:501])[0] == 0
    assert mine.kneighbors(DATABASE[500:501])[0] > 0
