"""The splits on which papers measure, by name."""

from typing import Any

import numpy as np

from skhash.datasets._sampling import label_array
from skhash.datasets._splits import RetrievalIndices, RetrievalSplit
from skhash.hints import hint

# Numbers of queries and training items, of each class or in total.
_PER_CLASS: dict[str, dict[str, Any]] = {
    "cifar10": {"n_queries": 100, "n_train": 500, "train_in_database": False},
    "cifar10-1": {"n_queries": 100, "n_train": 500},
    "nuswide21": {"n_queries": 100, "n_train": 500},
}
_TOTAL: dict[str, dict[str, Any]] = {
    "nuswide81": {"n_queries": 5000, "n_train": 10000},
    "imagenet100": {"n_queries": 5000, "n_train": 10000},
    "coco": {"n_queries": 5000, "n_train": 10000},
    "mirflickr": {"n_queries": 1000, "n_train": 4000},
}
# Rows at the end that are the official test set, which becomes the queries.
_N_TEST = {"cifar10-2": 10_000}


def published_split(
    name: str, y: Any, *, shuffle: bool = True, random_state: Any = None
) -> RetrievalIndices:
    """Split labels by a protocol of the literature.

    =============  ====================  =====================  ======================
    name           queries               training               database
    =============  ====================  =====================  ======================
    cifar10        100 of each class     500 of each class      the rest, not training
    cifar10-1      100 of each class     500 of each class      all but the queries
    cifar10-2      the last 10 000 rows  all but the queries    the same as training
    nuswide21      100 of each class     500 of each class      all but the queries
    nuswide81      5 000                 10 000                 all but the queries
    imagenet100    5 000                 10 000                 all but the queries
    coco           5 000                 10 000                 all but the queries
    mirflickr      1 000                 4 000                  all but the queries
    =============  ====================  =====================  ======================

    Scores under different protocols are not comparable: the three of CIFAR-10 differ by
    more than most methods do. Queries are never in the database. Where papers publish
    lists of files, read them with :func:`load_label_list` instead.

    Parameters
    ----------
    name : str
        A name of the table.
    y : array-like of shape (n,) or multi-hot (n, n_classes)
        Labels of the whole set. "cifar10-2" takes the last 10 000 rows for the
        official test images.
    shuffle : bool, default=True
        Draw at random. False takes the first items of each class, for the protocols
        that count by class; the others refuse it.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    indices : RetrievalIndices
        ``queries, train, database``: ascending int64 row numbers.

    Raises
    ------
    ValueError
        If there is no such protocol, the labels are too few for it, or `shuffle` is
        False but it does not count by class.

    References
    ----------
    CIFAR-10: R. Xia et al. (CNNH), AAAI 2014, and H. Zhu et al. (DHN), AAAI 2016;
    the full split: S. Su et al. (GreedyHash), NeurIPS 2018. The larger sets: Z. Cao et
    al. (HashNet), ICCV 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.datasets import published_split
    >>> y = np.arange(60_000) % 10
    >>> [len(part) for part in published_split("cifar10", y, random_state=0)]
    [1000, 5000, 54000]
    """
    if name in _N_TEST:
        n_test, n_items = _N_TEST[name], len(label_array(y))
        if n_items <= n_test:
            raise ValueError(
                f"{name} takes the last {n_test} rows as queries, y has {n_items}."
            )
        first = np.arange(n_items - n_test)
        return RetrievalIndices(np.arange(n_items - n_test, n_items), first, first)
    if name in _PER_CLASS:
        sizes = {**_PER_CLASS[name], "per_class": True, "shuffle": shuffle}
    elif name in _TOTAL and not shuffle:
        raise ValueError(
            f"{name} draws its items at random: shuffle=False is for the protocols "
            f"that take the first items of each class, {', '.join(_PER_CLASS)}."
        )
    elif name in _TOTAL:
        sizes = {**_TOTAL[name], "stratify": False}
    else:
        known = [*_PER_CLASS, *_N_TEST, *_TOTAL]
        raise ValueError(
            f"There is no protocol {name!r}; the protocols are {', '.join(known)}."
            + hint(name, known)
        )
    return RetrievalSplit(**sizes, random_state=random_state).split(y)
