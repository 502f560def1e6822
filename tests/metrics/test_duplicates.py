"""Items that are queries and in the database at once."""

import numpy as np
import pytest
from scipy import sparse

from skhash.metrics import find_duplicates


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array, np.ndarray.tolist])
def test_duplicates_are_equal_rows(convert):
    rng = np.random.default_rng(0)
    database = rng.integers(0, 3, (40, 3))
    queries = rng.integers(0, 4, (30, 3))
    expected = []
    for i, query in enumerate(queries):
        equal = [j for j, item in enumerate(database) if (item == query).all()]
        expected += [(i, equal[0])] if equal else []
    pairs = find_duplicates(convert(queries), convert(database))
    assert pairs.tolist() == [list(pair) for pair in expected]
    assert expected


def test_duplicates_ignore_dtype_and_the_sign_of_zero():
    assert find_duplicates([[-0.0, 1.0]], [[0.0, 1.0]]).tolist() == [[0, 0]]
    assert find_duplicates(np.uint8([[3]]), np.float32([[3]])).tolist() == [[0, 0]]
    assert find_duplicates([["a"]], [["abc"], ["a"]]).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="same shape"):
        find_duplicates([[1, 2]], [[1, 2, 3]])
