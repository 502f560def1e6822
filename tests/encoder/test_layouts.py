"""Where the channels of an image are: told by its shape, or by a rule."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from skhash.encoder._data.layouts import Layout
from tests.encoder.helpers import Items, encoder_with, images_of_two_classes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LAST = (0, 2, 3, 1)
FIRST = (0, 3, 1, 2)


encoder = encoder_with(12, max_epochs=1, network="mlp")


@pytest.fixture(scope="module")
def images():
    return images_of_two_classes(8, 9, 3)


@pytest.fixture(scope="module")
def fits(images):
    """Encoders fitted on the same images, given in every way that can be told."""
    X, y = images
    first = X.transpose(FIRST)
    return {
        "array last": encoder().fit(X, y),
        "array first": encoder().fit(first, y),
        "tensor first": encoder().fit(torch.from_numpy(first.copy()), y),
        "data set last": encoder().fit(Items(X), y),
        "data set first": encoder().fit(Items(first), y),
        "flat": encoder(input_shape=(8, 9, 3)).fit(X.reshape(40, -1), y),
        "flat first": encoder(input_shape=(3, 8, 9)).fit(first.reshape(40, -1), y),
        "flat data set": encoder(input_shape=(8, 9, 3)).fit(
            Items(X.reshape(40, -1)), y
        ),
    }


GIVEN = {
    "array last": lambda X: X,
    "array first": lambda X: X.transpose(FIRST),
    "list first": lambda X: X.transpose(FIRST).tolist(),
    "tensor last": torch.from_numpy,
    "tensor first": lambda X: torch.from_numpy(X).permute(FIRST),
    "data set last": Items,
    "data set first": lambda X: Items(X.transpose(FIRST)),
    "tensors first": lambda X: TensorDataset(torch.from_numpy(X).permute(FIRST)),
}
FITS = [
    *("array last", "array first", "tensor first", "data set last", "data set first"),
    *("flat", "flat first", "flat data set"),
]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("form", GIVEN)
def test_images_have_one_code_however_they_lie(images, fits, fit, form):
    X, _ = images
    # Data sets are shuffled in another order than arrays.
    same = "data set first" if "data set" in fit else "array last"
    z = fits[same].embed(GIVEN[same](X))
    assert fits[fit].net_.module_.standardize.input_shape == (3, 8, 9)
    np.testing.assert_allclose(fits[fit].embed(GIVEN[form](X)), z, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fit", ["array last", "data set first"])
def test_flat_rows_lie_as_in_fit(images, fits, fit):
    X = images[0] if fit == "array last" else images[0].transpose(FIRST)
    flat = X.reshape(40, -1)
    for given_ in (flat, Items(flat), Items(list(flat))):
        np.testing.assert_array_equal(fits[fit].embed(given_), fits[fit].embed(X))


@pytest.mark.parametrize("fit", ["array last", "array first", "data set first"])
@pytest.mark.parametrize("form", ["array last", "array first", "data set last"])
def test_partial_fit_takes_images_as_they_lie(images, fit, form):
    X, y = images
    one, other = (encoder().partial_fit(GIVEN[fit](X), y) for _ in range(2))
    if isinstance(GIVEN[form](X), Dataset) == isinstance(GIVEN[fit](X), Dataset):
        one.partial_fit(GIVEN[fit](X), y)  # the same order of batches
        other.partial_fit(GIVEN[form](X), y)
        np.testing.assert_allclose(other.embed(X), one.embed(X), rtol=1e-3, atol=1e-3)
    before = one.input_shape_
    one.partial_fit(X[:7].reshape(7, -1), y[:7])
    assert one.input_shape_ == before
    assert one.embed(GIVEN[form](X)).shape == (40, 12)


def test_weights_and_early_stopping_keep_the_layout(images):
    X, y = images
    weight = np.arange(40) % 5 > 0
    params = {"early_stopping": True, "input_shape": (8, 9, 3)}
    models = [
        encoder(**params).fit(form, y, sample_weight=weight)
        for form in (X, X.transpose(FIRST))
    ]
    np.testing.assert_allclose(
        models[1].embed(X), models[0].embed(X), rtol=1e-3, atol=1e-4
    )


def test_warm_start_knows_where_the_channels_are():
    X, y = images_of_two_classes(7, 7, 7)  # either way, by its shape
    model = encoder(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="needs the same classes, item shape"):
        model.fit(Items(X), y)


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (1, 8, 9)])
@pytest.mark.parametrize("wrap", [np.asarray, Items])
@pytest.mark.parametrize("wrap_fit", [np.asarray, Items])
def test_grey_images_need_no_axis_of_channels(shape, wrap, wrap_fit):
    X, y = images_of_two_classes(8, 9)
    for fitted in ((8, 9), (8, 9, 1), (1, 8, 9)):
        model = encoder().fit(wrap_fit(X.reshape(40, *fitted)), y)
        z = model.embed(X.reshape(40, -1))
        np.testing.assert_array_equal(model.embed(wrap(X.reshape(40, *shape))), z)


def test_grey_items_of_a_data_set_are_flattened_for_flat_rows():
    X, y = images_of_two_classes(8, 9)
    model = encoder().fit(X.reshape(40, -1), y)
    z = model.embed(X.reshape(40, -1))
    np.testing.assert_array_equal(model.embed(Items(X)), z)
    np.testing.assert_array_equal(model.embed(Items(X[:, None])), z)
    with pytest.raises(ValueError, match=r"items of shape \(9, 2, 4\).*flatten"):
        model.embed(Items(X.reshape(40, 9, 2, 4)))
    with pytest.raises(ValueError, match=r"Item 0 .* items of shape \(\), but"):
        model.embed(Items(np.arange(40)))


@pytest.mark.parametrize("shape", [(3, 32, 3), (2, 16, 16), (7, 7, 7), (4, 4, 4)])
def test_other_shapes_are_read_by_the_rule(shape):
    X, y = images_of_two_classes(*shape)
    of_arrays, of_items = encoder().fit(X, y), encoder().fit(Items(X), y)
    assert of_arrays.net_.module_.standardize.input_shape == (shape[2], *shape[:2])
    assert of_items.net_.module_.standardize.input_shape == shape
    # What was fitted tells the rest.
    np.testing.assert_allclose(
        of_arrays.embed(Items(X.transpose(FIRST))), of_arrays.embed(X), rtol=1e-5
    )
    np.testing.assert_allclose(
        of_items.embed(X.transpose(LAST)), of_items.embed(Items(X)), rtol=1e-5
    )


@given(st.tuples(*[st.integers(1, 9)] * 3), st.booleans(), st.booleans(), st.data())
def test_order_brings_items_to_the_layout(shape, fitted_last, given_last, data):
    layout = Layout.of(shape, channels_last=fitted_last)
    image = np.random.default_rng(0).integers(0, 99, size=layout.network_shape)
    fitted = image.transpose(1, 2, 0) if layout.channels_last else image
    assert fitted.shape == layout.shape
    item = data.draw(st.sampled_from([image, image.transpose(1, 2, 0)]))
    if len(set(layout.network_shape)) == 1:  # told by the rule alone
        item = image.transpose(1, 2, 0) if given_last else image
    order = layout.order(item.shape, channels_last=given_last)
    np.testing.assert_array_equal(item.transpose(order).reshape(layout.shape), fitted)
    odd = (shape[0], shape[1], 10)
    assert layout.order(odd, channels_last=given_last) is None


# What does not fit


@pytest.mark.parametrize("fit", ["array last", "data set first"])
def test_a_single_image_is_told_from_wrong_ones(images, fits, fit):
    X, model = images[0], fits[fit]
    for method in (model.transform, model.embed, model.predict):
        for one in (X[0], X[0].transpose(2, 0, 1)):
            with pytest.raises(ValueError, match=r"single item .*add an axis, X\[None"):
                method(one)
        with pytest.raises(ValueError, match=r"\(7, 9, 3\).*\(.*\) as in fit: resize"):
            method(X[:, 1:])
        with pytest.raises(ValueError, match=r"shape \(8, 9\).* give the images 3 ch"):
            method(X[..., 0])
        with pytest.raises(ValueError, match=r"X has 5 features.* expecting 216"):
            method(X.reshape(40, -1)[:, :5])
        with pytest.raises(
            ValueError, match=r"Item 0 .*\(7, 9, 3\).*as in fit: resize"
        ):
            method(Items(X[:, 1:]))
        np.testing.assert_array_equal(method(X[:1]), method(X[0][None]))


def test_a_single_row_is_told():
    X, y = images_of_two_classes(6)
    model = encoder().fit(X, y)
    with pytest.raises(ValueError, match=r"\(6,\) of a single item.*X\[None\]"):
        model.transform(X[0])
    grey = encoder().fit(*images_of_two_classes(8, 9))
    with pytest.raises(ValueError, match=r"\(8, 9\) is a single item.*X\[None\]"):
        grey.transform(images_of_two_classes(8, 9)[0][0])


def test_input_shape_holds_for_data_sets():
    X, y = images_of_two_classes(8, 9, 3)
    with pytest.raises(ValueError, match=r"input_shape=\(8, 8, 3\) means 192 values"):
        encoder(input_shape=(8, 8, 3)).fit(Items(X), y)
    with pytest.raises(ValueError, match=r"Items of the data set have shape \(\)"):
        encoder().fit(Items(np.arange(40)), y)
    with pytest.raises(ValueError, match=r"have shape \(1, 8, 9, 3\)"):
        encoder().fit(Items(X[:, None]), y)


def test_no_images_are_no_samples(images, fits):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        fits["array last"].transform(images[0][:0])


def test_streams_are_encoded_in_their_order(images, fits):
    X, _ = images

    class Stream(IterableDataset):
        def __init__(self, X):
            self.X = X

        def __iter__(self):
            return iter(self.X)

    z = fits["array last"].embed(X)
    for form in (X, X.transpose(FIRST)):
        got = fits["array last"].embed(Stream(form))
        np.testing.assert_allclose(got, z, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="has 0 items"):
        fits["array last"].embed(Stream(X[:0]))
