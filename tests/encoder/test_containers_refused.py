"""What X may not be, said in one sentence."""

import datetime
import pathlib
import re

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

from skhash import DeepHashEncoder
from tests.encoder.helpers import (
    Items,
    Y,
    encoder_with,
    numbers,
    objects,
)

encoder = encoder_with(12, max_epochs=1, network="mlp")


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Pairs(Items):
    """Items and labels."""

    def __getitem__(self, index):
        return self.X[index], int(Y[index])


@pytest.fixture(scope="module")
def model():
    return encoder().fit(numbers(), Y)


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
