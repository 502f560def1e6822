"""What neighbours vote for: the classes of a database, and who has which."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from skhash.hamming.columns import concatenate
from skhash.hamming.labels import encode_by_classes


@dataclass(frozen=True)
class Targets:
    """Classes in order, and the place of each code's class among them.

    Of several labels a code: the numbers of the columns, and the sets as CSR.
    """

    classes: np.ndarray
    values: np.ndarray | sp.csr_array

    @classmethod
    def of(cls, labels):
        """Targets of checked labels."""
        if labels.ndim == 2:
            return cls(np.arange(labels.shape[1]), sp.csr_array(labels, dtype=float))
        classes, places = np.unique(labels, return_inverse=True)
        return cls(classes, places.reshape(-1))

    @property
    def are_sets(self):
        """Whether a code has several labels."""
        return self.values.ndim == 2

    def with_more(self, labels):
        """Return these and others of their kind; classes that are new find their place.

        Classes without codes stay, so that columns of answers do.
        """
        if not self.values.shape[0] and not (len(self.classes) and labels.ndim == 1):
            return Targets.of(labels)
        if self.are_sets:
            more = sp.csr_array(labels, dtype=float)
            both = sp.vstack([self.values, more], format="csr")
            return replace(self, values=both)
        classes, before = self.classes, self.values
        places = encode_by_classes(labels, classes)
        if (places < 0).any():
            classes = np.unique(concatenate([classes, labels]))
            before = encode_by_classes(self.classes, classes)[before]
            places = encode_by_classes(labels, classes)
        return Targets(classes, np.concatenate([before, places]))

    def subset(self, keep):
        """Return the targets of some codes."""
        return replace(self, values=self.values[keep])

    def probabilities(self, indices, weights):
        """Share of the votes of each label, for the neighbours of each query.

        One more neighbour of average weight votes by how frequent labels are.
        """
        (n_queries, k), n = indices.shape, self.values.shape[0]
        shares = weights / weights.sum(axis=1, keepdims=True)
        indptr = np.arange(0, indices.size + 1, k)
        voters = sp.csr_array(
            (shares.ravel(), indices.ravel(), indptr), shape=(n_queries, n)
        )
        votes = (voters @ self.values).toarray()
        frequency = (self.values.sum(axis=0) + 0.5) / (n + 1)
        return (k * votes + frequency) / (k + 1)
