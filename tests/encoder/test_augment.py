"""Random changes of training images: what they are, and where they are seen."""

import numpy as np
import pytest
import torch

from skhash import DeepHashEncoder
from skhash.encoder._augment import crop_flip, flip
from tests.encoder.helpers import Items, Pairs, Recorder, encoder_with, refused

encoder = encoder_with(8, max_epochs=3, batch_size=16, network="mlp")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def images(*shape, dtype=np.uint8, seed=0):
    """Images of two classes, dark and bright."""
    X = np.random.default_rng(seed).integers(0, 100, size=(48, *shape)).astype(dtype)
    X[1::2] += 100
    return X, np.arange(48) % 2


class Watcher:
    """An augmentation that keeps what it is given and changes nothing."""

    def __init__(self):
        self.seen = []

    def __call__(self, batch, generator):
        self.seen.append((batch.clone(), int(generator.initial_seed())))
        return batch


# What they do


def reflected(image, rows, columns):
    """The image shifted by rows and columns, its border filled by reflection."""
    height, width = image.shape[1:]
    pad = height // 8, width // 8
    padded = np.pad(image, [(0, 0), (pad[0],) * 2, (pad[1],) * 2], mode="reflect")
    top, left = pad[0] + rows, pad[1] + columns
    return padded[:, top : top + height, left : left + width]


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 24), (3, 17, 33), (4, 5, 9)])
def test_crop_flip_gives_reflected_shifts_of_all_kinds(shape):
    batch = np.random.default_rng(0).integers(0, 256, (150, *shape)).astype(np.uint8)
    out = crop_flip(torch.from_numpy(batch), torch.Generator().manual_seed(0)).numpy()
    assert out.dtype == np.uint8
    reach = shape[1] // 8, shape[2] // 8
    kinds = [
        (rows, columns, mirrored)
        for rows in range(-reach[0], reach[0] + 1)
        for columns in range(-reach[1], reach[1] + 1)
        for mirrored in (False, True)
    ]
    counts = dict.fromkeys(kinds, 0)
    for image, changed in zip(batch, out, strict=True):
        matches = [
            kind
            for kind in kinds
            if np.array_equal(
                reflected(image, *kind[:2])[:, :, :: -1 if kind[2] else 1], changed
            )
        ]
        assert len(matches) == 1
        counts[matches[0]] += 1
    expected = 150 / len(kinds)
    assert all(abs(n - expected) < 5 * expected**0.5 + 1 for n in counts.values())


def test_flip_mirrors_half():
    batch = torch.arange(200 * 3 * 4 * 5).reshape(200, 3, 4, 5)
    out = flip(batch, torch.Generator().manual_seed(0))
    same = (out == batch).flatten(1).all(1)
    mirrored = (out == batch.flip(3)).flatten(1).all(1)
    assert torch.equal(same, ~mirrored)
    assert 70 < int(mirrored.sum()) < 130


# What a callable gets


