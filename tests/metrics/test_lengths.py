"""Short codes from long ones."""

import numpy as np
import pytest
from scipy import sparse

from skhash.hamming import pack, unpack
from skhash.metrics import (
    mean_average_precision,
    order_bits,
    precision_at_k,
    score_by_length,
)


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 120)
    centers = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)
    bits = rng.random((120, 11)) < 0.5
    # Bits 7 and 2 tell the class, bit 9 repeats bit 7, the others are noise.
    bits[:, [7, 2]] = centers[labels] ^ (rng.random((120, 2)) < [0.02, 0.05])
    bits[:, 9] = bits[:, 7]
    return bits, labels


def test_scores_are_those_of_cut_codes(task):
    bits, labels = task
    codes = pack(bits)
    given_ = (codes[:30], codes[30:], labels[:30], labels[30:])
    lengths, scores = score_by_length(*given_, n_bits=11)
    assert lengths.tolist() == [1, 2, 4, 8, 11]
    for length, score in zip(lengths, scores, strict=True):
        cut = pack(bits[:, :length])
        expected = mean_average_precision(cut[:30], cut[30:], labels[:30], labels[30:])
        assert score == pytest.approx(expected)
    lengths, scores = score_by_length(
        *given_, n_bits=11, lengths=[3, 10], metric=precision_at_k, k=5
    )
    cut = pack(bits[:, :10])
    expected = precision_at_k(cut[:30], cut[30:], labels[:30], labels[30:], 5)
    assert lengths.tolist() == [3, 10]
    assert scores[1] == pytest.approx(expected)


def test_useful_bits_come_first_and_repetitions_later(task):
    bits, labels = task
    order = order_bits(pack(bits), labels, n_bits=11, random_state=0)
    assert sorted(order) == list(range(11))
    assert order[1] == 2
    assert order[0] in (7, 9)
    by_order = score_by_length(*[bits[:, order]] * 2, *[labels] * 2, lengths=[2, 11])
    natural = score_by_length(*[bits] * 2, *[labels] * 2, lengths=[2, 11])
    assert by_order[1][0] > natural[1][0] + 0.2
    assert by_order[1][1] == pytest.approx(natural[1][1])


def test_order_is_greedy_on_a_seeded_sample(task):
    bits, labels = task
    order = order_bits(bits, labels, n_samples=50, random_state=1)
    np.testing.assert_array_equal(
        order, order_bits(bits, labels, n_samples=50, random_state=1)
    )
    # The whole sample: the first choice is the best single bit.
    order = order_bits(bits, labels)
    alone = [
        mean_average_precision(*[bits[:, [bit]]] * 2, *[labels] * 2, exclude_self=True)
        for bit in range(11)
    ]
    assert order[0] == np.argmax(alone)


def test_several_labels_an_item_are_ordered_too(task):
    bits, labels = task
    one_hot = np.eye(4, dtype=int)[labels]
    expected = order_bits(bits, labels)
    for several in (one_hot, sparse.csr_array(one_hot)):
        np.testing.assert_array_equal(order_bits(bits, several), expected)


def test_reordered_codes_keep_their_distances(task):
    bits, labels = task
    codes = pack(bits)
    order = order_bits(codes, labels, n_bits=11)
    moved = pack(unpack(codes, 11)[:, order])
    given_ = (labels, labels)
    assert mean_average_precision(moved, moved, *given_) == pytest.approx(
        mean_average_precision(codes, codes, *given_)
    )


def test_bad_input_is_refused(task):
    bits, labels = task
    codes = pack(bits)
    given_ = (codes, codes, labels, labels)
    with pytest.raises(ValueError, match="at most n_bits=11"):
        score_by_length(*given_, n_bits=11, lengths=[12])
    with pytest.raises(ValueError, match="lengths must be at least 1"):
        score_by_length(*given_, n_bits=11, lengths=[0])
    with pytest.raises(ValueError, match="does not fit"):
        score_by_length(*given_, n_bits=17)
    with pytest.raises(ValueError, match="does not fit"):
        order_bits(codes, labels, n_bits=8)
    with pytest.raises(ValueError, match="n_samples must be at least 1"):
        order_bits(codes, labels, n_samples=0)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        order_bits(codes, labels[:-1])
