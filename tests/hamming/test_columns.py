"""One value an item comes back exactly as it was given."""

import datetime
import uuid
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skhash.hamming.columns import as_array, check_column, concatenate, kind_of

VALUES = {
    "integers": st.integers(-(2**70), 2**70),
    "around 2**63": st.integers(2**63 - 3, 2**63 + 3),
    "around 2**53": st.integers(2**53 - 3, 2**53 + 3),
    "numbers": st.one_of(
        st.integers(-(2**65), 2**65),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
    ),
    "fractions": st.fractions(),
    "strings": st.text(max_size=4),
    "strings with zeros": st.text("a\0", max_size=3),
    "bytes": st.binary(max_size=4),
    "decimals": st.decimals(allow_nan=False, allow_infinity=False, places=2),
    "dates": st.dates(),
    "UUIDs": st.uuids(),
}


def lists(strategy):
    return st.lists(strategy, min_size=1, max_size=6)


def of_type(values):
    return [type(value) for value in values]


@st.composite
def lists_of_one_kind(draw):
    return draw(lists(VALUES[draw(st.sampled_from(sorted(VALUES)))]))


@given(lists_of_one_kind())
def test_values_are_kept(values):
    column = check_column(values, name="ids", n=len(values))
    assert column.tolist() == values
    assert check_column(tuple(values), name="ids").tolist() == values
    assert check_column([[value] for value in values], name="ids").tolist() == values
    again = check_column(column, name="ids")
    assert again.tolist() == values
    assert again.dtype == column.dtype


@given(lists(st.integers(-(2**70), 2**70)))
def test_integers_stay_integers(values):
    column = check_column(values, name="ids")
    assert column.dtype.kind in "iuO"
    assert all(isinstance(value, int) for value in column.tolist())


@given(st.lists(lists(VALUES["numbers"]), min_size=1, max_size=3))
def test_numbers_are_joined_without_loss(parts):
    joined = concatenate([check_column(part, name="ids") for part in parts])
    assert joined.tolist() == [value for part in parts for value in part]


@given(lists(VALUES["strings with zeros"]), lists(VALUES["strings"]))
def test_strings_are_joined_without_loss(first, second):
    columns = [check_column(part, name="ids") for part in (first, second)]
    assert concatenate(columns).tolist() == first + second
    text = np.array(second, dtype=np.dtypes.StringDType())
    assert concatenate([columns[0], text]).tolist() == first + second


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "u8", "U3", "M8[s]"])
def test_arrays_keep_their_dtype_and_memory(dtype):
    values = np.array([1, 2]).astype(dtype)
    assert check_column(values, name="ids") is values or np.shares_memory(
        check_column(values, name="ids"), values
    )


def test_objects_stay_objects_where_they_are_strings():
    values = np.array(["a", "b"], dtype=object)
    assert check_column(values, name="ids").dtype == object
    assert check_column(["a", "b"], name="ids").dtype == "<U1"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, True], "numbers"),
        ([Fraction(1, 3), 2], "numbers"),
        ([Decimal("0.1")], "Decimal"),
        (["a"], "strings"),
        ([b"a"], "bytes"),
        ([np.datetime64("2020")], "dates"),
        ([datetime.date(2020, 1, 1)], "dates"),
        ([datetime.datetime(2020, 1, 1)], "datetime"),
        ([uuid.UUID(int=1)], "UUID"),
        ([], "any"),
    ],
)
def test_kinds(values, kind):
    assert kind_of(check_column(values, name="ids")) == kind


@given(st.data())
def test_values_of_two_kinds_are_refused_with_an_example_of_each(data):
    names = st.sampled_from(["integers", "strings", "bytes", "dates", "UUIDs"])
    first, second = data.draw(st.lists(names, min_size=2, max_size=2, unique=True))
    values = [data.draw(VALUES[first]), data.draw(VALUES[second])]
    with pytest.raises(ValueError, match="ids holds values of several kinds") as error:
        check_column(values, name="ids")
    for value in values:
        assert f"{value!r} ({type(value).__name__})" in str(error.value)


@pytest.mark.parametrize("missing", [None, np.nan, float("nan"), np.datetime64("NaT")])
@given(values=lists_of_one_kind(), place=st.integers(0, 5))
def test_a_missing_value_is_refused_wherever_it_stands(missing, values, place):
    place = min(place, len(values))
    values = [*values[:place], missing, *values[place:]]
    with pytest.raises(ValueError, match=f"ids has 1 missing values.* in row {place}"):
        check_column(values, name="ids")


def test_arrays_are_taken_over_as_they_are():
    table = np.arange(4).reshape(2, 2)
    assert np.shares_memory(as_array(table, name="labels"), table)
    mixed = as_array([1, "b", [2, 3]], name="labels")
    assert mixed.tolist() == [1, "b", [2, 3]]
    assert of_type(as_array([1, 2.0, True], name="y")) == [int, float, bool]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ("abc", ValueError, "one value for each item, got 'abc'"),
        ({1}, TypeError, "which value belongs to which item"),
        ([[1, 2], [3, 4]], ValueError, r"the first is \[1, 2\]"),
        (np.zeros((2, 2)), ValueError, r"got shape \(2, 2\)"),
        ([object(), object()], TypeError, "no hash or order"),
        (np.array([1j]), ValueError, "Complex data not supported"),
        (np.zeros(2, dtype="i4,f4"), ValueError, "are not supported: give numbers"),
        (np.ma.masked_array([1, 2], [1, 0]), ValueError, "1 masked, that is missing"),
    ],
)
def test_what_is_no_column_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        check_column(values, name="ids")


def test_another_number_of_values_is_refused():
    with pytest.raises(ValueError, match="ids has 2 values for 3 codes"):
        check_column([1, 2], name="ids", n=3)
