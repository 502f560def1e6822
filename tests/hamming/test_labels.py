"""Labels of any dtype in any container mean what their plain values mean."""

import datetime
import enum
import re
import uuid

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skhash import metrics
from skhash.hamming import histograms, pack
from skhash.hamming.labels import check_labels, compared_labels, encode_by_classes
from tests.metrics import brute

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


class Shape(enum.IntEnum):
    ROUND, SQUARE = 2, 7


class Colour(str, enum.Enum):  # noqa: UP042 - str() of one is its name
    RED, BLUE = "red", "blue"


# A few values of each kind, and dtypes that hold them exactly.
KINDS = {
    "small": ([0, 1, 5, 100], "int8 uint8 int16 uint16 int32 uint32 int64 uint64 "
              "float16 float32 float64 object Int64 UInt64 category"),
    "signed": ([-3, 0, 7], "int8 int16 int32 int64 float32 float64 object Int64"),
    "near 2**53": ([2**53, 2**53 + 1, 2**53 + 2], "int64 uint64 object Int64 UInt64"),
    "near 2**63": ([2**63, 2**63 + 1, 2**63 + 2, 5], "uint64 object UInt64"),
    "across": ([-1, 2**63 + 1, 2**63 + 2, 2**63], "object"),
    "beyond": ([2**64, 2**64 + 1, -(2**70), 3], "object"),
    "bool": ([True, False], "bool object boolean"),
    "floats": ([0.1, 0.25, -2.0, 1e300], "float64 object Float64"),
    "strings": (["sea", "sky", "", "sea ", "Ä"], "U T object string category"),
    "zeros": (["a", "a\0", "a\0\0"], "object"),
    "bytes": ([b"a", b"bc"], "S object"),
    "dates": ([datetime.date(2020, 1, n) for n in (1, 2)], "object datetime64[D]"),
    "UUIDs": ([uuid.UUID(int=n) for n in (1, 2)], "object"),
}  # fmt: skip
PANDAS = {"Int64", "UInt64", "boolean", "Float64", "string", "category"}


@st.composite
def columns(draw, values, dtypes):
    """Plain values, and the same in some container."""
    plain = draw(st.lists(st.sampled_from(values), min_size=2, max_size=6))
    dtype = draw(st.sampled_from(dtypes.split()))
    if dtype in ("Int64", "UInt64"):  # of a list, pandas makes floats on its way
        return plain, pd.Series(np.array(plain, dtype.lower())).astype(dtype)
    if dtype in PANDAS:
        return plain, pd.Series(plain, dtype=dtype)
    kind = np.dtypes.StringDType() if dtype == "T" else dtype
    array = np.array(plain, dtype=kind)
    makers = {
        "list": lambda: list(plain),
        "tuple": lambda: tuple(plain),
        "array": lambda: array,
        "column": lambda: array[:, None],
        "rows": lambda: [[value] for value in plain],
        "reversed view": lambda: array[::-1].copy()[::-1],
        "scalars": lambda: list(array),
    }
    if dtype in ("int8", "int64", "uint8", "float32", "bool"):
        makers["tensor"] = lambda: torch.from_numpy(array)
        makers["tensors"] = lambda: list(torch.from_numpy(array))
        makers["arrays"] = lambda: [np.array(value) for value in array]
    if dtype not in ("float16", "T"):
        makers["pandas"] = lambda: pd.Series(plain, dtype=object).infer_objects()
        makers["frame"] = lambda: pd.DataFrame({"y": plain}, dtype=object)
    if dtype in ("int64", "uint64", "U", "float64", "bool"):
        makers["polars"] = lambda: pl.Series(plain)
    return plain, makers[draw(st.sampled_from(sorted(makers)))]()


