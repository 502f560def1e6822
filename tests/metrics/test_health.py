"""Code health against numpy's own statistics on unpacked bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import pack
from skhash.metrics import bit_balance, bit_correlation, code_health
from skhash.metrics import bits as bits_module


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 40),
    n_bits=st.integers(1, 70),
    cells=st.sampled_from([1, 300, 1 << 22]),
)
@settings(max_examples=60, deadline=None)
def test_health_equals_statistics_of_bits(seed, n, n_bits, cells):
    rng = np.random.default_rng(seed)
    bits = rng.random((n, n_bits)) < rng.random(n_bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bits_module, "_CELLS", cells)
        health = code_health(pack(bits), n_bits)
        balance, correlation = bit_balance(bits), bit_correlation(bits)
    p = bits.mean(axis=0)
    np.testing.assert_allclose(balance, p)
    alive = (p > 0) & (p < 1)
    assert health["dead_bits"] == pytest.approx(1 - alive.mean())
    assert health["mean_balance"] == pytest.approx(np.abs(2 * p - 1).mean())
    q = p[alive]
    entropy = -(q * np.log2(q) + (1 - q) * np.log2(1 - q)).sum() / n_bits
    assert health["bit_entropy"] == pytest.approx(entropy)
    assert health["n_distinct"] == len({tuple(row) for row in bits.tolist()})
    assert np.isnan(correlation[~alive]).all()
    assert np.isnan(correlation[:, ~alive]).all()
    pairs = []
    if alive.sum() > 1:
        expected = np.corrcoef(bits[:, alive].T.astype(float))
        np.testing.assert_allclose(
            correlation[np.ix_(alive, alive)], expected, atol=1e-12
        )
        pairs = np.abs(expected[np.triu_indices(len(expected), 1)])
    assert health["mean_correlation"] == pytest.approx(
        np.mean(pairs) if len(pairs) else 0
    )
    assert health["max_correlation"] == pytest.approx(max(pairs, default=0))


def test_collapsed_and_duplicated_bits_show():
    collapsed = code_health(np.full((50, 2), 7, dtype=np.uint8), 16)
    assert collapsed["dead_bits"] == collapsed["mean_balance"] == 1
    assert collapsed["n_distinct"] == 1
    bit = np.arange(50)[:, None] % 3 == 0
    repeated = code_health(np.hstack([bit, ~bit, bit]))
    assert repeated["mean_correlation"] == repeated["max_correlation"] == 1
    assert repeated["n_distinct"] == 2


def test_padding_is_not_taken_for_dead_bits():
    bits = np.array([[True, False], [False, True]])
    assert code_health(pack(bits), 2)["dead_bits"] == 0
    assert code_health(bits)["dead_bits"] == 0
    assert code_health(pack(bits))["dead_bits"] == 6 / 8


@pytest.mark.parametrize("function", [code_health, bit_balance, bit_correlation])
@pytest.mark.parametrize(
    ("codes", "n_bits", "message"),
    [
        (np.zeros((0, 2), np.uint8), 16, "0 sample"),
        (np.zeros((3, 2), np.uint8), 8, "does not fit"),
        (np.zeros((3, 2), np.uint8), 17, "does not fit"),
        (np.zeros((3, 1), np.uint8), 0, "does not fit"),
        (np.full((3, 2), -1.0), 16, "Negative values"),
    ],
)
def test_bad_input_is_refused(function, codes, n_bits, message):
    with pytest.raises(ValueError, match=message):
        function(codes, n_bits)
