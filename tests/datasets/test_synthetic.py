"""Synthetic codes have the statistics that they promise."""

import numpy as np
import pytest

from skhash.datasets import make_hash_blobs, make_multilabel_codes

BOTH = pytest.mark.parametrize("make", [make_hash_blobs, make_multilabel_codes])


@BOTH
@pytest.mark.parametrize("n_bits", [1, 8, 13])
def test_shapes_dtypes_and_padding(make, n_bits):
    codes, labels = make(40, n_bits, n_classes=3, random_state=0)
    bits, again = make(40, n_bits, n_classes=3, random_state=0, output="bits")
    assert codes.dtype == np.uint8
    assert bits.dtype == bool
    assert bits.shape == (40, n_bits)
    np.testing.assert_array_equal(np.packbits(bits, axis=1), codes)
    np.testing.assert_array_equal(labels, again)
    assert labels.shape == ((40,) if make is make_hash_blobs else (40, 3))


@BOTH
def test_seed_decides_everything_and_global_state_is_left_alone(make):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (make(50, random_state=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("flip", [0.0, 0.2, 0.5])
def test_blobs_differ_from_their_kind_as_often_as_flips_say(flip):
    bits, y = make_hash_blobs(
        2000, 64, n_classes=2, flip=flip, output="bits", random_state=0
    )
    same = bits[y == 0][:900]
    differing = (same[:450] != same[450:]).mean()
    assert differing == pytest.approx(2 * flip * (1 - flip), abs=0.01)
    assert np.bincount(y) == pytest.approx([1000, 1000], abs=100)


def test_items_that_share_more_labels_are_nearer():
    bits, Y = make_multilabel_codes(
        1500, 64, n_classes=6, n_labels=2.5, output="bits", random_state=0
    )
    assert Y.sum(axis=1).mean() == pytest.approx(2.5, abs=0.1)
    assert Y.sum(axis=1).min() == 1
    distances = (bits[:500, None] != bits[None, 500:]).sum(axis=2)
    union = np.maximum(Y[:500].sum(axis=1)[:, None], Y[500:].sum(axis=1))
    shared = Y[:500] @ Y[500:].T
    means = [distances[(shared == s) & (union == 3)].mean() for s in range(4)]
    assert (np.diff(means) < -2).all()


@BOTH
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "n_samples must be at least 1"),
        ({"n_bits": 0}, "n_bits must be at least 1"),
        ({"n_classes": -1}, "n_classes must be at least 1"),
        ({"flip": 1.1}, "flip must be a probability"),
        ({"output": "signs"}, "output must be"),
    ],
)
def test_bad_options_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


@pytest.mark.parametrize("n_labels", [0.5, 11])
def test_impossible_numbers_of_labels_are_refused(n_labels):
    with pytest.raises(ValueError, match="n_labels must be from 1"):
        make_multilabel_codes(n_labels=n_labels)
