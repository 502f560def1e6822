"""Ids and masks: any kind in any container, against a search by loops."""

import datetime
import uuid
from numbers import Integral, Real

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.neighbors import HammingNeighbors
from tests.hamming.brute import distance_matrix, ranked

few = settings(deadline=None, max_examples=20)
INT64, UINT64 = np.iinfo(np.int64), np.iinfo(np.uint64)

# Kinds of ids: values, and the containers that hold them without a change.
TEXT = st.text(st.characters(codec="utf-8"), max_size=4)
DAYS = st.integers(0, 10**5)
KINDS = {
    "int64": (
        st.integers(INT64.min, INT64.max),
        {
            "int64": lambda ids: np.array(ids, np.int64),
            "Int64": lambda ids: pd.Series(ids, dtype="Int64"),
            "polars": lambda ids: pl.Series(ids, dtype=pl.Int64),
        },
    ),
    "uint64": (
        st.integers(2**63 - 3, UINT64.max),
        {
            "uint64": lambda ids: np.array(ids, np.uint64),
            # From a list, pandas makes floats of them first.
            "UInt64": lambda ids: pd.Series(np.array(ids, np.uint64), dtype="UInt64"),
            "polars": lambda ids: pl.Series(ids, dtype=pl.UInt64),
        },
    ),
    "crossing": (st.integers(2**63 - 20, 2**63 + 20), {}),
    "near 2**53": (
        st.integers(2**53 - 20, 2**53 + 20),
        {"uint64": lambda ids: np.array(ids, np.uint64)},
    ),
    "big": (st.integers(-(2**70), 2**70), {}),
    "floats": (
        st.floats(allow_nan=False, width=32).filter(bool),
        {
            "float32": lambda ids: np.array(ids, np.float32),
            "Float64": lambda ids: pd.Series(ids, dtype="Float64"),
        },
    ),
    "strings": (
        TEXT | TEXT.map(lambda text: text + "\0"),
        {
            "StringDType": lambda ids: np.array(ids, np.dtypes.StringDType()),
            "pandas": lambda ids: pd.Series(ids, dtype="string"),
            "polars": lambda ids: pl.Series(ids, dtype=pl.String),
        },
    ),
    "plain strings": (
        TEXT.filter(lambda text: not text.endswith("\0")),
        {"str": lambda ids: np.array(ids, dtype=str), "index": pd.Index},
    ),
    "bytes": (
        st.binary(max_size=3) | st.binary(max_size=3).map(lambda raw: raw + b"\0"),
        {"polars": lambda ids: pl.Series(ids, dtype=pl.Binary)},
    ),
    "uuids": (st.uuids(), {}),
    "datetime64": (
        DAYS.map(lambda day: np.datetime64(day, "D")),
        {
            "days": lambda ids: np.array(ids, "M8[D]"),
            "ns": lambda ids: np.array(ids, "M8[ns]"),
            "pandas": lambda ids: pd.Series(np.array(ids, "M8[ns]")),
        },
    ),
}


def object_array(ids):
    column = np.empty(len(ids), dtype=object)
    for i, value in enumerate(ids):
        column[i] = value
    return column


ANY = {
    "list": list,
    "tuple": tuple,
    "object": object_array,
    "column": lambda ids: object_array(ids)[:, None],
    "Series": lambda ids: pd.Series(object_array(ids), dtype=object),
    "generator": lambda ids: (value for value in ids),
    "keys": lambda ids: dict.fromkeys(ids).keys(),
}
TO_LOOK_UP = ANY | {"set": set, "frozenset": frozenset, "dict": dict.fromkeys}


