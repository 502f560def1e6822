"""What X may be: every container and dtype gives the same codes, or one sentence."""

import datetime
import pathlib
import re

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

from skhash import DeepHashEncoder
from skhash.encoder._data.batches import ArrayDataset

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Y = np.arange(40) % 2


def encoder(**params):
    return DeepHashEncoder(
        12, **{"max_epochs": 1, "random_state": 0, "network": "mlp", **params}
    )


class Items(Dataset):
    """Items alone, as they are."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index]


class Pairs(Items):
    """Items and labels."""

    def __getitem__(self, index):
        return self.X[index], int(Y[index])


def numbers(seed=0):
    """Features (40, 6) of two classes as whole numbers 0..9: any dtype holds them."""
    X = np.random.default_rng(seed).integers(0, 5, size=(40, 6))
    X[1::2, :3] += 5
    return X.astype(np.float64)


def pictures():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, size=(40, 8, 9, 3)).astype(np.uint8)
    X[1::2] += 100
    return X


@pytest.fixture(scope="module")
def model():
    return encoder().fit(numbers(), Y)


@pytest.fixture(scope="module")
def of_pictures():
    return encoder().fit(pictures(), Y)


def objects(items):
    """A 1-D array of objects."""
    array = np.empty(len(items), object)
    array[:] = list(items)
    return array


def memmap(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


# What works

DTYPES = "bool i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 g >i2 >u2 >i4 >u4 >i8 >u8 >f2 >f4 >f8"
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "every other": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read only": lambda X: np.broadcast_to(X, (1, *X.shape))[0],
}
CONTAINERS = {
    "array": lambda X: X,
    "list": lambda X: X.tolist(),
    "tuple of arrays": tuple,
    "array of arrays": objects,
    "masked, nothing masked": np.ma.masked_array,
    "csr": lambda X: sp.csr_array(X.astype(native(X))),
    "items": Items,
    "items reversed": lambda X: Items(X[:, ::-1].copy()[:, ::-1]),
}


def native(X):
    """What scipy takes of a dtype."""
    half = X.dtype.kind == "f" and X.dtype.itemsize == 2
    return np.float32 if half else X.dtype.newbyteorder("=")


@pytest.mark.filterwarnings("ignore:All 40 items")  # true and false after 0..9
@settings(max_examples=60)
@given(
    st.sampled_from(DTYPES.split()),
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from(sorted(CONTAINERS)),
    st.integers(0, 99),
)
def test_every_container_of_every_dtype_gives_the_same_codes(
    model, dtype, layout, container, seed
):
    X = numbers(seed) > 4 if dtype == "bool" else numbers(seed)
    z = model.embed(X.astype(float))
    form = CONTAINERS[container](LAYOUTS[layout](X.astype(dtype)))
    np.testing.assert_allclose(model.embed(form), z, rtol=1e-4, atol=1e-4)


TENSORS = {
    **{
        name: lambda X, name=name: torch.from_numpy(X).to(getattr(torch, name))
        for name in (
            *("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
            *("float16", "bfloat16", "float32", "float64", "float8_e4m3fn"),
        )
    },
    "with a gradient": lambda X: torch.from_numpy(X).requires_grad_(),
    "negated": lambda X: torch._neg_view(torch.from_numpy(-X)),
    "quantised": lambda X: torch.quantize_per_tensor(
        torch.from_numpy(X).float(), 1.0, 0, torch.quint8
    ),
    "sparse": lambda X: torch.from_numpy(X).to_sparse(),
    "sparse rows": lambda X: torch.from_numpy(X).to_sparse_csr(),
    "sparse columns": lambda X: torch.from_numpy(X).to_sparse_csc(),
}


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning", "ignore:.*quantize:")
@pytest.mark.parametrize("kind", TENSORS)
def test_every_tensor_gives_the_same_codes(model, kind):
    X = numbers()
    form = TENSORS[kind](X)
    z = model.embed(X)
    np.testing.assert_allclose(model.embed(form), z, rtol=1e-4, atol=1e-4)
    if "sparse" not in kind:
        for part in (list(form), Items(form)):
            np.testing.assert_allclose(model.embed(part), z, rtol=1e-4, atol=1e-4)
    again = encoder().fit(form, Y).embed(X)
    np.testing.assert_allclose(again, z, rtol=1e-3, atol=1e-3)


def test_pictures_give_the_same_codes(of_pictures, tmp_path):
    X = pictures()
    z = of_pictures.embed(X)
    opened = [Image.fromarray(x) for x in X]
    for form in (tuple(X), objects(X), X.astype(object), opened, objects(opened)):
        np.testing.assert_array_equal(of_pictures.embed(form), z)
    for form in (memmap(X, tmp_path), Items(opened), Items(X), X.astype(">i4")):
        np.testing.assert_allclose(of_pictures.embed(form), z, rtol=1e-4, atol=1e-5)
    again = encoder().fit(Pairs(opened))
    np.testing.assert_allclose(
        again.embed(X), encoder().fit(Pairs(X)).embed(X), rtol=1e-4, atol=1e-5
    )


def test_palettes_are_read_as_colours(of_pictures):
    opened = [Image.fromarray(x).quantize(200) for x in pictures()]
    colours = np.stack([np.asarray(x.convert("RGB")) for x in opened])
    z = of_pictures.embed(colours)
    np.testing.assert_array_equal(of_pictures.embed(opened), z)
    np.testing.assert_allclose(of_pictures.embed(Items(opened)), z, rtol=1e-4)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_series_of_rows_is_a_matrix(model, library):
    frames = pytest.importorskip(library)
    X = numbers()
    z = model.embed(X)
    np.testing.assert_allclose(model.embed(frames.Series(X.tolist())), z, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["u4", "u8", "i8", "f8", ">f8", "g"])
@pytest.mark.parametrize("wrap", [np.asarray, Items])
def test_large_numbers_keep_their_differences(dtype, wrap):
    X = numbers()
    shifted = (X + 2.0**31).astype(dtype)
    fitted = encoder().fit(wrap(shifted), Y)
    expected = encoder().fit(wrap(X), Y).embed(X)
    np.testing.assert_allclose(fitted.embed(shifted), expected, rtol=1e-3, atol=1e-3)


def test_values_given_twice_are_summed():
    X = numbers()
    rows, columns = np.nonzero(X)
    twice = sp.csr_array(
        (
            np.repeat(X[rows, columns] / 2, 2),
            np.repeat(columns, 2),
            np.r_[0, 2 * np.cumsum((X != 0).sum(axis=1))],
        ),
        shape=X.shape,
    )
    parts = twice.data.copy()
    fitted, expected = encoder().fit(twice, Y), encoder().fit(sp.csr_array(X), Y)
    np.testing.assert_allclose(fitted.embed(X), expected.embed(X), rtol=1e-5)
    np.testing.assert_array_equal(twice.data, parts)


@given(st.sampled_from(DTYPES.split()), st.integers(0, 2**20))
def test_rows_for_torch_keep_their_values(dtype, shift):
    kind = np.dtype(dtype).kind
    largest = np.iinfo(dtype).max if kind in "iu" else 1 if kind == "b" else 2**11
    X = np.array([[0, 1, max(0, largest - shift)]], dtype=dtype)
    (row,) = ArrayDataset(X).rows(slice(None)).double().numpy()
    np.testing.assert_array_equal(row, X[0].astype(np.float64))


# What does not


def frame(library, **columns):
    return pytest.importorskip(library).DataFrame(
        {"a": numbers()[:, 0], "b": numbers()[:, 1], **columns}
    )


DATES = [datetime.datetime(2020, 1, 1 + i % 9) for i in range(40)]
WORDS = ["x", "y"] * 20
RAGGED = [x[:5] if i == 7 else x for i, x in enumerate(numbers())]
OPENED = [Image.new("RGB", (9, 8 - i // 39)) for i in range(40)]
REFUSED = {
    "None": (lambda: None, "got None as X: pass an array, a data frame"),
    "generator": (
        lambda: (x for x in numbers()),
        r"got a generator as X: pass list\(X",
    ),
    "map": (lambda: map(list, numbers()), r"got a map as X: pass list\(X\)"),
    "path": (lambda: "data/X.npy", r"got a str as X: read 'data/X.npy' first"),
    "Path": (lambda: pathlib.Path("X.npy"), r"read .*X.npy.* first"),
    "dict": (lambda: {"a": numbers()}, "got a dict as X: pass rows of numbers"),
    "set": (lambda: {1, 2}, "got a set as X: pass rows of numbers"),
    "object": (lambda: object(), "got a object as X: pass an array"),
    "paths": (lambda: ["a.png"] * 40, "X holds strings, the first is 'a.png'"),
    "array of texts": (lambda: objects(WORDS), "X holds strings, the first is 'x'"),
    "dicts": (lambda: [{"a": 1}] * 40, "X holds a dict for each item: pass rows"),
    "ragged list": (lambda: [list(x) for x in RAGGED], r"X\[7\] has shape \(5,\), but"),
    "ragged arrays": (lambda: RAGGED, r"X\[7\] has shape \(5,\), but X\[0\] has \(6,"),
    "ragged objects": (lambda: objects(RAGGED), r"X\[7\] has shape \(5,\), but X\[0\]"),
    "ragged images": (lambda: OPENED, r"X\[39\] has shape \(7, 9, 3\), but X\[0\] has"),
    "ragged in itself": (
        lambda: [*[[[1, 2], [3]]] * 40],
        r"X\[0\] is ragged: its rows",
    ),
    "masked": (
        lambda: np.ma.masked_array(numbers(), np.arange(240).reshape(40, 6) == 9),
        r"masked values, the first at \(1, 3\)",
    ),
    "masked item": (
        lambda: [*numbers()[:39], np.ma.masked_array(numbers()[0], [1, 0, 0, 0, 0, 0])],
        r"X\[39\] has masked values, the first at \(0,\)",
    ),
    "times": (lambda: numbers().astype("M8[D]"), r"X has dtype datetime64\[D\]: turn"),
    "durations": (lambda: numbers().astype("m8[h]"), r"X has dtype timedelta64\[h\]"),
    "complex": (lambda: numbers() + 1j, "Complex data not supported: X has dtype comp"),
    "complex sparse": (lambda: sp.csr_array(numbers() + 1j), "Complex data not supp"),
    "complex tensor": (lambda: torch.from_numpy(numbers() + 1j).conj(), "Complex data"),
    "structured": (
        lambda: np.zeros(40, [("a", float), ("b", float)]),
        r"structured array with the fields \('a', 'b'\)",
    ),
    "tensor without data": (lambda: torch.empty(40, 6, device="meta"), "device 'meta'"),
    "nested tensor": (
        lambda: torch.nested.nested_tensor(list(torch.from_numpy(numbers()))),
        "X is a nested tensor",
    ),
    "loader": (
        lambda: DataLoader(TensorDataset(torch.zeros(40, 6)), 8, num_workers=2),
        r"X.dataset, and DeepHashEncoder\(batch_size=8, .*num_workers': 2}\)",
    ),
    "lazy frame": (
        lambda: frame("polars").lazy(),
        r"X is a LazyFrame: pass X.collect\(\)",
    ),
    **{
        f"{library} {name}": (
            lambda library=library, values=values: frame(library, c=values),
            rf"Column 'c' of X {said}",
        )
        for library in ("pandas", "polars")
        for name, values, said in [
            ("times", DATES, r"holds times \("),
            ("durations", [d - DATES[0] for d in DATES], r"holds times \("),
            ("texts", WORDS, "holds strings, the first is 'x': encode"),
            ("texts after none", [None, *WORDS[1:]], "holds strings, the first is 'y'"),
            ("rows", numbers().tolist(), "holds an array for each item"),
        ]
    },
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_read_is_named(model, case):
    make, said = REFUSED[case]
    fresh = encoder()
    before = vars(fresh).copy()
    for method in (fresh.fit, fresh.partial_fit):
        with pytest.raises(ValueError, match=said):
            method(make(), Y)
    assert vars(fresh) == before
    for method in (model.transform, model.embed, model.predict):
        with pytest.raises(ValueError, match=said):
            method(make())


@pytest.mark.parametrize("dtype", ["category", "string"])
def test_words_in_columns_of_pandas_are_named(model, dtype):
    column = pytest.importorskip("pandas").Series(WORDS, dtype=dtype)
    with pytest.raises(ValueError, match="Column 'c' of X holds strings"):
        encoder().fit(frame("pandas", c=column), Y)


def test_nullable_and_categorical_numbers_are_numbers():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(numbers(), columns=list("abcdef"))
    z = encoder().fit(X, Y).embed(X)
    other = X.astype({"a": "Int64", "b": "Float64", "c": "category", "d": "object"})
    np.testing.assert_allclose(encoder().fit(other, Y).embed(other), z, rtol=1e-5)
    other.loc[3, "a"] = pandas.NA
    with pytest.raises(ValueError, match="contains NaN"):
        encoder().fit(other, Y)


# torch data sets

BAD_ITEMS = {
    "dict": (
        {"image": 1},
        r"Item \d+ of the data set is a dict with the keys \['image",
    ),
    "None": (None, r"Item \d+ of the data set is None: __getitem__ must"),
    "path": ("a.png", r"Item \d+ of the data set is 'a.png': __getitem__ must read"),
    "words": (
        np.array(["a"] * 6),
        r"Item \d+ of the data set is a ndarray of dtype <U1",
    ),
    "ragged": (np.zeros(5), r"Item \d+ of the data set has 5 features, but"),
    "ragged in itself": ([[[1, 2], [3]]], r"Item \d+ of the data set.* is ragged"),
    "complex": (
        torch.zeros(6) * 1j,
        r"not supported: Item \d+ of the data set is comp",
    ),
    "masked": (
        np.ma.masked_array(np.zeros(6), [1, 0, 0, 0, 0, 0]),
        r"Item \d+ of the data set has masked values",
    ),
    "NaN": (np.full(6, np.nan), r"Item \d+ of the data set contains NaN \(6 of 6"),
    "infinity": (torch.full((6,), torch.inf).half(), r"Item \d+ .* contains infinity"),
    "beyond float32": (np.full(6, -1e39), r"Item \d+ of the data set contains -1e\+39"),
    "largest": (
        np.full(6, 3.4028235e38, "f4"),
        r"Item \d+ .* contains 3.40282\d*e\+38",
    ),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
@pytest.mark.parametrize("place", [0, 17])
def test_a_bad_item_is_named(model, case, place):
    item, said = BAD_ITEMS[case]
    rows = [item if i == place else x for i, x in enumerate(numbers())]
    said = said.replace(r"\d+", str(place), 1)
    if not place:
        said = re.sub("has 5 features.*", ".*5 features", said)
    fresh = encoder()
    before = vars(fresh).copy()
    for method in (fresh.fit, fresh.partial_fit):
        if place or case != "ragged":  # the first item says what items are
            with pytest.raises(ValueError, match=said):
                method(Pairs(rows))
    assert vars(fresh) == before
    for method in (model.transform, model.embed, model.predict):
        with pytest.raises(ValueError, match=said):
            method(Items([(x,) for x in rows]))


def test_a_bad_item_of_workers_is_named():
    rows = [x * np.nan if i == 17 else x for i, x in enumerate(numbers())]
    fitted = encoder().fit(Pairs(numbers()))
    fitted.set_params(net_params={"iterator_train__num_workers": 1})
    z = fitted.embed(numbers())
    with pytest.raises(ValueError, match="Item 17 of the data set contains NaN"):
        fitted.partial_fit(Pairs(rows))
    np.testing.assert_array_equal(fitted.embed(numbers()), z)


def test_data_sets_without_items_or_length_are_refused(model):
    class Endless(Dataset):
        def __getitem__(self, index):
            return numbers()[0], 0

    for method in (encoder().fit, model.transform, model.predict):
        with pytest.raises(ValueError, match="a Endless, has no __len__: give it one"):
            method(Endless())
        with pytest.raises(ValueError, match="The data set has 0 items; at least"):
            method(Items([]))


def test_weightless_items_keep_their_place():
    rows = [x * np.nan if i == 17 else x for i, x in enumerate(numbers())]
    weight = (np.arange(40) > 9).astype(float)
    with pytest.raises(ValueError, match="Item 17 of the data set contains NaN"):
        encoder().fit(Pairs(rows), sample_weight=weight)
    weight[17] = 0
    encoder().fit(Pairs(rows), sample_weight=weight)  # it is never used


@pytest.mark.parametrize("batch_size", [1, None, 8])
def test_advice_about_a_loader_names_what_the_encoder_takes(batch_size):
    loader = DataLoader(TensorDataset(torch.zeros(40, 6)), batch_size)
    with pytest.raises(ValueError, match="pass its data set") as caught:
        DeepHashEncoder().fit(loader)
    advised = str(caught.value).split("and ")[-1].rstrip(".")
    size = eval(advised, {"DeepHashEncoder": DeepHashEncoder}).batch_size
    assert size == (batch_size if batch_size == 8 else DeepHashEncoder().batch_size)
