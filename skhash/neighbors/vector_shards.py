"""What a database of vectors that lies in shards needs of this package.

As `shards` for codes. The encoder, the center, the scale and the noise are those of all
vectors together; all else of a vector hangs on nothing but the vector.
"""

from skhash.neighbors._bounds import ROWS, Queries, ratio_of, squares_of
from skhash.neighbors._embedding_database import EmbeddingDatabase, encoded, kept
from skhash.neighbors._embedding_methods import check_distance
from skhash.neighbors._embedding_search import (
    READY,
    TOGETHER,
    Scanned,
    as_distances,
    limit_above,
    limit_of,
    parts_of,
)
from skhash.neighbors._embeddings import EmbeddingNeighbors
from skhash.neighbors._encoding import (
    bounds_about,
    center_of,
    largest_norm,
    learns_by_parts,
    new_encoder,
    part_of_mean,
    real_outputs,
)
from skhash.neighbors._recall import least_values, nearer, real_values, sign_values
from skhash.neighbors._vector_input import blocks, checked, rows_of_block, seen_by
from skhash.neighbors._vectors import Vectors

# Memory of what is beside a code: slope, offset and error, float32.
FACTORS_BYTES = 12

__all__ = [
    "FACTORS_BYTES",
    "READY",
    "ROWS",
    "TOGETHER",
    "EmbeddingDatabase",
    "EmbeddingNeighbors",
    "Queries",
    "Scanned",
    "Vectors",
    "as_distances",
    "blocks",
    "bounds_about",
    "center_of",
    "check_distance",
    "checked",
    "encoded",
    "kept",
    "largest_norm",
    "learns_by_parts",
    "least_values",
    "limit_above",
    "limit_of",
    "nearer",
    "new_encoder",
    "part_of_mean",
    "parts_of",
    "ratio_of",
    "real_outputs",
    "real_values",
    "rows_of_block",
    "seen_by",
    "sign_values",
    "squares_of",
]
