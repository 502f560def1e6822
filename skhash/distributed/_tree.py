"""Answers of shards merged in a tree, on the workers.

The client gets one answer, and no worker holds more than a few at a time.
"""

from skhash.hamming import merge_nearest, merge_within

# Answers that one task merges.
FAN_IN = 8


def in_a_tree(dask, merge, parts):
    """One task that merges the parts, a few at a time."""
    merge = dask.delayed(merge, pure=True)
    while len(parts) > 1:
        groups = [parts[i : i + FAN_IN] for i in range(0, len(parts), FAN_IN)]
        parts = [merge(group) if len(group) > 1 else group[0] for group in groups]
    return parts[0]


class Nearest:
    """Merges nearest items; a class, since tasks are told apart by what they hold."""

    def __init__(self, k):
        self.k = k

    def __call__(self, parts):
        return merge_nearest(parts, self.k)

    def __dask_tokenize__(self):
        return type(self).__name__, self.k


def all_within(parts):
    """Merge items within a radius."""
    return merge_within(parts)


def total(parts):
    """Add counts, or tuples of counts up."""
    if isinstance(parts[0], tuple):
        return tuple(map(sum, zip(*parts, strict=True)))
    return sum(parts)
