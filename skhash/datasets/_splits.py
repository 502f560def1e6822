"""Splits into queries, training items and database."""

from collections.abc import Hashable
from functools import partial
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from skhash.datasets._sampling import (
    draw_groups,
    draw_per_class,
    draw_plain,
    draw_stratified,
    label_array,
    membership,
    new_generator,
)
from skhash.hamming.columns import check_column
from skhash.hamming.labels import check_labels


class RetrievalIndices(NamedTuple):
    """Row numbers of a split.

    Attributes
    ----------
    queries, train, database : ndarray of shape (n_rows,), int64
        Ascending row numbers. Training items may be in the database; queries are in
        neither.

    Examples
    --------
    >>> from skhash.datasets import RetrievalSplit
    >>> split = RetrievalSplit(1, per_class=True, shuffle=False)
    >>> indices = split.split(["ant", "bee", "ant", "bee"])
    >>> indices.queries, indices.database
    (array([0, 1]), array([2, 3]))
    """

    queries: np.ndarray
    train: np.ndarray
    database: np.ndarray


class RetrievalSplit:
    """Split labelled data into queries, training items and a database.

    Queries are never in the database, nor trained on. Training items are part of the
    database unless `train_in_database` is False.

    Parameters
    ----------
    n_queries : int or float, default=0.1
        Number of queries, or their share of the items; of each class with
        ``per_class=True``.
    n_train : int, float or None, default=None
        Number of training items, or their share, likewise. None: the whole database.
    per_class : bool, default=False
        Take these numbers (ints) of every class. An item of several classes is taken
        only once.
    train_in_database : bool, default=True
        Whether training items are found in the database too.
    stratify : bool, default=True
        Keep labels as frequent among queries and training items as they are overall,
        multi-hot labels included. Without effect on groups, which are drawn whole.
    shuffle : bool, default=True
        Draw at random. With False and ``per_class=True`` the first items of each
        class become queries and the next ones training items, as some published
        splits do.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    See Also
    --------
    UnseenClassSplit : Queries and database of classes that training does not see.
    published_split : The splits of the literature by name.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.datasets import RetrievalSplit
    >>> y = np.repeat(["cat", "dog"], 10)
    >>> split = RetrievalSplit(n_queries=4, n_train=6, random_state=0)
    >>> queries, train, database = split.split(y)
    >>> len(queries), len(train), len(database)
    (4, 6, 16)
    >>> [str(label) for label in y[queries]]
    ['cat', 'cat', 'dog', 'dog']
    """

    def __init__(
        self,
        n_queries: int | float = 0.1,
        n_train: int | float | None = None,
        *,
        per_class: bool = False,
        train_in_database: bool = True,
        stratify: bool = True,
        shuffle: bool = True,
        random_state: Any = None,
    ) -> None:
        self.n_queries = n_queries
        self.n_train = n_train
        self.per_class = per_class
        self.train_in_database = train_in_database
        self.stratify = stratify
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, y: Any, groups: Any = None) -> RetrievalIndices:
        """Draw a split.

        Parameters
        ----------
        y : array-like of shape (n,) or multi-hot (n, n_classes)
            Labels.
        groups : array-like of shape (n,), default=None
            Items of one group (a person, a video, near-duplicates) stay together: no
            group is both among the queries and in the database. Whole groups are
            drawn, so the numbers asked for are upper bounds.

        Returns
        -------
        indices : RetrievalIndices
            ``queries, train, database``: ascending int64 row numbers.

        Raises
        ------
        ValueError
            If labels are missing, there are too few items, or options contradict one
            another.
        """
        labels = label_array(y)
        every = np.arange(len(labels))
        groups = self._check(labels, groups)
        rng = new_generator(self.random_state)
        order = rng.permutation(every) if self.shuffle else every
        draw = partial(self._draw, labels=labels, groups=groups, rng=rng, order=order)
        queries = draw("n_queries", self.n_queries, every)
        rest = np.setdiff1d(every, queries)
        train = rest if self.n_train is None else draw("n_train", self.n_train, rest)
        database = rest if self.train_in_database else np.setdiff1d(rest, train)
        if len(database) == 0:
            raise ValueError(
                "The database is empty: with train_in_database=False give n_train, and "
                f"leave some of the {len(labels)} items to the database."
            )
        return RetrievalIndices(
            *(np.sort(part).astype(np.int64) for part in (queries, train, database))
        )

    def __repr__(self) -> str:
        return _as_call(self)

    def _check(self, labels: np.ndarray, groups: Any) -> np.ndarray | None:
        if not self.shuffle and not self.per_class:
            raise ValueError("shuffle=False goes with per_class=True only.")
        if groups is None:
            return None
        if self.per_class:
            raise ValueError("Groups are drawn whole; they do not go with per_class.")
        return check_column(groups, name="groups", n=len(labels))

    def _draw(
        self,
        name: str,
        size: Any,
        pool: np.ndarray,
        labels: np.ndarray,
        groups: np.ndarray | None,
        rng: np.random.Generator,
        order: np.ndarray,
    ) -> np.ndarray:
        n = _count(name, size, len(labels), self.per_class)
        if self.per_class:
            return draw_per_class(labels, pool, n, order)
        if n > len(pool):
            raise ValueError(
                f"{name}={size!r} asks for {n} items, only {len(pool)} are left."
            )
        if groups is not None:
            drawn = draw_groups(groups, pool, n, rng)
            if len(drawn) == 0:
                raise ValueError(f"{name}={size!r}: every group has more items.")
            return drawn
        if self.stratify:
            return draw_stratified(labels, pool, n, rng)
        return draw_plain(pool, n, rng)


