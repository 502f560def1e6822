"""The database in shards against the one in this process: equal to the last bit."""

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.distributed import HammingNeighbors
from skhash.neighbors import HammingNeighbors as Local

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@st.composite
def tasks(draw):
    """Codes of few distinct values, chunk sizes, ids of some kind or none."""
    n_bytes = draw(st.sampled_from([1, 3]))
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=6).filter(sum))
    seed, top = draw(st.integers(0, 999)), draw(st.sampled_from([1, 4, 256]))
    rng = np.random.default_rng(seed)
    codes = rng.integers(top, size=(sum(sizes), n_bytes)).astype(np.uint8)
    queries = rng.integers(top, size=(3, n_bytes)).astype(np.uint8)
    rows = rng.permutation(len(codes))
    kind = draw(st.sampled_from(["none", "ints", "strings", "objects"]))
    ids = {
        "none": None,
        "ints": rows * 7 - 5,
        "strings": np.array([f"code {row}" for row in rows]),
        "objects": np.array([f"{10**row}" for row in rows], dtype=object),
    }[kind]
    return codes, tuple(sizes), queries, ids


def both(codes, sizes, ids=None, y=None, **options):
    """The local database and the one in shards."""
    local = Local(**options).fit(codes, y, ids)
    chunks = da.from_array(codes, chunks=(sizes, -1))
    return local, HammingNeighbors(**options).fit(chunks, y, ids)


def same(found, wanted):
    """Equal values and dtypes, in tuples and arrays of arrays as well."""
    if isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
        return
    if hasattr(found, "compute"):
        found = found.compute()
    if hasattr(wanted, "toarray"):
        assert (found != wanted).nnz == 0
        np.testing.assert_array_equal(found.indptr, wanted.indptr)
        np.testing.assert_array_equal(found.indices, wanted.indices)
        return
    assert found.shape == wanted.shape
    if wanted.dtype == object and wanted.size and isinstance(wanted[0], np.ndarray):
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
        return
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.slow
@settings(max_examples=12)
@given(tasks(), st.integers(1, 40), st.integers(0, 5))
def test_answers_are_those_of_one_database(task, k, radius):
    codes, sizes, queries, ids = task
    local, shards = both(codes, sizes, ids)
    k = min(k, len(codes))
    same(shards.kneighbors(queries, k), local.kneighbors(queries, k))
    same(
        shards.radius_neighbors(queries, radius),
        local.radius_neighbors(queries, radius),
    )
    same(
        shards.count_neighbors(queries, radius), local.count_neighbors(queries, radius)
    )
    if k > 1:
        same(shards.kneighbors(None, k - 1), local.kneighbors(None, k - 1))
    same(shards.radius_neighbors(radius=radius), local.radius_neighbors(radius=radius))


@pytest.mark.slow
@settings(max_examples=12)
@given(tasks(), st.data())
def test_changes_are_those_of_one_database(task, data):
    codes, sizes, queries, ids = task
    local, shards = both(codes, sizes, ids)
    for _ in range(3):
        n = local.n_samples_fit_
        names = np.arange(n) if ids is None else local.ids_
        if data.draw(st.booleans()) and n > 1:
            rows = data.draw(
                st.lists(st.integers(0, n - 1), max_size=n - 1, unique=True)
            )
            gone = list(names[rows])
            local.remove(gone)
            shards.remove(gone)
        else:
            more = codes[: data.draw(st.integers(1, 4))]
            new = None
            if ids is not None:
                rows = (
                    1000 + data.draw(st.integers(0, 10**6)) * 10 + np.arange(len(more))
                )
                new = rows if ids.dtype.kind == "i" else rows.astype(str)
                new = new.astype(object) if ids.dtype == object else new
            if new is not None and set(new.tolist()) & set(local.ids_.tolist()):
                continue
            local.add(more, ids=new)
            shards.add(
                da.from_array(more) if data.draw(st.booleans()) else more, ids=new
            )
        k = min(4, local.n_samples_fit_)
        same(shards.kneighbors(queries, k), local.kneighbors(queries, k))
        same(shards.codes_, local.codes_)
        if ids is not None:
            same(shards.ids_, local.ids_)


