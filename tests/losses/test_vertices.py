"""Codes for classes: distances recomputed by comparing bits."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.losses._vertices import (
    far_vertices,
    hadamard_vertices,
    minimum_distance,
    random_vertices,
)


def naive_minimum_distance(codes):
    pairs = itertools.combinations(codes.tolist(), 2)
    distances = [sum(p != q for p, q in zip(a, b, strict=True)) for a, b in pairs]
    return min(distances, default=codes.shape[1])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 9))
def test_hadamard_codes_use_every_bit(n_classes, n_bits, seed):
    generator = torch.Generator().manual_seed(seed)
    codes = hadamard_vertices(n_classes, n_bits, generator)
    assert codes.shape == (n_classes, n_bits)
    assert set(codes.unique().tolist()) <= {-1.0, 1.0}
    assert minimum_distance(codes) == naive_minimum_distance(codes)
    if n_classes > 1:
        assert (codes.amin(0) < codes.amax(0)).all()


@pytest.mark.parametrize(
    ("n_classes", "n_bits", "distance"),
    [(2, 12, 12), (3, 6, 4), (4, 12, 8), (10, 15, 8), (10, 30, 16), (20, 16, 8)],
)
def test_hadamard_codes_are_far_apart(n_classes, n_bits, distance, new_generator):
    codes = hadamard_vertices(n_classes, n_bits, new_generator(0))
    assert naive_minimum_distance(codes) >= distance


def test_far_codes_are_farther_than_random_ones(new_generator):
    far = naive_minimum_distance(far_vertices(10, 24, new_generator(0)))
    generator = new_generator(1)
    draws = [random_vertices(10, 24, generator) for _ in range(50)]
    assert far >= 9
    assert far > sum(map(naive_minimum_distance, draws)) / len(draws) + 2


def test_codes_differ_between_classes_when_bits_allow(new_generator):
    for n_classes, n_bits in ((16, 8), (100, 12), (1000, 16)):
        codes = hadamard_vertices(n_classes, n_bits, new_generator(0))
        assert len(codes.unique(dim=0)) == n_classes


def test_more_classes_than_codes_still_get_one_each(new_generator):
    assert hadamard_vertices(9, 2, new_generator(0)).shape == (9, 2)
    assert far_vertices(9, 2, new_generator(0)).shape == (9, 2)