class UnseenClassSplit:
    """Split so that queries and database are of classes never trained on.

    Measures whether codes carry over to new classes. Items of several classes are
    trained on if none of their classes is unseen, and left out if they mix both kinds.

    Parameters
    ----------
    unseen : int, float or list, default=0.25
        Number of unseen classes, their share, or the classes themselves (labels, or
        columns of multi-hot labels).
    n_queries : int or float, default=0.1
        Number of queries, or their share of the items of unseen classes; stratified.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.datasets import UnseenClassSplit
    >>> y = np.repeat(["ant", "bee", "cat", "dog"], 5)
    >>> split = UnseenClassSplit(unseen=["bee", "dog"], n_queries=2, random_state=0)
    >>> queries, train, database = split.split(y)
    >>> [str(label) for label in np.unique(y[train])]
    ['ant', 'cat']
    >>> [str(label) for label in np.unique(y[database])]
    ['bee', 'dog']
    """

    def __init__(
        self,
        unseen: Any = 0.25,
        *,
        n_queries: int | float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.unseen = unseen
        self.n_queries = n_queries
        self.random_state = random_state

    def split(self, y: Any) -> RetrievalIndices:
        """Draw a split.

        Parameters
        ----------
        y : array-like of shape (n,) or multi-hot (n, n_classes)
            Labels.

        Returns
        -------
        indices : RetrievalIndices
            ``queries, train, database``: ascending int64 row numbers.

        Raises
        ------
        ValueError
            If a class is unknown, labels are missing, or too few classes or items
            are left.
        """
        labels = label_array(y)
        member = membership(labels)
        rng = new_generator(self.random_state)
        unseen = self._unseen(y, labels, member.shape[1], rng)
        pool = np.nonzero(~member[:, ~unseen].any(axis=1) & member.any(axis=1))[0]
        train = np.nonzero(~member[:, unseen].any(axis=1))[0]
        n = _count("n_queries", self.n_queries, len(pool), False)
        if n >= len(pool) or len(train) == 0:
            raise ValueError(
                f"{int(unseen.sum())} unseen classes have {len(pool)} items for {n} "
                f"queries and a database, and leave {len(train)} items to train on."
            )
        queries = draw_stratified(labels, pool, n, rng)
        database = np.setdiff1d(pool, queries)
        return RetrievalIndices(np.sort(queries), train, database)

    def __repr__(self) -> str:
        return _as_call(self)

    def _unseen(
        self, y: Any, labels: np.ndarray, n_classes: int, rng: np.random.Generator
    ) -> np.ndarray:
        chosen = np.zeros(n_classes, dtype=bool)
        if isinstance(self.unseen, Real) and not isinstance(self.unseen, bool):
            n = _count("unseen", self.unseen, n_classes, False)
            if n >= n_classes:
                raise ValueError(
                    f"unseen={n} of {n_classes} classes leaves none to train on."
                )
            chosen[rng.choice(n_classes, n, replace=False)] = True
            return chosen
        if isinstance(self.unseen, str | bytes | dict) or not np.iterable(self.unseen):
            raise ValueError(
                "unseen must be a number, a share or a list of classes, got "
                f"{self.unseen!r}."
            )
        classes = np.arange(n_classes)
        if labels.ndim == 1:
            classes = np.unique(check_labels(y, name="y"))
        names = list(self.unseen)
        place = {label: i for i, label in enumerate(classes.tolist())}
        strangers = [
            label
            for label in names
            if not isinstance(label, Hashable) or label not in place
        ]
        if strangers:
            raise ValueError(f"unseen names {strangers}, which are not classes of y.")
        chosen[[place[label] for label in names]] = True
        return chosen


def _count(name: str, size: Any, n_items: int, per_class: bool) -> int:
    """A number of items from a number or a share."""
    whole = isinstance(size, Integral) and not isinstance(size, bool)
    if whole and size >= 1:
        return int(size)
    if not per_class and not whole and isinstance(size, Real) and 0 < float(size) < 1:
        return max(1, round(float(size) * n_items))
    allowed = "" if per_class else " or a share between 0 and 1"
    raise ValueError(f"{name} must be an int of at least 1{allowed}, got {size!r}.")


def _as_call(splitter: object) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in vars(splitter).items())
    return f"{type(splitter).__name__}({arguments})"
