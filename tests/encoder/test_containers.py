"""What X may be: every container and dtype gives the same codes."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skhash.encoder._data.datasets import ArrayDataset
from tests.encoder.helpers import (
    Items,
    Y,
    encoder_with,
    images_of_two_classes,
    numbers,
    objects,
)

encoder = encoder_with(12, max_epochs=1, network="mlp")


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Pairs(Items):
    """Items and labels."""

    def __getitem__(self, index):
        return self.X[index], int(Y[index])


def pictures():
    return images_of_two_classes(8, 9, 3)[0]


@pytest.fixture(scope="module")
def model():
    return encoder().fit(numbers(), Y)


@pytest.fixture(scope="module")
def of_pictures():
    return encoder().fit(pictures(), Y)


def memmap(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


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


@pytest.mark.slow
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
