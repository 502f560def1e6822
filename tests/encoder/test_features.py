"""Rows of features: every kind of array gives the same codes."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.utils.data import TensorDataset

from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda X: X.tolist(), id="list"),
        pytest.param(lambda X: X.astype(np.uint8), id="uint8"),
        pytest.param(lambda X: X.astype(np.int64), id="int64"),
        pytest.param(lambda X: X.astype(np.uint16), id="uint16"),
        pytest.param(lambda X: X.astype(np.float16), id="float16"),
        pytest.param(lambda X: X.astype(np.float32), id="float32"),
        pytest.param(lambda X: X.astype(">f8"), id="big-endian"),
        pytest.param(lambda X: X.astype(object), id="object"),
        pytest.param(np.asfortranarray, id="fortran"),
        pytest.param(lambda X: np.repeat(X, 2, axis=1)[:, ::2], id="strided"),
        pytest.param(lambda X: X[::-1].copy()[::-1], id="reversed"),
        pytest.param(sp.csr_matrix, id="csr_matrix"),
        pytest.param(sp.csr_array, id="csr_array"),
        pytest.param(sp.coo_array, id="coo_array"),
        pytest.param(sp.csc_matrix, id="csc_matrix"),
        pytest.param(torch.from_numpy, id="tensor"),
        pytest.param(
            lambda X: torch.from_numpy(X).float().requires_grad_(), id="requires_grad"
        ),
        pytest.param(lambda X: torch.from_numpy(X).bfloat16(), id="bfloat16"),
    ],
)
def test_every_kind_of_array_gives_the_same_codes(small, z, convert):
    X, y = small
    other = convert(X)
    model = encoder().fit(other, y)
    assert model.n_features_in_ == 6
    assert model.input_shape_ == (6,)
    np.testing.assert_allclose(model.embed(other), z, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.embed(X), z, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(model.transform(other), np.packbits(z > 0, axis=1))


def test_bool_features_are_numbers(small):
    X, y = small
    model = encoder().fit(X > 4, y)
    np.testing.assert_array_equal(
        model.embed(X > 4), encoder().fit((X > 4) * 1.0, y).embed((X > 4) * 1.0)
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_name_the_features(small, z, library):
    frames = pytest.importorskip(library)
    X, y = small
    names = list("abcdef")
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate(names)})
    model = encoder().fit(frame, frames.Series(y))
    assert list(model.feature_names_in_) == names
    np.testing.assert_allclose(model.embed(frame), z, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[names[::-1]])
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    model.fit(frame, y)
    model.fit(TensorDataset(torch.from_numpy(X), torch.from_numpy(y)))
    assert not hasattr(model, "feature_names_in_")


class Spy:
    """A callback that keeps the data set it is trained on."""

    def __new__(cls, seen):
        from skorch.callbacks import Callback

        class Keep(Callback):
            def on_epoch_begin(self, net, dataset_train=None, **kwargs):
                seen.append(dataset_train)

        return Keep()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float16])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_memmap_stays_where_it_lies(small, tmp_path, dtype, early_stopping):
    X, y = small
    np.save(tmp_path / "X.npy", X.astype(dtype))
    memmap = np.load(tmp_path / "X.npy", mmap_mode="r")
    seen = []
    weight = np.arange(40) % 3  # zeros, too: they are left out without a copy
    model = encoder(callbacks=[Spy(seen)], early_stopping=early_stopping)
    model.fit(memmap, y, sample_weight=weight)
    assert seen
    assert all(np.shares_memory(items.X, memmap) for items in seen)
    assert seen[0].X.dtype == dtype
    assert not seen[0].X.flags.writeable
    np.testing.assert_array_equal(memmap, X.astype(dtype))


def test_images_of_a_memmap_stay_where_they_lie(images, tmp_path):
    X, y = images
    np.save(tmp_path / "X.npy", X)
    memmap = np.load(tmp_path / "X.npy", mmap_mode="r")
    seen = []
    encoder(max_epochs=1, callbacks=[Spy(seen)], network="mlp").fit(memmap, y)
    assert np.shares_memory(seen[0].X, memmap)
