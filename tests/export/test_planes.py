"""Real queries in SQL: planes of bits, counted by DuckDB."""

import numpy as np
import pytest

from skhash import HammingNeighbors
from skhash.export import query_planes, to_duckdb, to_numpy
from skhash.hamming import unpack
from tests.export.samples import database, digits, embeddings, engine

ESTIMATE = """
SELECT id, slope * ($step * (2 * (bit_count(code & $p0::BIT)
                                  + 2 * bit_count(code & $p1::BIT)
                                  + 4 * bit_count(code & $p2::BIT)
                                  + 8 * bit_count(code & $p3::BIT))
                             - 15 * bit_count(code)) - $total)
           + intercept + $constant AS value
FROM items ORDER BY value, id
"""


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "inner_product"])
def test_factors_rank_in_sql_as_real_queries_do(metric):
    duckdb = engine("duckdb")
    neighbors, X = embeddings(metric, ids="strings")
    planes = query_planes(neighbors, X)
    true = neighbors.kneighbors(X, 10, return_distance=False)
    hits = 0
    with duckdb.connect() as connection:
        to_duckdb(neighbors, connection)
        for q in range(len(X)):
            values = {f"p{j}": digits(planes.planes[q, j], 64) for j in range(4)}
            values |= {n: getattr(planes, n)[q] for n in ("step", "total", "constant")}
            found = connection.execute(ESTIMATE, values).fetchall()
            hits += len({name for name, _ in found[:10]} & set(true[q]))
            assert_estimates(neighbors, planes, q, found)
    by_codes = HammingNeighbors().fit(neighbors.codes_, ids=neighbors.ids_)
    rough = by_codes.kneighbors(neighbors.encode(X), 10, return_distance=False)
    assert hits > sum(len(set(a) & set(b)) for a, b in zip(rough, true, strict=True))


def assert_estimates(neighbors, planes, q, found):
    """Hold what SQL computed to the same sum over signs and the rounded query."""
    arrays = to_numpy(neighbors)
    levels = sum(
        2**j * unpack(planes.planes[q, j][None], 64)[0].astype(int) for j in range(4)
    )
    rounded = planes.step[q] * (levels - 7.5)
    signs = 2.0 * unpack(arrays["code"], 64) - 1
    values = arrays["slope"] * (signs @ rounded) + arrays["intercept"]
    values += planes.constant[q]
    true = dict(zip(arrays["id"].tolist(), values, strict=True))
    np.testing.assert_allclose([v for _, v in found], [true[n] for n, _ in found], 1e-4)


def test_planes_are_of_vectors_with_factors():
    with pytest.raises(TypeError, match="got HammingNeighbors"):
        query_planes(database(), [[1.0]])
    neighbors, X = embeddings()
    for query_bits in (0, 9, True, 2.5):
        with pytest.raises(ValueError, match="query_bits must be from 1 to 8"):
            query_planes(neighbors, X, query_bits=query_bits)
    zeros = query_planes(neighbors, neighbors._database.bounds.center[None])
    assert np.isfinite(zeros.total).all()