@st.composite
def databases(draw, kind):
    """Codes, queries, and ids of a kind."""
    ids = draw(st.lists(KINDS[kind][0], min_size=4, max_size=30, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    codes = rng.integers(0, 4, (len(ids) + 3, 1), dtype=np.uint8)
    return codes[3:], codes[:3], ids


def contained(draw, kind, ids, containers):
    """The ids in some container that holds them as they are."""
    each = draw(st.sampled_from([*containers.values(), *KINDS[kind][1].values()]))
    return each(ids)


def kind_of(value):
    for kind in (np.timedelta64, bool | np.bool_, Integral, Real, str, bytes):
        if isinstance(value, kind):
            return kind
    return type(value)


def assert_ids(found, given):
    """Each equals the one given, and is of its kind."""
    found = list(found)
    assert len(found) == len(given)
    for one, other in zip(found, given, strict=True):
        assert one == other
        assert kind_of(one) == kind_of(other)
        # As numbers of one width, too large ones would be equal to their neighbours.
        if isinstance(other, int):
            assert int(one) == other


def expected_ids(queries, codes, ids, k):
    return [
        [ids[i] for i in ranked(row)[:k]] for row in distance_matrix(queries, codes)
    ]


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_searches_return_the_ids_that_were_given(kind, data):
    codes, queries, ids = data.draw(databases(kind))
    given = contained(data.draw, kind, ids, ANY)
    neighbors = HammingNeighbors(n_neighbors=3).fit(codes, ids=given)
    assert_ids(neighbors.ids_, ids)
    expected = expected_ids(queries, codes, ids, len(ids))
    for row, wanted in zip(neighbors.kneighbors(queries)[1], expected, strict=True):
        assert_ids(row, wanted[:3])
    rows = neighbors.radius_neighbors(queries, 8)[1]
    for row, wanted in zip(rows, expected, strict=True):
        assert_ids(row, wanted)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_ids_find_exactly_their_codes(kind, data):
    codes, queries, ids = data.draw(databases(kind))
    neighbors = HammingNeighbors().fit(codes, ids=contained(data.draw, kind, ids, ANY))
    chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    at = [i for i, value in enumerate(ids) if value in chosen]
    found = neighbors.kneighbors(
        queries, len(at), filter=contained(data.draw, kind, chosen, TO_LOOK_UP)
    )[1]
    expected = expected_ids(queries, codes[at], [ids[i] for i in at], len(at))
    for row, wanted in zip(found, expected, strict=True):
        assert_ids(row, wanted)
    neighbors.remove(contained(data.draw, kind, chosen, TO_LOOK_UP))
    rest = [i for i in range(len(ids)) if i not in at]
    assert_ids(neighbors.ids_, [ids[i] for i in rest])
    np.testing.assert_array_equal(neighbors.codes_, codes[rest])
    # Those that are gone are no more found.
    if rest:
        with pytest.raises(ValueError, match="No code has the id"):
            neighbors.remove(chosen)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_added_ids_are_kept_beside_the_others(kind, data):
    codes, _, ids = data.draw(databases(kind))
    cut = data.draw(st.integers(1, len(ids) - 1))
    first, second = (
        contained(data.draw, kind, part, ANY) for part in (ids[:cut], ids[cut:])
    )
    neighbors = HammingNeighbors().fit(codes[:cut], ids=first)
    neighbors.add(codes[cut:], ids=second)
    assert_ids(neighbors.ids_, ids)
    last = ids[-1]
    neighbors.remove([last])
    assert_ids(neighbors.ids_, ids[:-1])


@pytest.mark.parametrize(
    "dtypes", [("int64", "uint64"), ("uint8", "int8"), ("int32", "uint64")]
)
def test_signed_and_unsigned_ids_stay_integers(dtypes):
    codes = np.arange(4, dtype=np.uint8)[:, None]
    first, second = np.array([1, 2], dtypes[0]), np.array([3, 4], dtypes[1])
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes[:2], ids=first)
    found = neighbors.add(codes[2:], ids=second).kneighbors(codes)[1]
    assert found.dtype.kind in "iu"
    assert found.tolist() == [[1], [2], [3], [4]]


EXAMPLES = {
    "integers": [7, 2**63, -(2**70)],
    "floats": [0.5, 1.5, 2.5],
    "strings": ["a", "b", "7"],
    "bytes": [b"a", b"b", b"7"],
    "uuids": [uuid.UUID(int=i) for i in range(3)],
    "dates": list(np.array([7, 8, 9], "M8[s]")),
    "durations": list(np.array([7, 8, 9], "m8[s]")),
}


@pytest.mark.parametrize("new", EXAMPLES)
@pytest.mark.parametrize("old", EXAMPLES)
def test_ids_of_another_kind_are_refused_and_change_nothing(old, new):
    codes = np.arange(3, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=EXAMPLES[old])
    if old == new:
        return
    with pytest.raises(ValueError, match="give ids of the same kind"):
        neighbors.add(codes, ids=EXAMPLES[new])
    numbers = {old, new} == {"integers", "floats"}
    message = "No code has the id" if numbers else "give ids of the same kind"
    for call in (
        lambda: neighbors.remove(EXAMPLES[new]),
        lambda: neighbors.kneighbors(codes, filter=EXAMPLES[new]),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert_ids(neighbors.ids_, EXAMPLES[old])


def test_integers_and_floats_look_up_each_other_exactly():
    codes = np.arange(3, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=[2**53, 2**53 + 1, 5])
    # As a float, 2**53 + 1 is 2**53.
    neighbors.remove([float(2**53), 5.0])
    assert neighbors.ids_.tolist() == [2**53 + 1]
    with pytest.raises(ValueError, match=r"No code has the id 9007199254740992\.0"):
        neighbors.remove([float(2**53 + 1)])
    floats = HammingNeighbors(n_neighbors=1).fit(codes, ids=[0.5, 2.0, float(2**53)])
    with pytest.raises(ValueError, match="No code has the id"):
        floats.remove([2**53 + 1])
    assert floats.remove([2, 2**53]).ids_.tolist() == [0.5]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, "b", 2], "several kinds, such as 1 .int. and 'b' .str."),
        ([1, 2.5, 3], "several kinds, such as 1 .int. and 2.5 .float."),
        ([True, 2, 3], "several kinds, such as True .bool. and 2 .int."),
        ([b"a", "a", "b"], "several kinds"),
        ([1, None, 2], "1 missing value"),
        ([1.0, float("nan"), 2.0], "1 missing value"),
        (pd.Series([1, None, 2], dtype="Int64"), "1 missing value"),
        (pl.Series(["a", None, "b"]), "1 missing value"),
        (np.array(["2020", "NaT", "2021"], "M8[D]"), "1 missing value"),
        ([[1], [2], [3, 4]], "one value for each item"),
        (np.ones((3, 2)), "one value for each item"),
        ("abc", "one value for each item"),
        ([1, 2], "ids has 2 values for 3 codes"),
        ({1, 2, 3}, "set, which does not say which value"),
        ([1, 2, 1], "Ids must be unique, 1 is not"),
        ([b"a\0", b"b", b"a\0"], "Ids must be unique"),
        (np.array([True, False, True]), "True and False, which make a mask"),
    ],
)
def test_what_is_no_ids_is_refused(ids, message):
    codes = np.arange(3, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1)
    with pytest.raises((ValueError, TypeError), match=message):
        neighbors.fit(codes, ids=ids)
    assert not hasattr(neighbors, "codes_")


