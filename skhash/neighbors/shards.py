"""What a database that lies in shards, here and there, needs of this package.

A shard is a `Database` of its own. Who holds several of them checks queries, ids and
options by the same rules as an estimator that holds one, and says the same of mistakes.
"""

from skhash.neighbors._database import Database, as_labels, check_alike, make_database
from skhash.neighbors._features import warn_of_features
from skhash.neighbors._graphs import (
    as_rows,
    csr_graph,
    drop_self,
    drop_self_from_rows,
)
from skhash.neighbors._ids import (
    check_ids,
    find_rows,
    found_rows,
    rows_or_ids,
    search,
    unique,
    with_more,
)
from skhash.neighbors._search import check_mode
from skhash.neighbors._validation import (
    ALGORITHM,
    N_NEIGHBORS,
    RADIUS,
    check_fit_radius,
    check_n_neighbors,
    query_codes,
)

__all__ = [
    "ALGORITHM",
    "N_NEIGHBORS",
    "RADIUS",
    "Database",
    "as_labels",
    "as_rows",
    "check_alike",
    "check_fit_radius",
    "check_ids",
    "check_mode",
    "check_n_neighbors",
    "csr_graph",
    "drop_self",
    "drop_self_from_rows",
    "find_rows",
    "found_rows",
    "make_database",
    "query_codes",
    "rows_or_ids",
    "search",
    "unique",
    "warn_of_features",
    "with_more",
]
