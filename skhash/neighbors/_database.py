"""The codes that are searched, with their labels and ids: one snapshot.

A change makes a new snapshot and swaps it in, so that a query sees the database as it
was before or as it is after, never in between.
"""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import scipy.sparse as sp

from skhash.hamming.columns import concatenate
from skhash.hamming.indexes.auto import for_a_call, searcher_for
from skhash.hamming.indexes.joined import extended
from skhash.hamming.labels import check_comparable, check_labels, dense
from skhash.neighbors._growth import Reserve, grown
from skhash.neighbors._ids import find_rows, with_more
from skhash.neighbors._targets import Targets
from skhash.progress import announced


@dataclass(frozen=True)
class Database:
    """Codes in order of insertion, what belongs to each, and what searches them."""

    codes: np.ndarray
    labels: np.ndarray | None
    ids: np.ndarray | None
    searcher: object
    algorithm: str
    # Threads that build an index; a query uses its estimator's own setting.
    n_jobs: int | None
    verbose: int
    build_seconds: float
    # The memory behind `codes` after an addition.
    reserve: Reserve | None = None
    # What neighbours vote for, in a classifier.
    targets: Targets | None = None

    def __getstate__(self):
        return {**vars(self), "reserve": None}

    def __len__(self):
        return len(self.codes)

    def named(self, positions):
        """Turn positions into the user's ids, if there are any."""
        return positions if self.ids is None else self.ids[positions]

    def positions(self, ids):
        """Find the rows that a mask, ids, or positions where there are no ids name."""
        return find_rows(self.ids, len(self), ids)

    def searcher_within(self, radius, n_queries, n_jobs):
        """What searches within a radius: tables for the call, where these pay."""
        if self.algorithm != "auto":
            return self.searcher
        return for_a_call(self.searcher, radius, n_queries, n_jobs)

    def with_more(self, codes, labels, ids):
        """Return the database with codes added at its end."""
        n = len(self)
        check_alike(self.labels, labels, "labels", n)
        check_alike(self.ids, ids, "ids", n)
        if self.ids is not None:
            ids = with_more(self.ids, ids)
        all_labels = labels
        if self.labels is not None:
            all_labels = with_more_labels(self.labels, labels)
        targets = self.targets and self.targets.with_more(labels)
        more, reserve = grown(self.codes, codes, self.reserve)
        changed = replace(
            self,
            codes=more,
            labels=all_labels,
            ids=ids,
            reserve=reserve,
            targets=targets,
        )
        return changed._searched_by(extended(self.searcher, n, more))

    def without(self, positions):
        """Return the database without some rows, the others in the same order."""
        keep = np.ones(len(self), bool)
        keep[positions] = False
        codes = self.codes[keep]
        labels = None if self.labels is None else self.labels[keep]
        ids = None if self.ids is None else self.ids[keep]
        targets = self.targets and self.targets.subset(keep)
        changed = replace(
            self, codes=codes, labels=labels, ids=ids, reserve=None, targets=targets
        )
        return changed._searched_by(self.searcher.without(keep, codes))

    def _searched_by(self, searcher):
        """Return the database with a searcher; one made anew if that is None."""
        if searcher is not None and len(self):
            return replace(self, searcher=searcher)
        made = make_database(
            self.codes,
            self.labels,
            self.ids,
            self.algorithm,
            self.n_jobs,
            self.verbose,
            self.targets,
        )
        return replace(made, reserve=self.reserve)


def make_database(codes, labels, ids, algorithm, n_jobs=None, verbose=0, targets=None):
    """Make a database, and the index that its algorithm needs."""
    start = perf_counter()
    with announced(f"building an index of {len(codes)} codes", verbose):
        searcher = searcher_for(codes, algorithm, n_jobs)
    seconds = perf_counter() - start
    return Database(
        codes,
        labels,
        ids,
        searcher,
        algorithm,
        n_jobs,
        verbose,
        seconds,
        targets=targets,
    )


def as_labels(y, codes):
    """Checked labels of codes, or None: one each, or sets as bool rows or CSR."""
    return None if y is None else check_labels(y, name="y", n=len(codes))


def with_more_labels(old, new):
    """Labels with others of their kind after them, sparse if the first ones are."""
    if not old.shape[0] and old.ndim == 1:  # of whatever kind an empty array was
        return new
    check_comparable(old, new, ("the labels of the database", "y"))
    if sp.issparse(old):
        return sp.vstack([old, sp.csr_array(new)], format="csr")
    return concatenate([old, dense(new)])


def check_alike(old, new, name, n):
    """Codes are added with labels and ids if and only if the n others have them."""
    if (old is None) != (new is None) and (n or new is None):
        has, give = ("no ", "none") if old is None else ("", "some")
        raise ValueError(
            f"The database has {has}{name}: give {give} for added codes as well."
        )
