"""The forms of labels: one class an item, dense sets, sparse sets, and pairs.

"One label or several?" and "dense or sparse?" are asked here and nowhere else: a form
is a short class, and what uses labels calls its methods. Sparse sets are never made
dense as a whole.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skhash.hamming._label_checks import check_comparable, checked_values
from skhash.hamming.pairs import PairSets


@dataclass(frozen=True, eq=False)
class Labels(ABC):
    """Checked labels of items, in one of four forms; made by :meth:`of`.

    Attributes
    ----------
    values : ndarray of shape (n,), or bool ndarray or CSR array of shape (n, n_classes)
        The labels as :func:`check_labels` returns them; not to be written to.
    kind : {"classes", "sets"}
        Whether an item has one class, or a set of them.
    sparse : bool
        Whether the sets are stored as CSR, and blocks of pairs come as CSR.
    are_pairs : bool
        Whether each label stands for a pair of items. The type says so that
        :func:`skhash.datasets.label_sets_from_pairs` returns, and nothing else.
    n_classes : int
        Number of distinct classes, or of columns.
    counts : ndarray of shape (n,), int64
        Number of labels of each item.
    sizes : ndarray of shape (n_classes,), int64
        Number of items of each class.

    Examples
    --------
    >>> from skhash.hamming.labels import Labels
    >>> queries, items = Labels.of([[1, 1, 0]]), Labels.of([[1, 0, 0], [0, 0, 1]])
    >>> queries.similar([0], items)
    array([[ True, False]])
    >>> items.members(2)
    array([1])
    """

    values: Any

    kind: ClassVar[Literal["classes", "sets"]] = "sets"
    sparse: ClassVar[bool] = False
    are_pairs: ClassVar[bool] = False

    @staticmethod
    def of(labels: Any, *, name: str = "labels", n: int | None = None) -> "Labels":
        """Check labels of any container; `Labels` stay what they are.

        Parameters
        ----------
        labels : Labels, or array-like of shape (n,) or (n, n_classes)
            As :func:`check_labels` takes them.
        name : str, default="labels"
            What to call them in messages.
        n : int, default=None
            How many items there are; any number when None.

        Returns
        -------
        labels : Labels

        Raises
        ------
        ValueError, TypeError
            As in :func:`check_labels`.
        """
        if not isinstance(labels, Labels):
            values = checked_values(labels, name)
            if values.ndim == 1:
                labels = Classes(values)
            elif not sp.issparse(values):
                labels = Sets(values)
            else:
                named = isinstance(labels, PairSets)
                labels = Pairs(PairSets(values)) if named else SparseSets(values)
        if n is not None and len(labels) != n:
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {name} "
                f"has {len(labels)} rows for {n} items."
            )
        return labels

    def __len__(self) -> int:
        return self.values.shape[0]

    @property
    def n_classes(self) -> int:
        """Number of distinct classes, or of columns."""
        return self.values.shape[1]

    @property
    @abstractmethod
    def counts(self) -> NDArray[np.int64]:
        """Number of labels of each item."""

    @property
    @abstractmethod
    def sizes(self) -> NDArray[np.int64]:
        """Number of items of each class."""

    def subset(self, index: Any) -> "Labels":
        """Labels of some of the items.

        Parameters
        ----------
        index : slice, or array-like of shape (n_chosen,) or, if bool, (n,)
            Which items, in which order.

        Returns
        -------
        labels : Labels
        """
        return type(self)(self.values[index])

    @abstractmethod
    def members(self, c: int) -> NDArray[np.int64]:
        """Items that have a class.

        Parameters
        ----------
        c : int
            Its column or, of one class an item, its place among the distinct ones.

        Returns
        -------
        items : ndarray of shape (n_members,), int64
            In ascending order.
        """

    @abstractmethod
    def similar(self, rows: Any, others: "Labels") -> Any:
        """Which pairs of items share a label.

        Parameters
        ----------
        rows : slice or array-like of shape (n_rows,)
            Items of these labels. All pairs are held at once: of many items, ask for a
            few rows at a time.
        others : Labels
            Labels of the same kind.

        Returns
        -------
        similar : bool ndarray or CSR array of shape (n_rows, n_others)
        """

    @abstractmethod
    def overlap(self, rows: Any, others: "Labels") -> Any:
        """How many labels pairs of items share.

        Parameters
        ----------
        rows : slice or array-like of shape (n_rows,)
            Items of these labels, as in :meth:`similar`.
        others : Labels
            Labels of the same kind.

        Returns
        -------
        overlap : ndarray or CSR array of shape (n_rows, n_others)
        """

    @abstractmethod
    def matches(self, others: "Labels") -> NDArray[np.bool_]:
        """Whether each item shares a label with the one in its place among others.

        Parameters
        ----------
        others : Labels
            Labels of the same kind, of as many items.

        Returns
        -------
        matches : ndarray of shape (n,), bool
        """

    @abstractmethod
    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of one value an item over the items of each class.

        Parameters
        ----------
        values : ndarray of shape (n,), float64
            Added up in the order of the items, so that every form gives equal sums.

        Returns
        -------
        sums : ndarray of shape (n_classes,), float64
        """

    def _comparable(self, others: "Labels") -> Any:
        """Return others, if they can be compared with these."""
        check_comparable(self.values, others.values, ("these labels", "the others"))
        return others

    @property
    @abstractmethod
    def constant(self) -> bool:
        """Whether all items have the same labels."""