@st.composite
def sides(draw):
    """Codes and labels of queries and of a database, each in a container of its own."""
    values, dtypes = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    labels = [draw(columns(values, dtypes)) for _ in range(2)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = [pack(rng.random((len(plain), 5)) < 0.3) for plain, _ in labels]
    return codes, labels


@given(sides())
def test_a_column_means_its_plain_values(sides):
    codes, ((plain, given_), (others, given_others)) = sides
    n_total, n_relevant = histograms(*codes, given_, given_others)
    expected = metrics.average_precision(*codes, given_, given_others, zero_relevant=0)
    for i, (code, label) in enumerate(zip(codes[0], plain, strict=True)):
        distances = [brute.distance(code.tolist(), c.tolist()) for c in codes[1]]
        relevant = [int(label == other) for other in others]
        both = brute.histograms(distances, relevant, 9)
        np.testing.assert_array_equal((n_total[i], n_relevant[i]), np.squeeze(both, 1))
        value = brute.average_precision(distances, relevant)
        assert expected[i] == pytest.approx(np.nan_to_num(value))


@given(sides())
def test_checked_labels_equal_those_given(sides):
    for plain, labels in sides[1]:
        before = repr(labels)
        assert check_labels(labels, n=len(plain)).tolist() == plain
        assert repr(labels) == before


SETS = {
    "bool": lambda Y: Y,
    "int8": lambda Y: Y.astype(np.int8),
    "uint8": lambda Y: Y.astype(np.uint8),
    "int64": lambda Y: Y.astype(np.int64),
    "float32": lambda Y: Y.astype(np.float32),
    "object": lambda Y: Y.astype(int).astype(object),
    "lists": lambda Y: Y.astype(int).tolist(),
    "tuples of bool": lambda Y: tuple(map(tuple, Y.tolist())),
    "arrays": lambda Y: list(Y.astype(np.float32)),
    "array of rows": lambda Y: array_of(list(Y.astype(int))),
    "tensors": lambda Y: list(torch.from_numpy(Y.astype(np.float32))),
    "tensor": lambda Y: torch.from_numpy(Y.astype(np.float32)).bfloat16(),
    "pandas": lambda Y: pd.DataFrame(Y.astype(int)),
    "nullable": lambda Y: pd.DataFrame(Y.astype(int)).astype("Int64"),
    "polars": lambda Y: pl.DataFrame(Y.astype(int)),
    "CSR": lambda Y: sparse.csr_array(Y.astype(int)),
    "CSR of bool": lambda Y: sparse.csr_matrix(Y),
    "CSC": lambda Y: sparse.csc_array(Y.astype(float)),
    "triplets": lambda Y: sparse.coo_array(Y.astype(np.uint8)),
    "with stored zeros": lambda Y: stored(Y.astype(np.int8)),
    "signs": lambda Y: np.where(Y, 1, -1),
    "int8 signs": lambda Y: np.where(Y, 1, -1).astype(np.int8),
    "float signs": lambda Y: np.where(Y, 1.0, -1.0),
    "lists of signs": lambda Y: np.where(Y, 1, -1).tolist(),
    "CSR of signs": lambda Y: stored(np.where(Y, 1, -1)),
    "masked, without a mask": lambda Y: np.ma.masked_array(Y.astype(int)),
}


def array_of(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def stored(Y):
    """A CSR array that stores every entry, zeros too."""
    n, width = Y.shape
    parts = Y.ravel(), np.tile(np.arange(width), n), np.arange(0, n * width + 1, width)
    return sparse.csr_array(parts, shape=Y.shape)


@st.composite
def label_sets(draw, rows):
    return np.array(
        draw(st.lists(st.lists(st.booleans(), min_size=3, max_size=3),
                      min_size=rows, max_size=rows))
    )  # fmt: skip


@given(st.data(), st.sampled_from(sorted(SETS)), st.sampled_from(sorted(SETS)))
def test_sets_mean_their_members(data, form, other):
    Y, Z = data.draw(label_sets(rows=3)), data.draw(label_sets(rows=5))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    codes = pack(rng.random((3, 5)) < 0.3), pack(rng.random((5, 5)) < 0.3)
    given_ = SETS[form](Y), SETS[other](Z)
    n_relevant = histograms(*codes, *given_)[1]
    score = metrics.average_precision(*codes, *given_, zero_relevant=0)
    for i in range(3):
        distances, relevant = brute.distances_and_relevance(
            codes[0][i], Y[i], codes[1], Z
        )
        expected = brute.histograms(distances, relevant, 9)[1]
        np.testing.assert_array_equal(n_relevant[i], expected[0])
        value = brute.average_precision(distances, relevant)
        assert score[i] == pytest.approx(np.nan_to_num(value))


@pytest.mark.parametrize("form", SETS)
def test_sets_are_bool_and_leave_the_given_ones_alone(form):
    Y = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=bool)
    labels = SETS[form](Y)
    before = labels.copy() if sparse.issparse(labels) else repr(labels)
    checked = check_labels(labels)
    assert checked.dtype == bool
    assert sparse.issparse(checked) == sparse.issparse(labels)
    if sparse.issparse(labels):
        assert checked.nnz == Y.sum()
        assert labels.nnz == before.nnz
        np.testing.assert_array_equal(labels.data, before.data)
        checked = checked.toarray()
    else:
        assert repr(labels) == before
    np.testing.assert_array_equal(checked, Y)


@given(
    st.lists(st.lists(st.sampled_from([-2, -1, 0, 0.5, 1, 2, 255]), min_size=2,
                      max_size=2), min_size=1, max_size=4),
    st.sampled_from([np.array, sparse.csr_array, sparse.coo_array, list]),
)  # fmt: skip
def test_a_matrix_is_taken_if_and_only_if_it_is_0_1_or_signs(rows, container):
    values = {value for row in rows for value in row}
    if values <= {0, 1} or values <= {-1, 1}:
        checked = check_labels(container(rows))
        checked = checked.toarray() if sparse.issparse(checked) else checked
        np.testing.assert_array_equal(checked, np.array(rows) == 1)
    else:
        with pytest.raises(ValueError, match=r"Unknown label type: .*must be 0/1"):
            check_labels(container(rows))


def test_a_single_column_is_one_label_an_item_however_it_is_stored():
    column = np.array([[0], [1], [1]])
    for given_ in (column, sparse.csr_array(column), column.tolist(), array_of(
        [np.array([0]), np.array([1]), np.array([1])]
    )):  # fmt: skip
        np.testing.assert_array_equal(check_labels(given_), [0, 1, 1])


def test_members_of_an_enum_are_their_values():
    assert check_labels(list(Shape)).tolist() == [2, 7]
    assert check_labels(list(Colour)).tolist() == ["red", "blue"]
    assert check_labels(array_of(list(Colour))).tolist() == ["red", "blue"]


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        (["sea,sky", "sky", "sea"], True),
        (["sky, sea", "sea, sky"], True),
        (["Action|Comedy", "Comedy", "Drama"], True),
        (["a;b", "b;c", "d"], True),
        (["Portland, Oregon", "Salem, Oregon", "Salem, Massachusetts"], False),
        (["tench, Tinca tinca", "missile", "projectile, missile", "goldfish, carp",
          "great white shark, white shark", "hammerhead"], False),
        (["sea", "sky"], False),
        (["a,b", "c,d"], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("container", [list, np.array, array_of, pd.Series])
def test_labels_in_one_string_are_told_from_names(labels, joined, container):
    if not joined:
        assert check_labels(container(labels)).tolist() == labels
        return
    with pytest.raises(ValueError, match=r"looks like several.*MultiLabelBinarizer"):
        check_labels(container(labels))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (None, ValueError, "every item needs a label"),
        ("abc", ValueError, "one value for each item, got 'abc'"),
        (7, ValueError, "one value for each item, got 7"),
        ({1, 2}, TypeError, "which value belongs to which item"),
        (iter([1, 2]), ValueError, "one value for each item"),
        (np.zeros((2, 2, 2)), ValueError, r"got shape \(2, 2, 2\)"),
        ([[[1], [2, 3]], [[1], [2]]], ValueError, "MultiLabelBinarizer"),
        (["a", ["b", "c"]], ValueError, r"such as \['b', 'c'\].*MultiLabelBinarizer"),
        ([{"a": 1}, {"b": 1}], ValueError, "MultiLabelBinarizer"),
        (pl.Series([[1, 2], [3]]), ValueError, "MultiLabelBinarizer"),
        ([sparse.csr_array([[0, 1]])] * 2, ValueError, "0/1 matrix"),
        ([1j, 2j], TypeError, "no hash or order"),
        (np.array([1j]), ValueError, "Complex data not supported"),
        ([1, "b", 2.5], ValueError, r"1 \(int\) and 'b' \(str\)"),
        ([b"a", "a"], ValueError, r"b'a' \(bytes\) and 'a' \(str\)"),
        (["a", None, None], ValueError, "2 missing labels, the first None in row 1"),
        ([1.0, np.nan], ValueError, "1 missing labels, the first NaN in row 1"),
        ([[0, 1], [np.nan, 1]], ValueError, "1 missing labels, the first NaN in row 1"),
        ([[0, 1], [None, 1]], ValueError, "1 missing labels, the first None in row 1"),
        (pd.Series([1, None], dtype="Int64"), ValueError, "the first <NA> in row 1"),
        (pd.Series(["a", None], dtype="string"), ValueError, "1 missing labels"),
        (pd.Series(["a", None], dtype="category"), ValueError, "1 missing labels"),
        (pd.DataFrame([[1, None]], dtype="Int64"), ValueError, "1 missing labels"),
        (pl.Series([1, None]), ValueError, "the first None in row 1"),
        (pl.DataFrame({"a": [1, None], "b": [0, 1]}), ValueError, "1 missing labels"),
        (sparse.csr_array([[0, np.nan]]), ValueError, "1 missing labels"),
        (np.ma.masked_array([1, 2], [0, 1]), ValueError, "1 masked"),
        (np.ma.masked_array([[1, 0]], [[0, 1]]), ValueError, "1 masked"),
        (np.array(["2020", "NaT"], "M8[D]"), ValueError, "the first NaT in row 1"),
    ],
)  # fmt: skip
def test_what_is_no_label_is_refused_in_one_sentence(labels, error, message):
    with pytest.raises(error, match=message):
        check_labels(labels)