@pytest.mark.slow
@settings(max_examples=12)
@given(tasks(), st.data())
def test_filter_by_mask_and_by_ids(task, data):
    codes, sizes, queries, ids = task
    local, shards = both(codes, sizes, ids)
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(codes), max_size=len(codes)))
    )
    names = np.flatnonzero(mask) if ids is None else ids[mask]
    for asked in (mask, da.from_array(mask), list(names)):
        given_locally = mask if hasattr(asked, "compute") else asked
        same(
            shards.radius_neighbors(queries, 3, filter=asked),
            local.radius_neighbors(queries, 3, filter=given_locally),
        )
        if mask.sum():
            same(
                shards.kneighbors(queries, int(mask.sum()), filter=asked),
                local.kneighbors(queries, int(mask.sum()), filter=given_locally),
            )
            same(shards.codes_of(asked), local.codes_of(given_locally))


def test_dask_queries_give_dask_answers_of_the_same_values():
    codes = RNG.integers(256, size=(200, 4)).astype(np.uint8)
    local, shards = both(codes, (90, 1, 109))
    queries = da.from_array(codes[:50], chunks=(20, 2))
    assert isinstance(shards.kneighbors(queries)[0], da.Array)
    same(shards.kneighbors(queries), local.kneighbors(codes[:50]))
    same(shards.radius_neighbors(queries, 9), local.radius_neighbors(codes[:50], 9))
    same(shards.count_neighbors(queries, 9), local.count_neighbors(codes[:50], 9))
    unknown = queries[queries[:, 0] < 128]
    same(shards.kneighbors(unknown), local.kneighbors(unknown.compute()))


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graphs_are_those_of_one_database(mode):
    codes = RNG.integers(256, size=(60, 2)).astype(np.uint8)
    local, shards = both(codes, (20, 40))
    queries = da.from_array(codes[:30], chunks=(20, 2))
    for asked, given_locally in ((codes[:30], codes[:30]), (None, None)):
        same(
            shards.kneighbors_graph(asked, mode=mode),
            local.kneighbors_graph(given_locally, mode=mode),
        )
        same(
            shards.radius_neighbors_graph(asked, 3, mode=mode),
            local.radius_neighbors_graph(given_locally, 3, mode=mode),
        )
    same(
        shards.kneighbors_graph(queries, mode=mode),
        local.kneighbors_graph(codes[:30], mode=mode),
    )


def test_many_queries_are_asked_in_pieces(monkeypatch):
    monkeypatch.setattr("skhash.distributed._queries.TOGETHER", 7)
    codes = RNG.integers(256, size=(90, 3)).astype(np.uint8)
    local, shards = both(codes, (30, 60))
    same(shards.kneighbors(codes), local.kneighbors(codes))
    same(shards.kneighbors_graph(codes), local.kneighbors_graph(codes))


def test_bits_are_codes_as_well():
    bits = RNG.random((50, 11)) < 0.5
    local = Local().fit(bits)
    shards = HammingNeighbors().fit(da.from_array(bits, chunks=(20, 4)))
    same(shards.kneighbors(bits[:9]), local.kneighbors(bits[:9]))
    same(shards.kneighbors(da.from_array(bits[:9])), local.kneighbors(bits[:9]))
    same(shards.add(bits[:4]).codes_, local.add(bits[:4]).codes_)
    with pytest.raises(ValueError, match="expecting 11 features"):
        shards.kneighbors(local.codes_)


def test_unknown_chunk_sizes_name_what_to_call():
    codes = da.from_array(RNG.integers(256, size=(50, 2)).astype(np.uint8), chunks=25)
    with pytest.raises(ValueError, match=r"X\.compute_chunk_sizes\(\)"):
        HammingNeighbors().fit(codes[codes[:, 0] > 3])


@pytest.mark.parametrize(
    ("ids", "twice"),
    [([0, 1, 2, 1], "1"), (list("aaxb"), "'a'"), ([0, 1, 2.5, 0], "0")],
)
def test_ids_are_unique_over_all_shards(ids, twice):
    codes = da.zeros((4, 1), chunks=2, dtype=np.uint8)
    ids = np.array(ids)
    with pytest.raises(ValueError, match=r"Ids must be unique, .* is not"):
        HammingNeighbors().fit(codes, ids=ids)
    with pytest.raises(ValueError, match=f"Ids must be unique, {twice}"):
        HammingNeighbors().fit(codes.rechunk(1), ids=da.from_array(ids, chunks=1))


