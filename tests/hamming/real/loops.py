"""Real queries against codes by loops over bits in float64, and data to search in."""

import math

import numpy as np
from hypothesis import strategies as st

from skhash.hamming import Factors, pack
from tests.hamming.brute import N_BITS

CONSTANTS = {"euclidean": 1.0, "cosine": 0.5, "inner_product": 0.0}


def rounded(query, query_bits):
    """A query on its grid, value by value, worked out in Python's floats."""
    most = 2**query_bits - 1
    square = sum(float(w) * float(w) for w in query)
    radius = max(abs(float(w)) for w in query)
    cut = [0.797, 1.494, 2.051, 2.509, 2.913, 3.264][query_bits - 1 : query_bits]
    if cut:
        radius = min(radius, cut[0] * math.sqrt(square / len(query)))
    if radius * 2 / most == 0:
        return np.zeros(len(query))
    width = radius * 2 / most
    levels = [min(max(round(float(w) / width + most / 2), 0), most) for w in query]
    around = [level - most / 2 for level in levels]
    step = square / sum(float(w) * a for w, a in zip(query, around, strict=True))
    return np.array([step * a for a in around])


def estimates(queries, bits, factors):
    """Values of all items for queries as they are, by a double loop."""
    out = np.empty((len(queries), len(bits)))
    for q, query in enumerate(queries):
        constant = CONSTANTS[factors.metric] * math.fsum(query * query)
        for i, row in enumerate(bits):
            slope, offset, _ = map(float, factors.table[i])
            product = math.fsum(np.where(row, query, -query))
            out[q, i] = slope * product + offset + constant
    return out


def draw(rng, n_queries, n_items, n_bits, kind="normal"):
    """(queries, bits, codes, factors) that need not belong together."""
    queries = rng.normal(size=(n_queries, n_bits))
    if kind == "few":  # many equal estimates
        queries = rng.integers(-1, 2, (n_queries, n_bits)).astype(float)
    bits = rng.random((n_items, n_bits)) < 0.5
    table = rng.normal(size=(n_items, 3))
    if kind == "few":
        bits, table = bits[rng.integers(0, min(2, n_items), n_items)], np.sign(table)
    table[:, 2] = abs(table[:, 2])
    metric = list(CONSTANTS)[rng.integers(3)]
    codes = pack(bits) if n_items else np.empty((0, -(-n_bits // 8)), np.uint8)
    return queries, bits, codes, Factors(table, metric)


@st.composite
def searches(draw_, max_items=200, max_queries=9):
    """(queries, bits, codes, factors, rng) of every width."""
    rng = np.random.default_rng(draw_(st.integers(0, 2**32 - 1)))
    n_bits = draw_(st.sampled_from(N_BITS))
    n_queries = draw_(st.integers(0, max_queries))
    n_items = draw_(st.integers(1, max_items))
    kind = draw_(st.sampled_from(["normal", "few"]))
    return *draw(rng, n_queries, n_items, n_bits, kind), rng
