"""Validation data of the user's own, checked against the training data."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import Dataset

from skhash.encoder._data.arrays import check_item_array, check_range
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.inputs import TrainingData, check_labels, labels_of_pairs
from skhash.encoder._data.items import CheckedItems, check_length
from skhash.encoder._labels import stored
from skhash.hamming.labels import Labels, encode_by_classes


def check_validation(
    estimator: Any, X_val: Any, y_val: Any, train: TrainingData
) -> TrainingData | None:
    """Items to validate on, in the layout and with the classes of the training.

    Parameters
    ----------
    estimator : DeepHashEncoder
        Named in messages; knows the features of X.
    X_val : as X in `fit`, or None
        The items.
    y_val : as y in `fit`, or None for a Dataset of pairs
        Their labels.
    train : TrainingData
        The checked training data.

    Returns
    -------
    data : TrainingData or None
        None if nothing was given.

    Raises
    ------
    ValueError
        If one of the two is missing, or they do not fit the training data.
    """
    if X_val is None and y_val is None:
        return None
    if X_val is None or (y_val is None and not isinstance(X_val, Dataset)):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(
            f"{given} was given without {missing}: validation takes both, items and "
            "their labels."
        )
    try:
        items = check_items(estimator, X_val, train)
        y = labels_of_pairs(X_val) if y_val is None else y_val
    except ValueError as error:
        raise ValueError(f"X_val: {error}") from error
    labels = check_labels(y, name="y_val")
    if len(labels) != len(items):
        raise ValueError(f"X_val has {len(items)} items, but y_val has {len(labels)}.")
    labels = _encode(labels, train)
    if isinstance(items, ArrayDataset):
        items.y = stored(labels)
    else:
        items = EncodedDataset(items, stored(labels))
    return TrainingData(items, train.layout, labels, train.classes)


def check_items(estimator: Any, X_val: Any, train: TrainingData) -> Any:
    """Items to validate on, in the layout of the training."""
    if isinstance(X_val, Dataset):
        check_length(X_val, least=1)
        return CheckedItems(X_val, train.layout, estimator)
    array, _, axes = check_item_array(estimator, X_val, layout=train.layout)
    check_range(array)
    return ArrayDataset(array, **axes)


def _encode(labels: Labels, train: TrainingData) -> Labels:
    """The labels as numbers of the classes of the training."""
    if labels.kind != train.kind:
        kinds = {"classes": "one label an item", "sets": "several labels an item"}
        raise ValueError(
            f"y_val holds {kinds[labels.kind]}, but y holds {kinds[train.kind]}."
        )
    if labels.kind == "sets":
        if labels.n_classes != len(train.classes):
            raise ValueError(
                f"y_val has {labels.n_classes} columns, but y has {len(train.classes)}."
            )
        return labels
    encoded = encode_by_classes(labels.values, train.classes)
    if (encoded < 0).any():
        unknown = np.unique(labels.values[encoded < 0]).tolist()
        raise ValueError(
            f"y_val has labels that y does not have, such as {unknown[0]!r}: no "
            "training item is relevant to these. Leave them out."
        )
    return Labels.of(encoded, name="y_val")
