"""Real vectors that supervise items: the items themselves, or a teacher's in y."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array
from torch.utils.data import Dataset, Subset

from skhash.encoder._data.arrays import check_item_array, check_range, fitted_layout
from skhash.encoder._data.containers import read_array
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.inputs import (
    TrainingData,
    check_weights,
    labels_of_pairs,
    note_features,
    open_data_set,
)
from skhash.encoder._data.validation import check_items
from skhash.encoder._labels import stored

# Rows that are compared at a time.
_ROWS = 4096


@dataclass(frozen=True)
class Vectors:
    """Vectors of items: rows of an array that stays where it lies.

    Attributes
    ----------
    values : ndarray of shape (n_rows, d)
        The array, of any real dtype.
    rows : ndarray of int
        Which of its rows belong to the items.
    """

    values: np.ndarray
    rows: np.ndarray

    kind: ClassVar[Literal["vectors"]] = "vectors"

    @classmethod
    def of(cls, values: np.ndarray) -> Vectors:
        """All rows of an array."""
        return cls(values, np.arange(len(values)))

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, index: Any) -> Vectors:
        """Those of some of the items."""
        return replace(self, rows=self.rows[index])

    def take(self, index: Any = slice(None)) -> np.ndarray:
        """Some of the vectors, or one, as float32 in memory of their own."""
        return self.values[self.rows[index]].astype(np.float32)

    def array(self) -> np.ndarray:
        """All vectors in their dtype; the array itself where it holds no others."""
        whole = np.array_equal(self.rows, np.arange(len(self.values)))
        return self.values if whole else self.values[self.rows]

    @property
    def differ(self) -> bool:
        """Whether any vector differs from the first."""
        return any((part != part[:1]).any() for part in self._parts())

    def _parts(self) -> Iterator[np.ndarray]:
        """The first vector and some others, until all have been there."""
        for start in range(0, len(self), _ROWS):
            some = self.rows[start : start + _ROWS]
            yield self.values[np.concatenate([self.rows[:1], some])]


def check_vector_training(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    teacher: Literal["X", "y"],
    item_shape: Sequence[int] | None,
    reset: bool = True,
) -> TrainingData:
    """Everything `fit` is given where vectors supervise, checked before any work.

    As `check_training`. With the teacher "X", y is not looked at.
    """
    layout = None if reset else fitted_layout(estimator)
    rows: dict[str, Any] = {"item_shape": item_shape, "ensure_min_samples": 2}
    axes: dict[str, Any] = {}
    items: Any = None
    if teacher == "X":
        refuse_what_is_no_vector(estimator, X, item_shape)
        X, layout, axes = check_item_array(estimator, X, layout=layout, **rows)
        refuse_images(estimator, len(layout.shape) > 1)  # of lists, which have no shape
        vectors = Vectors.of(X)
    elif isinstance(X, Dataset):
        n, items, layout = open_data_set(estimator, X, item_shape, reset)
        vectors = check_teacher(labels_of_pairs(X) if y is None else y, n)
    else:
        vectors = check_teacher(y)
        (X, _), layout, axes = check_item_array(
            estimator, X, layout=layout, y=np.zeros(len(vectors)), **rows
        )
    if not reset:
        _check_width(estimator, vectors)
    kept, weight = check_weights(sample_weight, len(vectors))
    vectors = vectors if kept is None else vectors.subset(kept)
    _check_contrast(estimator, vectors)
    nothing = np.empty(0, dtype=np.int64)
    if items is not None:
        items = items if kept is None else Subset(items, kept.tolist())
        note_features(estimator, items, layout, reset)
        encoded = EncodedDataset(items, stored(vectors), weight)
        return TrainingData(encoded, layout, vectors, nothing)
    check_range(X)
    data = ArrayDataset(X, stored(vectors), weight, index=kept, **axes)
    return TrainingData(data, layout, vectors, nothing)


def check_teacher(y: Any, n: int | None = None, name: str = "y") -> Vectors:
    """A teacher's vectors, of which there must be `n`."""
    advice = (
        f'The teacher "y" gives a real vector for each item: {name} of shape (n, d), '
        "such as embeddings of a costly model"
    )
    if y is None:
        raise ValueError(
            f"This loss requires y to be passed, but the target {name} is None. "
            f"{advice}."
        )
    y = read_array(y, name)
    if sp.issparse(y):
        raise ValueError(
            f"{advice}, but {name} is a sparse matrix: make it dense and short first, "
            "by sklearn.decomposition.TruncatedSVD."
        )
    values = check_array(
        y,
        dtype=None,
        input_name=name,
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite=False,
    )
    if values.ndim != 2:
        raise ValueError(
            f"{advice}, but {name} has shape {values.shape}. Labels are for other "
            'losses; the teacher "X" ignores them.'
        )
    values = check_array(values, dtype="numeric", input_name=name)
    check_range(values, name)
    if n is not None and len(values) != n:
        raise ValueError(f"The data set has {n} items, but {name} has {len(values)}.")
    return Vectors.of(values)


