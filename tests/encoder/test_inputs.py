"""What the encoder takes and what it refuses: items, labels, weights."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.exceptions import DataConversionWarning
from sklearn.utils._param_validation import InvalidParameterError
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from skhash import DeepHashEncoder
from skhash.encoder._data.batches import ArrayDataset
from skhash.encoder._data.inputs import check_training, moments

# Ours, or scikit-learn's from 1.9 on.
NO_WEIGHT = "sample_weight is zero for every item|at least one non-zero number"

pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


def encoder(n_bits=12, **params):
    return DeepHashEncoder(
        n_bits, **{"max_epochs": 2, "random_state": 0, "batch_size": 64, **params}
    )


@pytest.fixture(scope="module")
def small():
    """Features (40, 6) of two classes as whole numbers 0..9: any dtype holds them."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.integers(0, 5, size=(40, 6)) + 5 * (y[:, None] * (np.arange(6) < 3))
    return X.astype(np.float64), y


@pytest.fixture(scope="module")
def images():
    """Images (24, 8, 9, 3) of uint8 and their labels."""
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = rng.integers(0, 100, size=(24, 8, 9, 3)) + 100 * y[:, None, None, None]
    return X.astype(np.uint8), y


@pytest.fixture(scope="module")
def z(small):
    """Outputs of the encoder fitted on float64 items."""
    X, y = small
    return encoder().fit(X, y).embed(X)


# Kinds of features


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


# Images


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


# torch data sets


class Pairs(Dataset):
    """Items and labels as numpy gives them; no label with ``alone=True``."""

    def __init__(self, X, y, alone=False):
        self.X, self.y, self.alone = X, y, alone

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index] if self.alone else (self.X[index], self.y[index])


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


# Labels and weights


def test_column_of_labels_warns(small, z):
    X, y = small
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = encoder().fit(X, y[:, None])
    np.testing.assert_array_equal(model.embed(X), z)


def test_tensor_of_labels(small, z):
    X, y = small
    np.testing.assert_array_equal(encoder().fit(X, torch.from_numpy(y)).embed(X), z)


def test_weightless_rows_count_as_removed(small):
    X, y = small
    X = np.vstack([X, X[:5] + 100])
    y = np.append(y, [2, 2, 0, 1, 2])  # class 2 has no weight at all
    weight = np.append(np.ones(40), np.zeros(5))
    weight[::7] = 0
    model = encoder().fit(X, y, sample_weight=weight)
    kept = encoder().fit(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(model.classes_, [0, 1])
    np.testing.assert_array_equal(model.embed(X), kept.embed(X))
    np.testing.assert_array_equal(model.predict(X), kept.predict(X))


@pytest.mark.parametrize("weight", [1, 0.25, 1e6])
def test_constant_weights_are_none(small, z, weight):
    X, y = small
    weighted = encoder().fit(X, y, sample_weight=np.full(40, weight))
    np.testing.assert_array_equal(weighted.embed(X), z)


def test_scale_of_weights_does_not_matter(small):
    X, y = small
    weight = np.linspace(1, 2, 40)
    one, two = (
        encoder().fit(X, y, sample_weight=w).embed(X) for w in (weight, weight * 1024)
    )
    np.testing.assert_allclose(one, two, rtol=1e-5)
    assert not np.allclose(one, encoder().fit(X, y).embed(X))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(40, -1.0), "Negative values"),
        (np.zeros(40), NO_WEIGHT),
        (np.ones(39), r"sample_weight.shape == \(39,\)"),
        (np.ones((40, 2)), "must be 1D array or scalar"),
        (np.full(40, np.nan), "NaN"),
        (np.eye(1, 40)[0], "at least 2 items of positive weight"),
        (np.arange(40) % 2, "only one class"),
    ],
)
def test_bad_weights_are_refused(small, weight, message):
    X, y = small
    with pytest.raises(ValueError, match=message):
        encoder().fit(X, y, sample_weight=weight)


# Bad input: refused before any work, with nothing left behind


def with_value(value):
    def change(X, y):
        X = X.copy()
        X[3, 2] = value
        return X, y

    return change


