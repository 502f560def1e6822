"""torch data sets in place of arrays."""

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


# Ours, or scikit-learn's from 1.9 on.
NO_WEIGHT = "sample_weight is zero for every item|at least one non-zero number"


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


class Pairs(Dataset):
    """Items and labels as numpy gives them; no label with ``alone=True``."""

    def __init__(self, X, y, alone=False):
        self.X, self.y, self.alone = X, y, alone

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index] if self.alone else (self.X[index], self.y[index])


@pytest.mark.slow
def test_dataset_of_features_learns_as_an_array(small):
    X, y = small
    X = X.astype(np.float32)
    names = np.array(["left", "right"])[y]
    pairs = Pairs(X, names)
    model = encoder(8, max_epochs=20).fit(pairs)
    assert list(model.classes_) == ["left", "right"]
    assert model.score(X, names) > 0.9
    np.testing.assert_array_equal(model.transform(X), model.transform(pairs))
    np.testing.assert_array_equal(model.predict(pairs), model.predict(X))
    alone = encoder(8, max_epochs=20).fit(Pairs(X, None, alone=True), names)
    np.testing.assert_array_equal(alone.embed(X), model.embed(X))
    given = encoder(8, max_epochs=20).fit(Pairs(X, y * 0), names)
    np.testing.assert_array_equal(given.embed(X), model.embed(X))


@pytest.mark.parametrize("channels", [3, 1, None])
def test_dataset_of_images_has_channels_first(images, channels):
    X, y = images
    X = X[..., 0] if channels is None else X[..., :channels]
    first = X if channels is None else X.transpose(0, 3, 1, 2)
    pairs = TensorDataset(torch.from_numpy(first.copy()), torch.from_numpy(y))
    model = encoder(max_epochs=1).fit(pairs)
    assert model.n_features_in_ == X[0].size
    mean = model.net_.module_.standardize.mean
    np.testing.assert_allclose(
        mean.ravel(), X.reshape(-1, channels or 1).mean(0), rtol=1e-5
    )
    assert model.transform(pairs).shape == (24, 2)


def test_dataset_leaves_global_generators_alone(small):
    X, y = small
    pairs = Pairs(X.astype(np.float32), y)
    before = torch.get_rng_state()
    model = encoder(early_stopping=True).fit(pairs)
    model.partial_fit(pairs).transform(pairs)
    assert torch.equal(before, torch.get_rng_state())


class Noisy(Pairs):
    """A data set that augments with torch's global generator."""

    def __getitem__(self, index):
        x, label = super().__getitem__(index)
        return x + torch.randn(len(x)).numpy(), label


def test_augmented_dataset_is_reproducible(small):
    X, y = small
    X = X.astype(np.float32)
    torch.manual_seed(1)
    one = encoder().fit(Noisy(X, y)).embed(X)
    torch.manual_seed(2)
    np.testing.assert_array_equal(one, encoder().fit(Noisy(X, y)).embed(X))


@pytest.mark.parametrize("extra", [1, 33])
def test_dataset_of_odd_size_does_not_end_in_a_batch_of_one(small, extra):
    X, y = small
    pairs = Pairs(X.astype(np.float32)[: 32 + extra % 32], y)
    model = encoder(batch_size=32).fit(pairs)
    model.partial_fit(Pairs(X.astype(np.float32)[:33], y))
    assert np.isfinite(model.embed(pairs)).all()


def test_weightless_items_of_a_dataset_are_left_out(small):
    X, y = small
    X = X.astype(np.float32)
    weight = np.arange(40) % 4 > 0
    one = encoder().fit(Pairs(X, y), sample_weight=weight)
    kept = encoder().fit(Pairs(X[weight], y[weight]))
    np.testing.assert_array_equal(one.embed(X), kept.embed(X))
    with pytest.raises(ValueError, match=NO_WEIGHT):
        encoder().fit(Pairs(X, y), sample_weight=np.zeros(40))


def test_bad_datasets_are_refused(small):
    X, y = small

    class Stream(IterableDataset):
        def __iter__(self):
            return iter(())

    with pytest.raises(ValueError, match="IterableDataset has no length"):
        encoder().fit(Stream())
    with pytest.raises(ValueError, match=r"must give \(item, label\) pairs"):
        encoder().fit(Pairs(X, None, alone=True))
    with pytest.raises(ValueError, match="has 40 items, but y has 39"):
        encoder().fit(Pairs(X, y), y[:39])
    with pytest.raises(ValueError, match="has 1 items; at least 2"):
        encoder().fit(Pairs(X[:1], y))
    with pytest.raises(ValueError, match="only one class"):
        encoder().fit(Pairs(X, y * 0))
    model = encoder().fit(X, y)
    with pytest.raises(ValueError, match="Item 0 of the data set has 5 features, but"):
        model.partial_fit(Pairs(X[:, :5], y))


@pytest.mark.slow
def test_workers_read_items_ahead(small):
    X, y = small
    X = X.astype(np.float32)
    workers = {"iterator_train__num_workers": 1, "iterator_valid__num_workers": 1}
    alone = encoder(8).fit(Pairs(X, y))
    helped = encoder(8, net_params=workers, early_stopping=True).fit(Pairs(X, y))
    assert helped.n_iter_ == 2
    helped = encoder(8, net_params=workers).fit(Pairs(X, y))
    np.testing.assert_array_equal(helped.embed(Pairs(X, y)), alone.embed(X))
    with pytest.warns(UserWarning, match="X is unlike what DeepHashEncoder was fitted"):
        helped.transform(Pairs(1000 * X, y))


def test_workers_leave_a_stream_alone(small):
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(torch.as_tensor(small[0], dtype=torch.float32))

    params = {"iterator_valid__num_workers": 2}
    model = encoder(8, net_params=params).fit(*small)
    np.testing.assert_array_equal(model.transform(Stream()), model.transform(small[0]))