@pytest.mark.parametrize("shape", [(9, 10), (9, 10, 3), (10, 9, 1), (3, 9, 10)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
def test_a_callable_sees_raw_images_with_channels_first(shape, dtype):
    X, y = images(*shape, dtype=dtype)
    watcher = Watcher()
    encoder(augment=watcher, max_epochs=1).fit(X, y)
    seen = torch.cat([batch for batch, _ in watcher.seen]).numpy()
    assert seen.dtype == dtype
    first = X[:, None] if len(shape) == 2 else X
    if len(shape) == 3 and shape[0] != 3:
        first = X.transpose(0, 3, 1, 2)
    assert seen.shape == first.shape
    order = np.lexsort(seen.reshape(48, -1).T), np.lexsort(first.reshape(48, -1).T)
    np.testing.assert_array_equal(seen[order[0]], first[order[1]])


def test_flat_rows_are_images_where_input_shape_says_so():
    X, y = images(8, 9)
    watcher = Watcher()
    encoder(augment=watcher, input_shape=(8, 9)).fit(X.reshape(48, -1), y)
    assert watcher.seen[0][0].shape == (16, 1, 8, 9)


def test_items_of_a_data_set_are_augmented():
    X, y = images(3, 8, 9)
    watcher = Watcher()
    encoder(augment=watcher, max_epochs=1).fit(Pairs(torch.from_numpy(X), y))
    assert {batch.shape[1:] for batch, _ in watcher.seen} == {(3, 8, 9)}
    watcher = Watcher()
    encoder(augment=watcher, max_epochs=1).fit(Items(X), y)
    assert len(watcher.seen) == 3


def test_each_batch_of_each_epoch_has_draws_of_its_own():
    watcher = Watcher()
    encoder(augment=watcher).fit(*images(8, 8))
    seeds = [seed for _, seed in watcher.seen]
    assert len(seeds) == len(set(seeds)) == 9
    again, other = Watcher(), Watcher()
    encoder(augment=again).fit(*images(8, 8))
    encoder(augment=other, random_state=1).fit(*images(8, 8))
    assert [seed for _, seed in again.seen] == seeds
    assert not set(seeds) & {seed for _, seed in other.seen}


def test_draws_do_not_depend_on_those_of_other_batches():
    """The second epoch draws the same, whatever the first one drew."""

    def greedy(batch, generator):
        torch.rand(1000, generator=generator)
        return batch

    plain = encoder(augment=lambda batch, generator: batch).fit(*images(8, 8))
    torch.testing.assert_close(
        encoder(augment=greedy).fit(*images(8, 8)).embed(images(8, 8)[0]),
        plain.embed(images(8, 8)[0]),
        rtol=0,
        atol=0,
    )


# Where it is seen


@pytest.mark.parametrize("augment", ["flip", "crop_flip"])
def test_images_are_learnt_from_as_changed_by_hand(augment):
    """A callable that calls the built-in function trains to the same weights."""
    X, y = images(8, 8, 3)
    function = {"flip": flip, "crop_flip": crop_flip}[augment]
    codes = encoder(augment=augment).fit(X, y).embed(X)
    np.testing.assert_array_equal(codes, encoder(augment=function).fit(X, y).embed(X))
    assert not np.array_equal(codes, encoder().fit(X, y).embed(X))


@pytest.mark.parametrize("loss", ["dcwh", "hashnet", "exponentiated"])
def test_only_training_batches_are_augmented(loss):
    """Black images come to the loss from training, and from nowhere else."""
    X, y = images(8, 8)

    def black(batch, generator):
        return torch.zeros_like(batch)

    sizes = []

    class Look(torch.nn.Module):
        def forward(self, x):
            if x.any():  # not a trial with zeros, for the width of the body
                sizes.append((self.training, float(x.flatten(1).std(0).sum())))
            return x.flatten(1)[:, :10]

    model = encoder(
        loss=loss,
        network=torch.nn.Sequential(Look(), torch.nn.Linear(10, 12)),
        augment=black,
        early_stopping=True,
        max_epochs=6,
    ).fit(X, y)
    assert {spread == 0 for training, spread in sizes if training} == {True}
    assert {spread == 0 for training, spread in sizes if not training} == {False}
    # The means and scales are those of the images as they are.
    scale = float(model.net_.module_.standardize.scale)
    assert scale == pytest.approx(X.std(), rel=0.02)  # of those not held out


def test_health_is_that_of_the_images_as_they_are():
    X, y = images(8, 8)

    def black(batch, generator):
        return torch.zeros_like(batch)

    codes = Recorder(lambda net: net.predict(net.dataset_seen))
    codes.on_train_begin = lambda net, X=None, **_: setattr(net, "dataset_seen", X)
    model = encoder(augment=black, callbacks=[codes]).fit(X, y)
    for row, z in zip(model.history_, codes.seen, strict=True):
        bits = z > 0
        assert row["n_distinct"] == len(np.unique(bits, axis=0))


def test_partial_fit_augments():
    X, y = images(8, 8)
    watcher = Watcher()
    model = encoder(augment=watcher).partial_fit(X, y).partial_fit(X, y)
    seeds = [seed for _, seed in watcher.seen]
    assert len(seeds) == len(set(seeds)) == 6
    assert model.n_iter_ == 2


# What is refused


def test_features_are_refused(blobs):
    for augment in ("flip", lambda batch, generator: batch):
        refused(
            blobs, DeepHashEncoder(8, augment=augment, callbacks=[]), "changes images"
        )


def test_features_are_refused_before_a_network_is_built(blobs):
    def build(input_shape, n_bits):
        pytest.fail("a network is built")

    for method in ("fit", "partial_fit"):
        model = DeepHashEncoder(8, augment="flip", network=build)
        with pytest.raises(ValueError, match="changes images"):
            getattr(model, method)(*blobs)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda batch, generator: batch[:, :, :4], r"shape \(16, 1, 4, 8\)"),
        (lambda batch, generator: batch.numpy(), "shape"),
        (lambda batch, generator: None, "NoneType"),
    ],
)
def test_another_shape_is_refused(function, told):
    if "numpy" in str(function.__code__.co_names):
        told = r"returned shape \(16, 1, 8, 8\)"
    with pytest.raises(ValueError, match="augment must return a tensor.*" + told):
        encoder(augment=function).fit(*images(8, 8))


def test_a_word_that_is_none(blobs):
    with pytest.raises(ValueError, match="augment"):
        encoder(augment="crop").fit(*blobs)