BAD = {
    "NaN": (with_value(np.nan), "Input X contains NaN"),
    "infinity": (with_value(np.inf), "Input X contains infinity"),
    "strings": (lambda X, y: (X.astype(str).astype(object) + "a", y), "string"),
    "complex": (lambda X, y: (X + 1j, y), "Complex data not supported"),
    "one dimension": (lambda X, y: (X[:, 0], y), "Expected 2D array, got 1D"),
    "no items": (lambda X, y: (X[:0], y[:0]), r"0 sample\(s\)"),
    "no features": (lambda X, y: (X[:, :0], y), r"0 feature\(s\)"),
    "one item": (lambda X, y: (X[:1], y[:1]), "minimum of 2 is required"),
    "no labels": (lambda X, y: (X, None), "requires y to be passed"),
    "fewer labels": (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
    "one class": (lambda X, y: (X, y * 0), "only one class"),
    "continuous": (lambda X, y: (X, y + 0.5 * X[:, 0]), "Unknown label type"),
    "NaN label": (lambda X, y: (X, np.where(y, y, np.nan)), "NaN"),
    "multi-output": (
        lambda X, y: (X, np.column_stack([y, y + 1, y + 2])),
        "Unknown label type: multiclass-multioutput",
    ),
    "one label set": (
        lambda X, y: (X, np.tile([0, 1], (40, 1))),
        "all rows of y have the same labels",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_data_are_refused_and_leave_nothing(small, case, method):
    change, message = BAD[case]
    model = encoder()
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*change(*small))
    assert vars(model) == before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_bits": 0}, "The 'n_bits' parameter of DeepHashEncoder must be an int"),
        ({"n_bits": 4097}, "The 'n_bits' parameter"),
        ({"n_bits": 8.0}, "The 'n_bits' parameter"),
        ({"loss": "hinge"}, "The 'loss' parameter of DeepHashEncoder must be a str"),
        ({"loss": torch.nn.MSELoss()}, "The 'loss' parameter"),
        ({"network": "resnet"}, "The 'network' parameter"),
        ({"optimizer": "lion"}, "The 'optimizer' parameter"),
        ({"lr": 0}, "The 'lr' parameter"),
        ({"lr_schedule": "step"}, "The 'lr_schedule' parameter"),
        ({"max_epochs": 0}, "The 'max_epochs' parameter"),
        ({"max_epochs": "all"}, "The 'max_epochs' parameter"),
        ({"batch_size": 1}, "The 'batch_size' parameter"),
        ({"balanced_batches": "yes"}, "The 'balanced_batches' parameter"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"output": "hex"}, "The 'output' parameter"),
        ({"random_state": "one"}, "The 'random_state' parameter"),
        ({"callbacks": "print"}, "The 'callbacks' parameter"),
        ({"net_params": [1]}, "The 'net_params' parameter"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_parameters_are_refused_and_leave_nothing(small, params, message, method):
    model = DeepHashEncoder(**params)
    before = vars(model).copy()
    with pytest.raises(InvalidParameterError, match=message):
        getattr(model, method)(*small)
    assert vars(model) == before


def test_bad_parameters_of_a_loss_are_refused(small):
    model = encoder()
    with pytest.raises(ValueError, match="Invalid parameter 'nope' for estimator Dual"):
        model.set_params(loss__nope=1)
    with pytest.raises(ValueError, match="loss='hinge' has no parameters to set"):
        encoder(loss="hinge").set_params(loss__shape=1)
    model.set_params(loss__shape=-1)
    before = vars(model).copy()
    with pytest.raises(InvalidParameterError, match="The 'shape' parameter of DualHin"):
        model.fit(*small)
    assert vars(model) == before


def test_failed_fit_leaves_the_fitted_encoder_as_it_was(small, z):
    X, y = small
    model = encoder().fit(X, y)
    for bad in ((X[:, :4], y * 0), (X[:, :4], None), (X[:, :4] * np.nan, y)):
        with pytest.raises(ValueError, match=r"class|NaN|y to be passed"):
            model.fit(*bad)
        assert model.n_features_in_ == 6
        np.testing.assert_array_equal(model.embed(X), z)


def test_other_items_than_in_fit_are_refused(small, images):
    X, y = small
    model = encoder().fit(X, y)
    for method in (model.transform, model.embed, model.predict):
        with pytest.raises(ValueError, match="X has 5 features, but DeepHashEncoder"):
            method(X[:, :5])
        with pytest.raises(ValueError, match="contains NaN"):
            method(X * np.nan)
        with pytest.raises(ValueError, match="Expected 2D array"):
            method(X[0])
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            method(X[:0])
    with pytest.raises(ValueError, match=r"items of shape \(2, 3\).*\(6,\) as in fit"):
        model.transform(X.reshape(40, 2, 3))
    model = encoder(max_epochs=1).fit(*images)
    with pytest.raises(ValueError, match=r"shape \(9, 8, 3\).*\(8, 9, 3\) as in fit"):
        model.transform(images[0].transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match="X has 72 features"):
        model.transform(images[0][..., 0])


# Moments


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_moments_are_those_of_the_items(make, monkeypatch):
    monkeypatch.setattr("skhash.encoder._data.inputs._CHUNK", 64)  # many small chunks
    rng = np.random.default_rng(0)
    X = rng.normal(1e3, 2, size=(101, 8))
    X[:, 3] = 7
    y = np.arange(101) % 2
    data = check_training(DeepHashEncoder(), make(X), y, None, item_shape=None)
    mean, scale = moments(data, 8)
    np.testing.assert_allclose(mean, X.mean(0))
    np.testing.assert_allclose(scale, np.where(np.arange(8) == 3, 1, X.std(0)))
    assert isinstance(data.items, ArrayDataset)


def test_moments_of_images_are_those_of_channels(monkeypatch):
    monkeypatch.setattr("skhash.encoder._data.inputs._CHUNK", 64)
    rng = np.random.default_rng(0)
    X = rng.normal([10, 20], [1, 3], size=(30, 4, 5, 2))
    X[..., 0] += np.arange(5)
    y = np.arange(30) % 2
    data = check_training(DeepHashEncoder(), X, y, None, item_shape=None)
    mean, scale = moments(data, 40)
    np.testing.assert_allclose(mean, X.mean((0, 1, 2)))
    np.testing.assert_allclose(scale, X.std((0, 1, 2)))
