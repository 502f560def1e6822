"""Keys are sorted by digits, or by comparison where they are few."""

import numpy as np
import pytest

from skhash.hamming.scan.sorting import FEW, sort_keys


@pytest.mark.parametrize("size", [0, 1, FEW - 1, FEW, 3000])
@pytest.mark.parametrize("n", [3000, 1 << 22, (1 << 22) + 1])
@pytest.mark.parametrize("largest", [0, 9, 4096])
def test_keys_are_sorted_by_distance_and_item(size, n, largest, rng):
    items = rng.choice(n, size, replace=False)
    items[:1] = n - 1
    keys = rng.integers(0, largest + 1, size) << 40 | items
    expected = np.sort(keys)
    sort_keys(keys, n)
    np.testing.assert_array_equal(keys, expected)