def test_an_id_that_is_there_is_not_added():
    codes = np.zeros((4, 1), np.uint8)
    shards = HammingNeighbors().fit(da.from_array(codes, chunks=2), ids=[1, 2, 3, 4])
    for more in (codes[:1], da.from_array(codes[:1])):
        with pytest.raises(ValueError, match="Ids must be unique, 2 is not"):
            shards.add(more, ids=[2])
        with pytest.raises(ValueError, match="The database has ids: give some"):
            shards.add(more)
    with pytest.raises(ValueError, match="No code has the id 9"):
        shards.remove([1, 9])
    assert shards.n_samples_fit_ == 4


def test_small_additions_make_few_shards():
    codes = RNG.integers(256, size=(40, 2)).astype(np.uint8)
    local, shards = both(codes[:10], (5, 5))
    for row in range(10, 40):
        local.add(codes[row : row + 1])
        shards.add(codes[row : row + 1])
    assert len(shards.info()["shards"]) == 8
    same(shards.kneighbors(codes), local.kneighbors(codes))


def test_a_database_may_begin_empty():
    codes = RNG.integers(256, size=(10, 2)).astype(np.uint8)
    local, shards = both(codes[:0], (0,))
    same(shards.count_neighbors(codes), local.count_neighbors(codes))
    for neighbors in (local, shards):
        neighbors.add(codes, y=np.arange(10), ids=np.arange(10) + 5)
        neighbors.remove(np.arange(8) + 5)
    same(shards.kneighbors(codes, 2), local.kneighbors(codes, 2))
    same(shards.labels_, local.labels_)


@pytest.mark.parametrize("algorithm", ["brute", "grouped", "multi_index", "pivot"])
def test_each_way_to_search(algorithm):
    codes = RNG.integers(4, size=(500, 8)).astype(np.uint8)
    local, shards = both(codes, (300, 200), algorithm=algorithm)
    same(shards.kneighbors(codes[:20]), local.kneighbors(codes[:20]))
    assert {each["algorithm"] for each in shards.info()["shards"]} == {algorithm}


def test_same_errors_as_locally():
    codes = RNG.integers(256, size=(10, 2)).astype(np.uint8)
    local, shards = both(codes, (5, 5))
    for call in (
        lambda each: each.kneighbors(codes, 11),
        lambda each: each.kneighbors(codes, 0),
        lambda each: each.kneighbors(codes, 2, filter=[1]),
        lambda each: each.kneighbors(None, filter=[1]),
        lambda each: each.kneighbors(filter=[99]),
        lambda each: each.kneighbors(codes, filter=[99]),
        lambda each: each.radius_neighbors(codes, -1),
        lambda each: each.kneighbors_graph(codes, mode="no"),
        lambda each: each.kneighbors(codes[:, :1]),
        lambda each: each.remove(np.ones(3, bool)),
        lambda each: each.score(codes, np.arange(10)),
    ):
        with pytest.raises(ValueError) as wanted:  # noqa: PT011
            call(local)
        with pytest.raises(ValueError) as found:  # noqa: PT011
            call(shards)
        assert str(found.value) == str(wanted.value)


def test_arrays_and_wrong_widths_are_refused():
    codes = RNG.integers(256, size=(10, 2)).astype(np.uint8)
    with pytest.raises(TypeError, match="X must be a dask array, got ndarray"):
        HammingNeighbors().fit(codes)
    _, shards = both(codes, (5, 5))
    with pytest.raises(ValueError, match="expecting 2 features"):
        shards.kneighbors(da.from_array(codes[:, :1]))
    with pytest.raises(ValueError, match="y has 9 values for 10 codes"):
        HammingNeighbors().fit(da.from_array(codes, chunks=5), np.arange(9))
    with pytest.raises(TypeError, match="go into no pickle"):
        __import__("pickle").dumps(shards)


def test_verbose_says_what_lies_where(capsys):
    codes = da.zeros((10, 8), chunks=(5, -1), dtype=np.uint8)
    HammingNeighbors(verbose=1).fit(codes)
    assert capsys.readouterr().out.startswith("this process: 2 shards, 10 codes")
