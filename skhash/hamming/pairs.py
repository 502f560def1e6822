"""Label sets that name pairs of similar items: their type says so."""

from __future__ import annotations

import scipy.sparse as sp


class PairSets(sp.csr_array):
    """A CSR array of label sets in which each label stands for a pair of items.

    What :func:`skhash.datasets.label_sets_from_pairs` returns. Its rows, also those of
    one part of a split, are of this type, too; other CSR arrays are label sets like any
    other, whatever they hold.
    """
