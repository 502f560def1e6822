"""The public functions: agreement of engines, invariances, inputs, errors."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

from skhash import hamming
from skhash.hamming.engine.choose import forced_engine
from tests.hamming.brute import draw_codes, searches

RNG = np.random.default_rng(0)
DATABASE = draw_codes(RNG, 200, 24, 0.2)
QUERIES = draw_codes(RNG, 30, 24, 0.2)

CALLS = {
    "distances": lambda q, d: (hamming.distances(q, d),),
    "nearest": lambda q, d: hamming.nearest(q, d, 7),
    "within": lambda q, d: hamming.within(q, d, 6),
    "histograms": lambda q, d: (hamming.histograms(q, d),),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_numpy_engine_gives_the_same(call):
    found = call(QUERIES, DATABASE)
    with forced_engine("numpy"):
        expected = call(QUERIES, DATABASE)
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "kind", ["read-only", "memmap", "list", "fortran", "unaligned"]
)
def test_inputs_of_every_kind_give_the_same(call, kind, tmp_path):
    given = DATABASE.copy()
    if kind == "read-only":
        given.flags.writeable = False
    elif kind == "memmap":
        np.save(tmp_path / "codes.npy", DATABASE)
        given = np.load(tmp_path / "codes.npy", mmap_mode="r")
    elif kind == "list":
        given = DATABASE.tolist()
    elif kind == "fortran":
        given = np.asfortranarray(DATABASE)
    else:
        raw = np.empty(DATABASE.size + 1, np.uint8)
        given = raw[1:].reshape(DATABASE.shape)
        given[:] = DATABASE
    for left, right in zip(call(QUERIES, given), call(QUERIES, DATABASE), strict=True):
        np.testing.assert_array_equal(left, right)


@settings(deadline=None, max_examples=30)
@given(searches(max_items=60))
def test_flipping_bits_of_both_sides_changes_nothing(search):
    queries, database, rng = search
    flips = rng.integers(0, 256, database.shape[1], dtype=np.uint8)
    before = hamming.within(queries, database, 5)
    after = hamming.within(queries ^ flips, database ^ flips, 5)
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)


@settings(deadline=None, max_examples=30)
@given(searches(max_items=60))
def test_permuting_bits_of_both_sides_changes_nothing(search):
    queries, database, rng = search
    n_bits = 8 * database.shape[1]
    order = rng.permutation(n_bits)
    permuted = [
        hamming.pack(hamming.unpack(codes, n_bits)[:, order])
        for codes in (queries, database)
    ]
    np.testing.assert_array_equal(
        hamming.distances(queries, database), hamming.distances(*permuted)
    )


@settings(deadline=None, max_examples=30)
@given(searches(max_items=60))
def test_histograms_add_up_over_parts_of_the_database(search):
    queries, database, rng = search
    cut = rng.integers(0, len(database) + 1)
    labels = rng.integers(0, 3, len(queries)), rng.integers(0, 3, len(database))
    whole = hamming.histograms(queries, database, *labels)
    head = hamming.histograms(queries, database[:cut], labels[0], labels[1][:cut])
    tail = hamming.histograms(queries, database[cut:], labels[0], labels[1][cut:])
    for total, left, right in zip(whole, head, tail, strict=True):
        np.testing.assert_array_equal(total, left + right)


@pytest.mark.parametrize(
    ("query_labels", "database_labels"),
    [
        (["a", "b", "a"], ["b", "a", "a", "c"]),
        ([0.5, 1.5, 0.5], [1.5, 0.5, 0.5, 9.0]),
        (np.array(["a", None, "a"], str), ["None", "a", "a", "c"]),
        ([[1, 0], [0, 1], [1, 0]], [[0, 1], [1, 0], [1, 0], [0, 0]]),
        ([[0], [1], [0]], [[1], [0], [0], [2]]),
    ],
)
def test_labels_of_every_kind_mean_the_same(query_labels, database_labels):
    queries, database = DATABASE[:3], DATABASE[10:14]
    _, relevant = hamming.histograms(queries, database, query_labels, database_labels)
    expected = hamming.histograms(queries, database, [0, 1, 0], [1, 0, 0, 2])[1]
    np.testing.assert_array_equal(relevant, expected)
    assert relevant.sum() == 5


def test_sparse_labels_are_multi_hot():
    from scipy.sparse import csr_array

    labels = np.random.default_rng(0).random((30, 5)) < 0.3
    dense = hamming.histograms(QUERIES, QUERIES, labels, labels)
    sparse = hamming.histograms(QUERIES, QUERIES, csr_array(labels), csr_array(labels))
    np.testing.assert_array_equal(dense, sparse)


def test_exclude_self_leaves_out_the_item_itself():
    for labels in (
        np.arange(30) % 4,
        np.eye(5, dtype=int)[np.arange(30) % 5] * [1] * 1,
    ):
        n_total, n_relevant = hamming.histograms(
            QUERIES, QUERIES, labels, labels, exclude_self=True
        )
        for i in range(30):
            others = np.arange(30) != i
            left = hamming.histograms(
                QUERIES[i : i + 1], QUERIES[others], labels[i : i + 1], labels[others]
            )
            np.testing.assert_array_equal(left[0][0], n_total[i])
            np.testing.assert_array_equal(left[1][0], n_relevant[i])


def test_exclude_self_takes_nothing_from_an_item_without_a_class():
    labels = np.zeros((30, 2), bool)
    _, n_relevant = hamming.histograms(
        QUERIES, QUERIES, labels, labels, exclude_self=True
    )
    assert (n_relevant == 0).all()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("queries", "database", "message"),
    [
        (QUERIES[:, :2], DATABASE, "queries must be 3 bytes wide"),
        (QUERIES[0], DATABASE, "Expected 2D array as queries"),
        (QUERIES, DATABASE[:, :0], "0 feature"),
        (QUERIES, DATABASE - 0.5, "database"),
        (-1 * QUERIES.astype(int), DATABASE, "Negative values"),
    ],
)
def test_codes_that_do_not_fit_are_refused(call, queries, database, message):
    with pytest.raises(ValueError, match=message):
        call(queries, database)


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (201, ValueError, "Expected k <= n_samples_fit, but k = 201"),
        (0, ValueError, "Expected k > 0"),
        (-3, ValueError, "Expected k > 0"),
        (1.0, TypeError, "enter integer value"),
        (True, TypeError, "enter integer value"),
    ],
)
def test_k_that_cannot_be_is_refused(k, error, message):
    with pytest.raises(error, match=message):
        hamming.nearest(QUERIES, DATABASE, k)


@pytest.mark.parametrize(
    ("radius", "error"),
    [(-1, ValueError), (1.5, ValueError), (np.nan, ValueError), ("1", TypeError)],
)
def test_radius_that_cannot_be_is_refused(radius, error):
    with pytest.raises(error, match="radius must be"):
        hamming.within(QUERIES, DATABASE, radius)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((np.arange(30), None), "both query_labels and database_labels"),
        ((np.arange(29), np.arange(200)), "inconsistent numbers of samples"),
        ((np.arange(30), np.zeros((200, 3))), "both vectors, or multi-hot"),
        ((np.zeros((30, 2)), np.zeros((200, 3))), "equal width"),
        ((np.zeros((30, 2, 2)), np.arange(200)), "must be of shape"),
        ((["a"] * 30, np.arange(200)), "mix strings and numbers"),
        (([["a", "b"]] * 30, [["a", "b"]] * 200), "must be 0/1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        hamming.histograms(QUERIES, DATABASE, *labels)


def test_exclude_self_needs_queries_to_be_the_database():
    with pytest.raises(ValueError, match="exclude_self"):
        hamming.histograms(QUERIES, DATABASE, exclude_self=True)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_queries_give_empty_answers(call):
    for answer in call(QUERIES[:0], DATABASE):
        assert answer.size <= 1


def test_empty_database_has_no_neighbours():
    empty = DATABASE[:0]
    assert hamming.distances(QUERIES, empty).shape == (30, 0)
    assert hamming.within(QUERIES, empty, 24)[0].tolist() == [0] * 31
    assert hamming.histograms(QUERIES, empty).sum() == 0
    with pytest.raises(ValueError, match="n_samples_fit = 0"):
        hamming.nearest(QUERIES, empty, 1)


SCRIPT = """
import sys
import numpy as np
from skhash import hamming
codes = np.arange(40, dtype=np.uint8).reshape(8, 5)
print(hamming.nearest(codes, codes, 3)[1].tolist())
print("skhash.hamming.engine.compiled" in sys.modules, "torch" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "compiled"),
    [
        ({}, True),
        ({"SKHASH_ENGINE": "numpy"}, False),
        ({"NUMBA_DISABLE_JIT": "1"}, False),
    ],
    ids=["default", "SKHASH_ENGINE", "NUMBA_DISABLE_JIT"],
)
def test_environment_chooses_the_engine(variables, compiled, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    codes = np.arange(40, dtype=np.uint8).reshape(8, 5)
    assert answer[0] == str(hamming.nearest(codes, codes, 3)[1].tolist())
    assert answer[1] == f"{compiled} False"


def test_unknown_engine_is_refused(monkeypatch):
    monkeypatch.setenv("SKHASH_ENGINE", "fortran")
    with pytest.raises(ValueError, match="SKHASH_ENGINE"):
        hamming.distances(QUERIES, DATABASE)


@pytest.mark.parametrize("n_bits", [8, 64, 128, 256, 200])
def test_faiss_finds_the_same(n_bits):
    faiss = pytest.importorskip("faiss")
    rng = np.random.default_rng(n_bits)
    codes = np.packbits(rng.random((2000, n_bits)) < 0.5, axis=1)
    queries, database = codes[:50], codes[50:]
    index = faiss.IndexBinaryFlat(n_bits)
    index.add(database)
    expected, _ = index.search(queries, 20)
    distances, indices = hamming.nearest(queries, database, 20)
    np.testing.assert_array_equal(distances, expected)
    # faiss orders equal distances in its own way: compare all within a radius.
    radius = int(expected[:, -1].max())
    limits, _, rows = index.range_search(queries, radius + 1)
    indptr, _, found = hamming.within(queries, database, radius)
    np.testing.assert_array_equal(indptr, limits)
    for q in range(50):
        mine, theirs = (part[indptr[q] : indptr[q + 1]] for part in (found, rows))
        assert set(mine) == set(theirs)
        assert set(indices[q]) <= set(theirs)


OTHER_PROCESSOR = """
import numpy as np
from skhash import hamming
rng = np.random.default_rng(0)
for n_bytes in (8, 24):
    database = rng.integers(0, 256, (3000, n_bytes), dtype=np.uint8)
    for queries in (database[:1], database[:40]):
        matrix = np.bitwise_count(queries[:, None] ^ database).sum(axis=2)
        expected = np.argsort(matrix, axis=1, kind="stable")[:, :7]
        assert np.array_equal(hamming.nearest(queries, database, 7)[1], expected)
from skhash.hamming.scan.nearest import nearest_by_scan
code = "".join(nearest_by_scan.inspect_asm().values())
from skhash.hamming.engine.choose import compiled
print(compiled(), "ymm" in code, "zmm" in code)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="another kind of processor"
)
def test_kernels_work_without_avx512(tmp_path):
    # The name of a processor alone would keep the features of this one. What comes from
    # a cache has no listing.
    haswell = {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+popcnt",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESSOR],
        env={**os.environ, **haswell},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True True False\n"


def test_distances_do_not_wrap_in_the_next_line():
    found = hamming.distances(QUERIES, DATABASE)
    assert found.dtype == np.int32
    n_bits = 8 * DATABASE.shape[1]
    assert (-found <= 0).all()
    similarity = n_bits - 2 * found
    first, second = (hamming.unpack(side, n_bits) for side in (QUERIES, DATABASE))
    signs = np.where(first, 1, -1), np.where(second, 1, -1)
    np.testing.assert_array_equal(similarity, signs[0] @ signs[1].T)
