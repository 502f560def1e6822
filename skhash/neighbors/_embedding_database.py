"""The vectors that are searched, their codes, and what belongs to each: one snapshot.

As `_database` does for codes: a change makes a new snapshot and swaps it in.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np

from skhash.hamming import Factors, pack
from skhash.neighbors._bounds import Bounds, noise_of
from skhash.neighbors._database import check_alike, with_more_labels
from skhash.neighbors._encoding import bounds_for, fitted_encoder, real_outputs
from skhash.neighbors._growth import Reserve, grown
from skhash.neighbors._ids import find_rows, with_more
from skhash.neighbors._vector_input import blocks, seen_by
from skhash.neighbors._vectors import Vectors
from skhash.progress import announced, followed


@dataclass(frozen=True)
class EmbeddingDatabase:
    """Codes of vectors in order of insertion, factors, vectors, labels and ids."""

    codes: np.ndarray
    table: np.ndarray  # factors, float32 (n, 3)
    vectors: Vectors | None
    labels: np.ndarray | None
    ids: np.ndarray | None
    encoder: object
    bounds: Bounds
    build_seconds: float
    # The memory behind codes and factors after an addition.
    reserves: tuple[Reserve | None, Reserve | None] = (None, None)

    def __getstate__(self):
        left = {**vars(self), "reserves": (None, None)}
        return {name: left[name] for name in left if name not in ("factors", "noise")}

    def __len__(self):
        return len(self.codes)

    @cached_property
    def factors(self):
        """The factors as `skhash.hamming` takes them."""
        return Factors(self.table, self.bounds.metric)

    @cached_property
    def noise(self):
        """Squared slopes over squared errors, on average."""
        return noise_of(self.factors)

    def named(self, positions):
        """Turn positions into the user's ids, if there are any."""
        return positions if self.ids is None else self.ids[positions]

    def positions(self, ids):
        """Find the rows that a mask, ids, or positions where there are no ids name."""
        return find_rows(self.ids, len(self), ids)

    def queries(self, X, epsilon, query_bits):
        """Queries for bounds, of vectors as they came."""
        seen = seen_by(self.bounds.metric, X)
        z = real_outputs(self.encoder, seen)
        return self.bounds.queries(z, seen, epsilon, query_bits, self.noise)

    def with_more(self, X, labels, ids):
        """Return the database with vectors added at its end."""
        n = len(self)
        check_alike(self.labels, labels, "labels", n)
        check_alike(self.ids, ids, "ids", n)
        ids = ids if self.ids is None else with_more(self.ids, ids)
        if self.labels is not None:
            labels = with_more_labels(self.labels, labels)
        codes, table = encoded(self.encoder, self.bounds, X, 0)
        vectors = self.vectors
        if vectors is not None:
            vectors = vectors.with_more(kept(X, vectors.kind, self.bounds.metric))
        codes, of_codes = grown(self.codes, codes, self.reserves[0])
        table, of_table = grown(self.table, table, self.reserves[1])
        return replace(
            self,
            codes=codes,
            table=table,
            vectors=vectors,
            labels=labels,
            ids=ids,
            reserves=(of_codes, of_table),
        )

    def without(self, positions):
        """Return the database without some rows, the others in the same order."""
        keep = np.ones(len(self), bool)
        keep[positions] = False
        return replace(
            self,
            codes=self.codes[keep],
            table=self.table[keep],
            vectors=self.vectors and self.vectors.without(keep),
            labels=None if self.labels is None else self.labels[keep],
            ids=None if self.ids is None else self.ids[keep],
            reserves=(None, None),
        )


def make_database(estimator, X, y, labels, ids):
    """Fit an encoder, encode all vectors, and keep what is asked for."""
    start, metric = perf_counter(), estimator.metric
    verbose, kind = estimator.verbose, estimator.vectors
    with announced(f"fitting an encoder on {len(X)} vectors", verbose):
        encoder = fitted_encoder(estimator.encoder, X, y, metric)
        bounds = bounds_for(encoder, X, metric)
    codes, table = encoded(encoder, bounds, X, verbose)
    vectors = None
    if kind is not None:
        vectors = Vectors.of(kept(X, kind, metric), kind, bounds.center)
    seconds = perf_counter() - start
    return EmbeddingDatabase(
        codes, table, vectors, labels, ids, encoder, bounds, seconds
    )


def encoded(encoder, bounds, X, verbose):
    """Codes and factors of vectors."""
    codes, tables, parts = [], [], blocks(X)
    for rows in followed(
        parts, "encoding", len(parts), size=lambda rows: 1, verbose=verbose
    ):
        seen = seen_by(bounds.metric, X[rows])
        z = real_outputs(encoder, seen)
        codes.append(pack(z > 0))
        tables.append(bounds.factors(z, seen))
    return np.concatenate(codes), np.concatenate(tables)


def kept(X, kind, metric):
    """Vectors to keep: as they are, or as the metric sees them before rounding."""
    if kind == "keep" or metric != "cosine":
        return X
    return np.concatenate([seen_by(metric, X[r]).astype(np.float32) for r in blocks(X)])
