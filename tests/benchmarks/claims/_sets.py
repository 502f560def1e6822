"""The images of the claims, and what a training on them may cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _harness import load
from sklearn.cluster import KMeans

from skhash.datasets import published_split

# On one thread of an idle core: of an image in an epoch, and of all that is measured.
SECONDS_AN_IMAGE = {
    "mnist": 6.3e-4,
    "fashion_mnist": 6.3e-4,
    "cifar10": 2.6e-3,
    "scene": 7e-5,
    "corel5k": 7e-5,
}
MINUTES_MEASURING = {"mnist": 0.3, "fashion_mnist": 0.3, "cifar10": 1.0}


class Images(NamedTuple):
    """Images to learn from, the database, and the queries, with their labels."""

    X: np.ndarray
    y: np.ndarray
    X_database: np.ndarray
    y_database: np.ndarray
    X_query: np.ndarray
    y_query: np.ndarray


class Set(NamedTuple):
    """A way to take images from a file, and the training that every loss gets."""

    file: str
    n_images: int
    epochs: int
    take: Callable[..., Images]
    augment: str | None = None
    says: str = ""

    @property
    def title(self) -> str:
        """The name of its file as one writes it."""
        names = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
        return {**names, "cifar10": "CIFAR-10"}.get(self.file, self.file)

    @property
    def budget(self) -> dict[str, Any]:
        """Parameters of the encoder that are the same for all losses."""
        return {"max_epochs": self.epochs, "augment": self.augment}

    @property
    def minutes(self) -> float:
        """About what a training takes on one thread, its measurement included."""
        training = self.n_images * self.epochs * SECONDS_AN_IMAGE[self.file] / 60
        return training + MINUTES_MEASURING.get(self.file, 0.03)


def first(arrays: tuple[np.ndarray, ...], n: int | None = None) -> Images:
    """The first n training images, which are the database, too."""
    X, y = arrays[0][:n].copy(), arrays[1][:n]  # a view would keep all of a file
    return Images(X, y, X, y, *arrays[2:])


def of_each_class(arrays: tuple[np.ndarray, ...], n: int) -> Images:
    """The first n training images of each class; all of them are the database."""
    X, y, X_query, y_query = arrays
    rows = np.sort(np.concatenate([np.flatnonzero(y == c)[:n] for c in np.unique(y)]))
    return Images(X[rows], y[rows], X, y, X_query, y_query)


def published(arrays: tuple[np.ndarray, ...], name: str) -> Images:
    """A published split of training and test images taken together."""
    X, y = np.concatenate(arrays[::2]), np.concatenate(arrays[1::2])
    queries, train, database = published_split(name, y, random_state=0)
    return Images(X[train], y[train], X[database], y[database], X[queries], y[queries])


def split_classes(arrays: tuple[np.ndarray, ...], n: int, parts: int) -> Images:
    """Each class cut into `parts` classes by k-means on the first n training images.

    Centres come from the training images alone. A test image belongs to the nearest
    centre of its own class.
    """
    X, y, X_query, y_query = first(arrays, n)[:2] + arrays[2:]
    fine, fine_query = np.empty(len(y), np.int64), np.empty(len(y_query), np.int64)
    for number, label in enumerate(np.unique(y)):
        means = KMeans(parts, n_init=1, random_state=0)
        rows, query_rows = y == label, y_query == label
        fine[rows] = number * parts + means.fit_predict(_flat(X[rows]))
        fine_query[query_rows] = number * parts + means.predict(
            _flat(X_query[query_rows])
        )
    return Images(X, fine, X, fine, X_query, fine_query)


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def _small(n: int, epochs: int) -> Set:
    """A set of n images a class, trained for about a thousand steps."""
    take = partial(of_each_class, n=n)
    says = f"{n} images a class to learn from, all 60 000 in the database"
    return Set("fashion_mnist", 10 * n, epochs, take, says=says)


TEN = partial(first, n=10_000)
SETS = {
    "mnist": Set("mnist", 60_000, 6, first, says="all 60 000 training images"),
    "fashion_mnist": Set(
        "fashion_mnist", 60_000, 6, first, says="all 60 000 training images"
    ),
    "cifar10": Set("cifar10", 50_000, 12, first, "crop_flip", "all 50 000 images"),
    "mnist-10000": Set("mnist", 10_000, 12, TEN, says="10 000 images"),
    "fashion_mnist-10000": Set("fashion_mnist", 10_000, 12, TEN, says="10 000 images"),
    "cifar10-10000": Set("cifar10", 10_000, 12, TEN, "crop_flip", "10 000 images"),
    "cifar10-5000": Set(
        *("cifar10", 5_000, 60, partial(published, name="cifar10-1"), "crop_flip"),
        "1 000 queries, 5 000 to learn from, 59 000 in the database",
    ),
    "fashion_mnist-50-a-class": _small(50, 250),
    "fashion_mnist-100-a-class": _small(100, 125),
    "fashion_mnist-500-a-class": _small(500, 25),
    "fashion_mnist-100-classes": Set(
        *("fashion_mnist", 10_000, 12, partial(split_classes, n=10_000, parts=10)),
        says="10 000 images, each class cut into ten by k-means",
    ),
    "scene": Set("scene", 1_211, 100, first, says="1 211 photos, 6 labels"),
    "corel5k": Set("corel5k", 4_500, 30, first, says="4 500 photos, 374 labels"),
}


@lru_cache(2)
def images(folder: Path, name: str) -> Images:
    """The images of a set; those of the last two sets stay in memory."""
    return SETS[name].take(load(folder, SETS[name].file))