def test_another_number_of_labels_is_refused():
    with pytest.raises(ValueError, match="y has 3 rows for 4 items"):
        check_labels([1, 2, 3], name="y", n=4)


def test_both_sides_must_be_of_one_kind():
    for queries, items in ((["1"], [1]), ([b"a"], ["a"]), ([0], np.eye(1, 2))):
        with pytest.raises(ValueError, match=r"mix|both vectors"):
            compared_labels(queries, items, 1, 1)
    queries, items = compared_labels([], ["a", "b"], 0, 2)
    assert len(queries) == 0
    assert items.values.tolist() == [0, 1]


@given(sides())
def test_places_among_classes_are_found_by_equality(sides):
    (_, labels), (plain_classes, classes) = sides[1]
    plain = check_labels(labels).tolist()
    classes = np.unique(check_labels(classes))
    places = encode_by_classes(check_labels(labels), classes)
    known = classes.tolist()
    assert places.tolist() == [known.index(y) if y in known else -1 for y in plain]
    assert len(known) == len(set(plain_classes))


def test_advice_is_a_line_that_works():
    from sklearn.preprocessing import MultiLabelBinarizer

    y = [["sea", "sky"], ["sky"]]
    with pytest.raises(ValueError, match="MultiLabelBinarizer") as error:
        check_labels(y, name="y")
    line = re.search(r"sklearn\.preprocessing\.(\S+\(y\))", str(error.value))[1]
    made = eval(line, {"MultiLabelBinarizer": MultiLabelBinarizer, "y": y})
    np.testing.assert_array_equal(check_labels(made), [[1, 1], [0, 1]])
