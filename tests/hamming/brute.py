"""The search by loops over bits, and data to search in."""

import numpy as np
from hypothesis import strategies as st

N_BITS = (1, 7, 8, 12, 31, 32, 33, 63, 64, 65, 128, 200, 256, 1000, 4096)
THREADS = (1, 2)


def draw_codes(rng, n, n_bits, spread=0.5):
    """Codes around a few centres: many near, many equal, many tied distances."""
    centres = rng.random((3, n_bits)) < 0.5
    bits = centres[rng.integers(0, 3, n)] ^ (rng.random((n, n_bits)) < spread)
    return np.packbits(bits, axis=1).reshape(n, -(-n_bits // 8))


@st.composite
def searches(draw, max_items=300):
    """Queries and database of one width: (queries, database, rng)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_bits = draw(st.sampled_from(N_BITS))
    spread = draw(st.sampled_from([0.0, 0.02, 0.3]))
    sizes = st.one_of(st.integers(0, 5), st.integers(6, max_items))
    n_queries, n_items = draw(st.integers(0, 40)), draw(sizes)
    both = draw_codes(rng, n_queries + n_items, n_bits, spread)
    return both[:n_queries], both[n_queries:], rng


def distance_matrix(queries, database):
    """Differing bits, counted bit by bit."""
    left = np.unpackbits(queries, axis=1).astype(np.int64)
    right = np.unpackbits(database, axis=1).astype(np.int64)
    out = np.zeros((len(left), len(right)), np.int64)
    for i, query in enumerate(left):
        for j, item in enumerate(right):
            out[i, j] = np.abs(query - item).sum()
    return out


def ranked(row):
    """Indices of a row of distances in order of (distance, index)."""
    return sorted(range(len(row)), key=lambda j: (row[j], j))
