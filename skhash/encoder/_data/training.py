"""What `fit` is given, checked as the loss of the encoder says: labels or vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skhash.encoder._data.inputs import TrainingData, check_training
from skhash.encoder._data.validation import check_validation
from skhash.encoder._data.vectors import (
    check_vector_training,
    check_vector_validation,
)
from skhash.encoder._supervision import learns_from

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


def check_data(
    encoder: DeepHashEncoder,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    classes: Any = None,
    reset: bool = True,
) -> TrainingData:
    """Training data; see `check_training` and `check_vector_training`."""
    given = encoder, X, y, sample_weight
    options: dict[str, Any] = {"item_shape": encoder.input_shape, "reset": reset}
    teacher = learns_from(encoder)
    if teacher == "labels":
        return check_training(*given, classes=classes, **options)
    return check_vector_training(*given, teacher=teacher, **options)


def check_own_validation(
    encoder: DeepHashEncoder, X_val: Any, y_val: Any, train: TrainingData
) -> TrainingData | None:
    """Validation data of the user's own, if any is given."""
    teacher = learns_from(encoder)
    if teacher == "labels":
        return check_validation(encoder, X_val, y_val, train)
    return check_vector_validation(encoder, X_val, y_val, train, teacher)
