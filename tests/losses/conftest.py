"""Toy batches shared by the loss tests."""

import pytest
import torch

N_BITS = 6
N_CLASSES = 3


def _generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Batches this small only lose time to threads."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def z():
    """Real outputs of a network, 11 items of 6 bits."""
    return torch.randn(11, N_BITS, generator=_generator(0), dtype=torch.float64)


@pytest.fixture
def y():
    """Class numbers of the 11 items, 3 unequal classes."""
    return torch.tensor([0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 0])


@pytest.fixture
def label_sets():
    """Multi-label form: none, one, several or all of 3 labels."""
    names = ["a", "b", "ab", "c", "ac", "", "abc", "bc", "a", "b", ""]
    rows = [[float(label in name) for label in "abc"] for name in names]
    return torch.tensor(rows, dtype=torch.float64)


@pytest.fixture
def weight():
    """Weights of the 11 items, one of them 0."""
    return torch.tensor([1, 2, 0.5, 3, 0, 1, 1.5, 2, 1, 0.25, 1], dtype=torch.float64)


@pytest.fixture
def new_generator():
    """A function that makes a seeded generator."""
    return _generator
