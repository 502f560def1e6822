"""Images as the encoder takes them."""

import numpy as np
import pytest
import torch

from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


@pytest.mark.parametrize("network", ["convnet", "mlp"])
def test_images_and_their_flat_rows_give_the_same_codes(images, network):
    X, y = images
    params = {"network": network, "max_epochs": 1}
    model = encoder(**params).fit(X, y)
    assert model.input_shape_ == (8, 9, 3)
    assert model.n_features_in_ == 8 * 9 * 3
    flat = X.reshape(24, -1)
    other = encoder(input_shape=(8, 9, 3), **params).fit(flat, y)
    np.testing.assert_array_equal(model.embed(X), other.embed(flat))
    np.testing.assert_array_equal(model.embed(flat), other.embed(X))
    np.testing.assert_array_equal(
        encoder(**params).fit(X.tolist(), y).embed(X), model.embed(X)
    )
    np.testing.assert_array_equal(
        model.embed(torch.from_numpy(X)), model.embed(np.asfortranarray(X))
    )


def test_grey_images_are_images_of_one_channel(images):
    X, y = images
    X = X[..., 0]
    model = encoder(max_epochs=1).fit(X, y)
    assert model.input_shape_ == (8, 9)
    other = encoder(max_epochs=1).fit(X[..., None], y)
    assert other.input_shape_ == (8, 9, 1)
    np.testing.assert_array_equal(model.embed(X), other.embed(X[..., None]))


def test_network_sees_channels_first_and_standardised(images):
    X, y = images
    seen = []

    def network(input_shape, n_bits):
        class Look(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.flat = torch.nn.Linear(216, 5)

            def forward(self, x):
                seen.append(x)
                return self.flat(x.flatten(1))

        assert input_shape == (3, 8, 9)
        return Look()

    model = encoder(max_epochs=1, network=network).fit(X, y)
    seen.clear()
    model.transform(X)
    mean, std = X.reshape(-1, 3).mean(0), X.reshape(-1, 3).std(0)
    expected = ((X - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(torch.cat(seen).numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("input_shape", "shape", "message"),
    [
        ((8, 9), (24, 8, 9, 3), r"X has images of shape \(8, 9, 3\)"),
        ((8, 9), (24, 216), "X has 216 features"),
        ((9, 8, 3), (24, 8, 9, 3), r"input_shape=\(9, 8, 3\) means 216 values"),
        ((2, 4, 9, 3), (24, 216), "as positive integers"),
        ((8, -9), (24, 216), "as positive integers"),
        ((8.0, 27.0), (24, 216), "as positive integers"),
        ((), (24, 216), "as positive integers"),
    ],
)
def test_input_shape_that_does_not_fit_is_refused(images, input_shape, shape, message):
    X, y = images
    with pytest.raises(ValueError, match=message):
        encoder(input_shape=input_shape).fit(X.reshape(shape), y)


def test_narrow_channels_first_and_too_many_dimensions_are_refused(images):
    X, y = images
    with pytest.raises(ValueError, match=r"channels first.*transpose\(0, 2, 3, 1\)"):
        encoder().fit(X[:, :4].transpose(0, 3, 1, 2), y)
    with pytest.raises(ValueError, match="Found array with dim 5"):
        encoder().fit(X[..., None], y)
