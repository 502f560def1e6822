"""Drawing items at random, so that all labels are represented."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skhash.hamming.labels import check_labels, dense


def label_array(y: Any) -> np.ndarray:
    """Labels as encoded classes (n,) or a bool matrix (n, n_classes)."""
    labels = dense(check_labels(y, name="y"))
    if labels.ndim == 2:
        return labels
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def membership(labels: np.ndarray) -> np.ndarray:
    """Items by classes, bool."""
    if labels.ndim == 2:
        return labels
    return np.eye(labels.max(initial=-1) + 1, dtype=bool)[labels]


def new_generator(random_state: Any) -> np.random.Generator:
    """A generator seeded by one draw from scikit-learn's kind of random state."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return np.random.default_rng(seed)


def draw_plain(pool: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` items of the pool, all equally likely."""
    return rng.choice(pool, n, replace=False)


def draw_stratified(
    labels: np.ndarray, pool: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """`n` items of the pool in which labels are as frequent as in the pool.

    With one label per item, each class gets its share, rounded down or up. With
    several, the labels take turns from the rarest on, each choosing among the items
    that no rarer label has looked at (after Sechidis et al. 2011).
    """
    member = membership(labels)[pool]
    order = rng.permutation(len(pool))
    if (member.sum(axis=1) <= 1).all():
        return pool[_by_largest_remainder(member, n, order, rng)]
    wanted = member.sum(axis=0) * (n / len(pool))
    open_ = np.ones(len(pool), dtype=bool)
    chosen: list[int] = []
    for label in np.argsort(member.sum(axis=0), kind="stable"):
        candidates = order[(open_ & member[:, label])[order]]
        # Rounded at random: otherwise, classes of equal size would all round one way.
        take = int(np.floor(wanted[label] + rng.random()))
        take = min(max(0, take), len(candidates), n - len(chosen))
        chosen.extend(candidates[:take])
        wanted -= member[candidates[:take]].sum(axis=0)
        open_[candidates] = False
    left = order[~np.isin(order, chosen)]
    chosen.extend(left[: n - len(chosen)])
    return pool[np.array(chosen, dtype=np.intp)]


def _by_largest_remainder(
    member: np.ndarray, n: int, order: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """`n` rows, the first of each class in `order`; no label counts as a class, too."""
    n_rows, n_classes = member.shape
    labels = np.where(member.any(axis=1), member.argmax(axis=1), n_classes)
    sizes = np.bincount(labels, minlength=n_classes + 1)
    # In whole numbers, so that the parts add up to n without rounding errors.
    quota, remainder = np.divmod(sizes * n, n_rows)
    ranked = np.lexsort((rng.random(len(sizes)), -remainder))
    quota[ranked[: n - quota.sum()]] += 1
    return np.concatenate(
        [order[labels[order] == label][:take] for label, take in enumerate(quota)]
    )


def draw_per_class(
    labels: np.ndarray, pool: np.ndarray, n: int, order: np.ndarray
) -> np.ndarray:
    """`n` items of each class, the first ones in `order`; no item is taken twice."""
    member = membership(labels)
    free = np.zeros(len(labels), dtype=bool)
    free[pool] = True
    chosen = []
    for label in range(member.shape[1]):
        candidates = order[(free & member[:, label])[order]]
        if len(candidates) < n:
            raise ValueError(
                f"Class number {label} has only {len(candidates)} items left, {n} are "
                "wanted of each class."
            )
        chosen.append(candidates[:n])
        free[candidates[:n]] = False
    return np.concatenate(chosen)


def draw_groups(
    groups: np.ndarray, pool: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Whole groups of the pool, of at most `n` items together."""
    names, index = np.unique(groups[pool], return_inverse=True)
    sizes = np.bincount(index, minlength=len(names))
    taken = np.zeros(len(names), dtype=bool)
    room = n
    for group in rng.permutation(len(names)):
        if sizes[group] <= room:
            taken[group] = True
            room -= sizes[group]
    return pool[taken[index]]