@pytest.mark.parametrize("asked", [[1, None], [1, "b"], [True, 1, 2], [[1, 2]]])
def test_what_names_no_codes_is_refused(asked):
    codes = np.arange(3, dtype=np.uint8)[:, None]
    for ids in (None, [0, 1, 2]):
        neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=ids)
        before = neighbors.codes_
        with pytest.raises(ValueError, match=r"missing|several kinds|one value for"):
            neighbors.remove(asked)
        with pytest.raises(ValueError, match=r"missing|several kinds|one value for"):
            neighbors.kneighbors(codes, filter=asked)
        assert neighbors.codes_ is before


@pytest.mark.parametrize(
    ("ids", "asked"),
    [
        ([3, 4, 5], 4),
        ([3, 4, 5], np.int8(4)),
        ([3, 4, 5], np.array(4)),
        (["x", "y", "z"], "y"),
        ([b"x", b"y\0", b"z"], b"y\0"),
        (EXAMPLES["uuids"], EXAMPLES["uuids"][1]),
        (np.array([1, 2, 3], "M8[D]"), np.datetime64(2, "D")),
        (np.array([1, 2, 3], "M8[ns]"), [pd.Timestamp(2)]),
        (np.array([1, 2, 3], "M8[D]"), datetime.date(1970, 1, 3)),
        (None, 1),
        (None, 1.0),
        (None, np.uint8(1)),
        (None, range(1, 2)),
    ],
)
def test_one_id_is_a_list_of_one(ids, asked):
    codes = np.arange(3, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=ids)
    assert neighbors.remove(asked).codes_.tolist() == [[0], [2]]


