"""Toy batches shared by the loss tests."""

import pytest
import torch

from skhash.losses import LOSSES

N_BITS = 6
N_CLASSES = 3

# Families of vectors have tests of their own.
OF_LABELS = [key for key, loss in LOSSES.items() if loss.supervision == "labels"]
OPTIONS = [
    ("csq", {"targets": "balanced", "quantization": 0.5}),
    ("dch", {"gamma": 2.0, "balance": False}),
    ("dcwh", {"center_init": "normal", "multilabel": "soft", "refine_from": 0.0}),
    ("dcwh", {"center_init": "far", "cube": 10.0, "inv_var": 0.5}),
    ("dhn", {"balance": True}),
    ("dhn", {"alpha": "auto"}),
    ("dpn", {"targets": "random", "refresh_every": 1}),
    ("dpsh", {"balance": True}),
    ("dsh", {"margin": 5.0, "balance": True}),
    ("dtsh", {"margin": 5.0, "quantization": 0.0}),
    ("dual_hinge", {"shape": 2.0, "distance": "inner"}),
    ("dual_hinge", {"shape": 0.5, "distance": "euclidean", "balance": False}),
    ("dual_hinge", {"similarity": "jaccard", "quantization": 0.5}),
    ("exponentiated", {"surrogate": "exp", "similarity": "jaccard"}),
    ("exponentiated", {"balance": False, "gamma": 0.3}),
    ("hashnet", {"weighting": "dataset", "similarity": "jaccard"}),
    ("hashnet", {"weighting": None}),
    ("ortho_hash", {"margin_type": "angle", "targets": "far"}),
    ("von_mises_fisher", {"center_init": "far", "multilabel": "soft"}),
    ("von_mises_fisher", {"quantization": 0.5, "concentration": 3.0}),
]
VARIANTS = [(key, {}) for key in OF_LABELS] + OPTIONS
NAMES = [key + "".join(f"-{v}" for v in params.values()) for key, params in VARIANTS]


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


@pytest.fixture(params=VARIANTS, ids=NAMES)
def make(request, new_generator):
    """A function that sets up the loss at hand for labels."""
    key, params = request.param

    def ready(labels, seed=0, n_bits=N_BITS, weight=None):
        loss = LOSSES[key](**params)
        generator = new_generator(seed)
        loss.setup(n_bits, labels, sample_weight=weight, generator=generator)
        return loss.double()

    return ready


@pytest.fixture(params=["single", "multi"])
def labels(request, y, label_sets):
    return y if request.param == "single" else label_sets
