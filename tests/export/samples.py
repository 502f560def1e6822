"""Databases to export, engines to export them to, and what a search must answer."""

import importlib
import os

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skhash import EmbeddingNeighbors, HammingNeighbors
from skhash.hamming import pack, unpack

K = 7
# Bits, ids and labels of a database.
CASES = pytest.mark.parametrize(
    ("n_bits", "ids", "labels"),
    [
        (64, "integers", None),
        (13, "strings", "strings"),
        (5, None, "integers"),
        (100, None, "floats"),
        (8, "strings", "bool"),
    ],
)


def engine(module):
    """A module of an engine; skips where it is missing, but for `make test-exports`."""
    if os.environ.get("SKHASH_TEST_ENGINES"):
        return importlib.import_module(module)
    return pytest.importorskip(module)


def codes_of(n_bits, n=400, seed=0):
    """Random codes, the first of which comes twice; short ones have many ties."""
    bits = np.random.default_rng(seed).random((n, n_bits)) < 0.4
    bits[1:2] = bits[0]
    return pack(bits)


def database(n_bits=64, ids="integers", labels=None, n=400):
    """A fitted database of codes."""
    made = {
        "integers": np.random.default_rng(1).permutation(10 * n)[:n],
        "strings": [f'item {i}\'s "ä"\\\t\n' for i in range(n)],
        None: None,
    }
    y = {
        None: None,
        "integers": np.arange(n) % 3,
        "strings": [f"class {i % 3}" for i in range(n)],
        "floats": np.arange(n) / 7,
        "bool": np.arange(n) % 2 == 0,
    }
    codes = unpack(codes_of(n_bits, n), n_bits)
    return HammingNeighbors().fit(codes, y[labels], ids=made[ids])


def embeddings(metric="euclidean", ids=None, **options):
    """A fitted database of vectors, and others to ask for."""
    X, y = load_digits(return_X_y=True)
    ids = None if ids is None else [f"digit {i}" for i in range(600)]
    neighbors = EmbeddingNeighbors(metric=metric, **options).fit(X[:600], y[:600], ids)
    return neighbors, X[600:620]


def labels_of(neighbors):
    """Labels by id."""
    ids = neighbors.ids_
    ids = range(len(neighbors.codes_)) if ids is None else ids.tolist()
    return dict(zip(ids, neighbors.labels_.tolist(), strict=True))


def truth(neighbors, query, n_bits):
    """Distance of each item by its id, a bit at a time."""
    ids = neighbors.ids_
    ids = range(len(neighbors.codes_)) if ids is None else ids.tolist()
    bits = unpack(neighbors.codes_, n_bits)
    asked = unpack(query[None], n_bits)[0]
    return {
        name: sum(a != b for a, b in zip(row, asked, strict=True))
        for name, row in zip(ids, bits.tolist(), strict=True)
    }


def check(neighbors, found, query, n_bits, k=K):
    """What an engine found, pairs of id and distance, against all distances.

    Distances must be exact, and of the k nearest; which of equal ones is left open.
    """
    true = truth(neighbors, query, n_bits)
    assert len(found) == k
    assert len({name for name, _ in found}) == k
    for name, distance in found:
        assert true[name] == distance
    assert sorted(d for _, d in found) == sorted(true.values())[:k]


def digits(query, n_bits):
    """A code as zeros and ones."""
    return "".join("01"[int(bit)] for bit in unpack(query[None], n_bits)[0])


QUERY = {n: codes_of(n, 1, seed=9)[0] for n in (5, 8, 13, 64, 100)}