def refuse_what_is_no_vector(
    estimator: Any, X: Any, item_shape: Sequence[int] | None
) -> None:
    """Refuse items that cannot be their own teacher: sparse rows, images, data sets."""
    name = type(estimator).__name__
    teach = (
        f'give vectors of a model as y, {name}(loss=NeighborDistillation(teacher="y"))'
    )
    if sp.issparse(X) or getattr(X, "is_sparse", False):
        raise ValueError(
            f"{name} learns from the items themselves, and sparse rows are no dense "
            "vectors: make these short first, make_pipeline(TruncatedSVD(256), "
            f"{name}(loss='neighbor_distillation')), of sklearn.decomposition; or "
            f"{teach}."
        )
    if isinstance(X, Dataset):
        raise ValueError(
            f"{name} learns from the items themselves, which takes an array, not a "
            f"torch Dataset: {teach}."
        )
    shape = getattr(X, "shape", ())
    several = item_shape is not None and len(item_shape) > 1
    refuse_images(estimator, len(shape) > 2 or several)


def refuse_images(estimator: Any, are_images: bool) -> None:
    """Refuse images as their own teacher, if the items are images."""
    name = type(estimator).__name__
    if are_images:
        raise ValueError(
            f"{name} learns from the items themselves, but distances between pixels "
            "of images say little: give vectors of a model as y, "
            f'{name}(loss=NeighborDistillation(teacher="y")), or give flat rows, '
            "without input_shape, to compare pixels after all."
        )


def check_vector_validation(
    estimator: Any, X_val: Any, y_val: Any, train: TrainingData, teacher: str
) -> TrainingData | None:
    """Items to validate on, with their vectors; as `check_validation`."""
    if X_val is None and (y_val is None or teacher == "X"):
        return None
    pairs = isinstance(X_val, Dataset)
    if X_val is None or (teacher == "y" and y_val is None and not pairs):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(
            f"{given} was given without {missing}: validation takes both, items and "
            "their vectors."
        )
    if teacher == "X":
        refuse_what_is_no_vector(estimator, X_val, None)
    try:
        items = check_items(estimator, X_val, train)
    except ValueError as error:
        raise ValueError(f"X_val: {error}") from error
    if teacher == "X":
        vectors = Vectors.of(items.X)
    else:
        y = labels_of_pairs(X_val) if y_val is None else y_val
        vectors = check_teacher(y, name="y_val")
        if len(vectors) != len(items):
            raise ValueError(
                f"X_val has {len(items)} items, but y_val has {len(vectors)}."
            )
        width = train.labels.values.shape[1]
        if vectors.values.shape[1] != width:
            raise ValueError(
                f"y_val has {vectors.values.shape[1]} columns, but y has {width}."
            )
    if isinstance(items, ArrayDataset):
        items.y = stored(vectors)
    else:
        items = EncodedDataset(items, stored(vectors))
    return TrainingData(items, train.layout, vectors, train.classes)


def _check_width(estimator: Any, vectors: Vectors) -> None:
    """Refuse vectors of another length than those of the first `partial_fit`."""
    width = vectors.values.shape[1]
    known = getattr(estimator.net_.criterion_, "_n_columns", None)
    if known not in (None, width):
        raise ValueError(
            f"The vectors have {width} numbers, but this {type(estimator).__name__} "
            f"was fitted with vectors of {known}. Go on with the same, or call fit."
        )


def _check_contrast(estimator: Any, vectors: Vectors) -> None:
    name = type(estimator).__name__
    if len(vectors) < 2:
        raise ValueError(f"{name} needs at least 2 items of positive weight, got 1.")
    if not vectors.differ:
        raise ValueError(
            f"{name} needs items that differ, but all vectors are the same."
        )