class Classes(Labels):
    """One class an item."""

    kind = "classes"

    @property
    def n_classes(self) -> int:
        """Number of distinct classes."""
        return len(self.sizes)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """One label an item."""
        return np.ones(len(self), np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of items of each class."""
        return np.bincount(self._places)

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Where each class ends in the order of the classes."""
        return np.cumsum(self.sizes)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The place of each item's class among the distinct ones."""
        return np.unique(self.values, return_inverse=True)[1].reshape(-1)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """Items in the order of their classes."""
        return np.argsort(self._places, kind="stable")

    def members(self, c: int) -> NDArray[np.int64]:
        """See `Labels.members`."""
        stop = self._ends[c]
        return self._order[stop - self.sizes[c] : stop]

    def sums(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """See `Labels.sums`."""
        return np.bincount(self._places, values, self.n_classes)

    def similar(self, rows: Any, others: Labels) -> NDArray[np.bool_]:
        """See `Labels.similar`."""
        alike = self._comparable(others)
        return self.values[rows][:, None] == alike.values

    def overlap(self, rows: Any, others: Labels) -> NDArray[np.uint8]:
        """See `Labels.overlap`."""
        return self.similar(rows, others).view(np.uint8)

    def matches(self, others: Labels) -> NDArray[np.bool_]:
        """See `Labels.matches`."""
        alike = self._comparable(others)
        return self.values == alike.values

    @property
    def constant(self) -> bool:
        """Whether all items have the same class."""
        return self.n_classes < 2


class Sets(Labels):
    """A set of classes an item, as a row of bool."""

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of labels of each item."""
        return self.values.sum(axis=1)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of items of each class."""
        return self.values.sum(axis=0)

    @property
    def constant(self) -> bool:
        """Whether all items have the same labels."""
        return bool((self.values == self.values[:1]).all())

    @cached_property
    def as_sparse(self) -> "SparseSets":
        """The same sets as CSR, to be compared with sparse ones."""
        return SparseSets(sp.csr_array(self.values))

    @cached_property
    def _columns(self) -> NDArray[np.float32]:
        """One row a class: matrix products are fast for floats alone."""
        return self.values.T.astype(np.float32)

    def members(self, c: int) -> NDArray[np.int64]:
        """See `Labels.members`."""
        return np.flatnonzero(self.values[:, c])

    def sums(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """See `Labels.sums`."""
        rows, columns = np.nonzero(self.values)
        return np.bincount(columns, values[rows], self.n_classes)

    def similar(self, rows: Any, others: Labels) -> Any:
        """See `Labels.similar`."""
        return self.overlap(rows, others) > 0

    def overlap(self, rows: Any, others: Labels) -> Any:
        """See `Labels.overlap`."""
        alike = self._comparable(others)
        if alike.sparse:
            return self.as_sparse.overlap(rows, alike)
        return self.values[rows].astype(np.float32) @ alike._columns

    def matches(self, others: Labels) -> NDArray[np.bool_]:
        """See `Labels.matches`."""
        alike = self._comparable(others)
        if alike.sparse:
            return alike.matches(self)
        return (self.values & alike.values).any(axis=1)


class SparseSets(Labels):
    """A set of classes an item, as a row of a CSR array."""

    sparse = True

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of labels of each item."""
        return np.diff(self.values.indptr).astype(np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of items of each class."""
        return np.bincount(self.values.indices, minlength=self.n_classes)

    @property
    def constant(self) -> bool:
        """Whether all items have the same labels."""
        if (self.counts != self.counts[:1]).any():
            return False
        shared = self.overlap(slice(None), self.subset(slice(0, 1)))
        return bool((shared.sum(axis=1) == self.counts).all())

    @cached_property
    def lists(self) -> Any:
        """Inverted lists: CSR of shape (n_classes, n), the items of each class."""
        return self.values.T.tocsr()

    @property
    def as_sparse(self) -> "SparseSets":
        """These sets."""
        return self

    def members(self, c: int) -> NDArray[np.int64]:
        """See `Labels.members`."""
        start, stop = self.lists.indptr[c : c + 2]
        return self.lists.indices[start:stop].astype(np.int64)

    def sums(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """See `Labels.sums`."""
        repeated = np.repeat(values, self.counts)
        return np.bincount(self.values.indices, repeated, self.n_classes)

    def similar(self, rows: Any, others: Labels) -> Any:
        """See `Labels.similar`."""
        alike = self._comparable(others)
        return self.values[rows] @ alike.as_sparse.lists  # of bool, "and" and "or"

    def overlap(self, rows: Any, others: Labels) -> Any:
        """See `Labels.overlap`."""
        alike = self._comparable(others)
        return self.values[rows].astype(np.float32) @ alike.as_sparse.lists

    def matches(self, others: Labels) -> NDArray[np.bool_]:
        """See `Labels.matches`."""
        alike = self._comparable(others)
        return np.asarray(self.values.multiply(alike.as_sparse.values).sum(axis=1) > 0)


class Pairs(SparseSets):
    """Pairs of similar items: sparse sets, in which the two of a pair share a label."""

    are_pairs = True
