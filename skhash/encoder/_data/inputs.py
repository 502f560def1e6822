"""What the encoder takes: features, images, sparse rows, torch data sets; labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

from skhash.encoder._data.arrays import check_item_array, check_range, fitted_layout
from skhash.encoder._data.containers import tensor_array
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.items import CheckedItems, check_length, layout_of
from skhash.encoder._data.layouts import Layout
from skhash.encoder._labels import stored
from skhash.hamming.columns import check_column, kind_of
from skhash.hamming.labels import Labels, encode_by_classes, warn_of_column
from skhash.networks import borrowed_generator

# Values that are looked at together when the whole data set is read once; in float64,
# with what the sums need, they take some 8 MB.
_CHUNK = 1 << 18
# Vectors that a loss is shown before training, at most.
_SAMPLE = 10_000


@dataclass(frozen=True)
class TrainingData:
    """Checked training data.

    Attributes
    ----------
    items : ArrayDataset or EncodedDataset
        Items with encoded labels and weights; torch's `Dataset`.
    layout : Layout
        Shape of one item as the user gave it, and where its channels are.
    labels : Labels or Vectors
        The encoded labels: class numbers, or sets; or real vectors.
    classes : ndarray of shape (n_classes,)
        The labels in order; column numbers for multi-label data; none of vectors.
    """

    items: ArrayDataset | EncodedDataset
    layout: Layout
    labels: Any
    classes: np.ndarray

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one item as the user gave it."""
        return self.layout.shape

    @property
    def y(self) -> Tensor:
        """Encoded labels: int64 (n,), or float32 0/1 (n, n_classes), dense or CSR.

        Of vectors, a sample that fits into memory, float32 (n, d).
        """
        return self._told.targets

    @property
    def y_weight(self) -> Tensor | None:
        """Weights of the items of `y`; None where all have the same."""
        return self._told.sample_weight

    @property
    def _told(self) -> Any:
        """The items whose labels, or vectors, a loss is told at its start."""
        if self.kind != "vectors":
            return self.items
        count = min(len(self.items), _SAMPLE)
        return self.items.subset(np.arange(count) * len(self.items) // count)

    @property
    def kind(self) -> Literal["classes", "sets", "vectors"]:
        """What supervises an item: its class, a set of classes, or real numbers."""
        return self.labels.kind

    def subset(self, index: np.ndarray) -> TrainingData:
        """Some of the items with their labels."""
        items, labels = self.items.subset(index), self.labels.subset(index)
        return replace(self, items=items, labels=labels)


def check_training(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    item_shape: Sequence[int] | None,
    classes: Any = None,
    reset: bool = True,
) -> TrainingData:
    """Everything `fit` is given, checked once, before any work.

    Parameters
    ----------
    estimator : estimator
        Named in messages; gets `n_features_in_`.
    X : array-like, sparse matrix or torch Dataset of (item, label) pairs
        The items.
    y : array-like of shape (n,) or (n, n_classes), or None for a Dataset
        The labels.
    sample_weight : array-like of shape (n,) or None
        Weights; items of weight 0 are dropped.
    item_shape : sequence of int or None
        The encoder's `input_shape`.
    classes : array-like of shape (n_classes,), default=None
        All classes there will ever be (`partial_fit`).
    reset : bool, default=True
        Whether earlier data is forgotten.

    Returns
    -------
    data : TrainingData

    Raises
    ------
    ValueError
        If X, y or the weights cannot be trained on.
    """
    if isinstance(X, Dataset):
        return _check_dataset(
            estimator, X, y, sample_weight, item_shape, classes, reset
        )
    y = None if y is None else check_labels(y)
    (X, _), layout, axes = check_item_array(
        estimator,
        X,
        layout=None if reset else fitted_layout(estimator),
        item_shape=item_shape,
        # The labels are checked; scikit-learn compares the lengths.
        y=None if y is None else np.zeros(len(y)),
        ensure_min_samples=2,
    )
    check_range(X)
    kept, sample_weight = check_weights(sample_weight, len(y))
    y = y if kept is None else y.subset(kept)
    y, classes = _encode_labels(estimator, y, classes, reset)
    _check_contrast(estimator, y, classes)
    items = ArrayDataset(X, stored(y), sample_weight, index=kept, **axes)
    return TrainingData(items, layout, y, classes)


def _check_dataset(
    estimator: Any,
    X: Dataset,
    y: Any,
    sample_weight: Any,
    item_shape: Sequence[int] | None,
    classes: Any,
    reset: bool,
) -> TrainingData:
    n, items, layout = open_data_set(estimator, X, item_shape, reset)
    if y is None:
        y = labels_of_pairs(X)
    y = check_labels(y)
    if len(y) != n:
        raise ValueError(f"The data set has {n} items, but y has {len(y)}.")
    kept, sample_weight = check_weights(sample_weight, n)
    if kept is not None:
        items, y = Subset(items, kept.tolist()), y.subset(kept)
    y, classes = _encode_labels(estimator, y, classes, reset)
    _check_contrast(estimator, y, classes)
    note_features(estimator, items, layout, reset)
    encoded = EncodedDataset(items, stored(y), sample_weight)
    return TrainingData(encoded, layout, y, classes)


def open_data_set(
    estimator: Any, X: Dataset, item_shape: Sequence[int] | None, reset: bool
) -> tuple[int, Dataset, Layout]:
    """Length of a data set, its items, checked as they come, and their layout."""
    if isinstance(X, IterableDataset):
        raise ValueError(
            "An IterableDataset has no length and no order to draw batches from. Pass "
            "a torch Dataset with __len__ and __getitem__, or arrays."
        )
    check_length(X, least=2)
    layout = layout_of(X, item_shape) if reset else fitted_layout(estimator)
    return len(X), CheckedItems(X, layout, estimator), layout  # type: ignore[arg-type]


def note_features(estimator: Any, items: Dataset, layout: Layout, reset: bool) -> None:
    """Check the first item, and note how many values an item has."""
    with borrowed_generator(0):
        items[0]
    estimator.n_features_in_ = layout.n_values
    if reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def labels_of_pairs(dataset: Dataset) -> list[Any]:
    """The labels of a data set of (item, label) pairs."""
    labels = []
    with borrowed_generator(0):  # items may be augmented at random on their way
        for index in range(len(dataset)):  # type: ignore[arg-type]
            item = dataset[index]
            if not isinstance(item, (tuple, list)) or len(item) != 2:
                raise ValueError(
                    f"A torch Dataset must give (item, label) pairs; dataset[{index}] "
                    f"is {type(item).__name__}. Or pass the labels as y."
                )
            labels.append(item[1])
    return labels


def check_labels(y: Any, name: str = "y") -> Labels:
    """Labels that can be learnt from."""
    warn_of_column(y)
    labels = Labels.of(y, name=name)
    if labels.values.dtype.kind == "f":
        assert_all_finite(labels.values, input_name=name)
        check_classification_targets(labels.values)
    return labels


def check_weights(
    sample_weight: Any, n: int
) -> tuple[np.ndarray | None, Tensor | None]:
    """Which items have weight (None: all), and their weights (None: all the same)."""
    if sample_weight is None:
        return None, None
    weight = _check_sample_weight(
        sample_weight, np.empty((n, 1)), dtype=np.float64, ensure_non_negative=True
    )
    kept = np.flatnonzero(weight)
    if not len(kept):
        raise ValueError("sample_weight is zero for every item; nothing to train on.")
    weight = weight[kept]
    some = None if len(kept) == n else kept
    if (weight == weight[0]).all():
        return some, None
    return some, torch.from_numpy((weight / weight.mean()).astype(np.float32))


def _encode_labels(
    estimator: Any, y: Labels, classes: Any, reset: bool
) -> tuple[Labels, np.ndarray]:
    name, multilabel = type(estimator).__name__, y.kind == "sets"
    if not reset and multilabel != estimator.multilabel_:
        kinds = ("one label an item", "a 0/1 matrix (multi-label)")
        raise ValueError(
            f"y is {kinds[multilabel]}, but this {name} was fitted with "
            f"{kinds[estimator.multilabel_]}. Go on with the same kind or call fit."
        )
    if multilabel:
        known = y.n_classes if classes is None else len(classes)
        if y.n_classes != known:
            raise ValueError(
                f"y has {y.n_classes} columns, but {name} expects one for each of "
                f"{known} classes."
            )
        names = None if classes is None else check_column(classes, name="classes")
        return y, np.arange(known) if names is None else names
    given = y.values if classes is None else check_column(classes, name="classes")
    classes = np.unique(given)
    encoded = encode_by_classes(y.values, classes)
    unknown = np.unique(y.values[encoded < 0])
    if len(unknown):
        raise ValueError(
            f"y has labels that are not among the classes {classes.tolist()} that "
            f"{name} knows, such as {unknown.tolist()[0]!r}. Give all of them to the "
            "first call: partial_fit(X, y, classes=...)."
        )
    return Labels.of(encoded, name="y"), classes


def same_classes(classes: Any, known: np.ndarray) -> bool:
    """Whether these are the classes that are known, in any order."""
    given = check_column(classes, name="classes")
    kinds = kind_of(given), kind_of(known)
    return kinds[0] == kinds[1] and np.array_equal(np.unique(given), np.unique(known))


def _check_contrast(estimator: Any, y: Labels, classes: np.ndarray) -> None:
    name = type(estimator).__name__
    if len(y) < 2:
        raise ValueError(f"{name} needs at least 2 items of positive weight, got 1.")
    if y.kind == "sets":
        if y.constant:
            raise ValueError(
                f"{name} needs items that differ: all rows of y have the same labels."
            )
    elif len(classes) < 2:
        raise ValueError(
            f"{name} needs at least 2 classes, but y has only one class: "
            f"{classes.tolist()[0]!r}. Codes are learnt from items that differ."
        )


def moments(data: TrainingData, n_values: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of the training items, read once in chunks.

    Parameters
    ----------
    data : TrainingData
        The training items; missing values have been ruled out.
    n_values : int
        Values of an item.

    Returns
    -------
    mean, scale : float64 ndarray of shape (n_values,), or (n_channels,) for images
        The scale of a constant value is 1.
    """
    scaler = StandardScaler(with_mean=not sp.issparse(getattr(data.items, "X", None)))
    for chunk in _chunks(data.items, n_values):
        scaler.partial_fit(chunk)
    if len(data.item_shape) == 1:
        return scaler.mean_, scaler.scale_
    channels = data.layout.network_shape[0]
    grid = (-1, channels) if data.layout.channels_last else (channels, -1)
    mean, var = (part.reshape(grid) for part in (scaler.mean_, scaler.var_))
    pixels = 0 if data.layout.channels_last else 1
    channel_mean = mean.mean(pixels)
    # Within the pixels and between them: no difference of large squares.
    scale = np.sqrt(var.mean(pixels) + mean.var(pixels))
    return channel_mean, np.where(scale > 1e-12, scale, 1.0)


def _chunks(items: Any, n_values: int) -> Iterator[Any]:
    if isinstance(items, ArrayDataset):
        rows = max(1, _CHUNK // n_values)
        for start in range(0, len(items), rows):
            yield _narrow(items.raw(slice(start, start + rows)))
    else:
        # A generator of its own: the loader would draw a seed from the global one.
        own = torch.Generator()
        with borrowed_generator(0):  # for items that are augmented at random
            for batch in DataLoader(items, batch_size=256, generator=own):
                yield tensor_array(batch[0].reshape(len(batch[0]), -1))


def _narrow(rows: Any) -> Any:
    """A CSR matrix with places in int32, as scikit-learn 1.6 wants them."""
    if not sp.issparse(rows) or rows.indices.dtype == np.int32:
        return rows
    places = (part.astype(np.int32) for part in (rows.indices, rows.indptr))
    return sp.csr_array((rows.data, *places), shape=rows.shape)