def test_dates_beyond_a_unit_are_not_confused():
    # In nanoseconds the year 9999 wraps to this date.
    wrapped = np.array(["9999"], "M8[Y]").astype("M8[ns]")
    codes = np.arange(2, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes[:1], ids=wrapped)
    with pytest.raises(ValueError, match="No code has the id"):
        neighbors.remove(np.array(["9999-01-01"], "M8[s]"))
    neighbors.add(codes[1:], ids=np.array(["9999-01-02"], "M8[D]"))
    assert [str(value) for value in neighbors.ids_][1] == "9999-01-02"


def test_emptied_database_keeps_its_kind_of_ids():
    codes = np.arange(2, dtype=np.uint8)[:, None]
    for ids in EXAMPLES.values():
        neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=ids[:2])
        neighbors.remove(ids[:2]).remove([])
        assert_ids(neighbors.add(codes, ids=ids[:2]).ids_, ids[:2])


def torch_mask(mask):
    return pytest.importorskip("torch").tensor(mask)


MASKS = {
    "numpy": np.array,
    "list": list,
    "tuple": tuple,
    "numpy scalars": lambda mask: list(np.array(mask)),
    "object": lambda mask: np.array(mask, dtype=object),
    "column": lambda mask: np.array(mask)[:, None],
    "pandas": pd.Series,
    "boolean": lambda mask: pd.Series(mask, dtype="boolean"),
    "frame": lambda mask: pd.DataFrame({"keep": mask}),
    "polars": pl.Series,
    "torch": torch_mask,
    "generator": iter,
}


@pytest.mark.parametrize("container", MASKS)
@pytest.mark.parametrize("ids", [None, [10, 1, 0, 7], [b"a", b"b", b"c", b"\0"]])
def test_masks_are_masks(container, ids):
    """The ids 0 and 1 are neither False nor True."""
    codes = np.arange(4, dtype=np.uint8)[:, None]
    names = range(4) if ids is None else ids
    for mask in ([True, False, False, True], [False] * 4, [True, True, True, False]):
        neighbors = HammingNeighbors().fit(codes, ids=ids)
        chosen = [name for name, take in zip(names, mask, strict=True) if take]
        if chosen:
            given = MASKS[container](mask)
            found = neighbors.kneighbors(codes[:1], len(chosen), filter=given)[1]
            assert sorted(found[0].tolist()) == sorted(chosen)
        neighbors.remove(MASKS[container](mask))
        kept = [i for i, take in enumerate(mask) if not take]
        assert neighbors.codes_.ravel().tolist() == kept
        if ids is not None:
            assert neighbors.ids_.tolist() == [ids[i] for i in kept]


@pytest.mark.parametrize("container", MASKS)
@pytest.mark.parametrize("length", [1, 3, 5])
@pytest.mark.parametrize("ids", [None, [10, 1, 0, 7]])
def test_masks_of_another_length_are_refused(container, length, ids):
    codes = np.arange(4, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=ids)
    before = neighbors.codes_
    mask = [True] * length
    with pytest.raises(ValueError, match=r"one value per code, shape \(4,\)"):
        neighbors.remove(MASKS[container](mask))
    with pytest.raises(ValueError, match=r"one value per code, shape \(4,\)"):
        neighbors.kneighbors(codes, filter=MASKS[container](mask))
    assert neighbors.codes_ is before


def test_a_mask_with_missing_values_is_refused():
    codes = np.arange(3, dtype=np.uint8)[:, None]
    neighbors = HammingNeighbors().fit(codes)
    with pytest.raises(ValueError, match="1 missing value"):
        neighbors.remove(pd.Series([True, None, False], dtype="boolean"))
