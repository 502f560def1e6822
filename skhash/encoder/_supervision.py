"""What an encoder learns from: its parameter `loss` says so before any fit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal

from sklearn.base import clone

from skhash.losses import LOSSES, HashLoss

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


def make_loss(loss: str | HashLoss) -> HashLoss:
    """A fresh loss from a name or from the user's instance, which stays unchanged."""
    made = LOSSES[loss]() if isinstance(loss, str) else clone(loss)
    if "_modules" not in vars(made):
        raise TypeError(
            f"{type(made).__name__}.__init__ must call super().__init__() first."
        )
    return made


def learns_from(encoder: DeepHashEncoder) -> Literal["labels", "X", "y"]:
    """Labels, or vectors: the items themselves, or those in y.

    What is no loss learns from labels: parameters are checked elsewhere.
    """
    loss = _asked(encoder.loss)
    if getattr(loss, "supervision", "labels") != "vectors":
        return "labels"
    return "X" if loss.teacher == "X" else "y"


def batch_size_of(encoder: DeepHashEncoder) -> int:
    """Most items in a batch: as given, or as the loss wants them."""
    if encoder.batch_size != "auto":
        return int(encoder.batch_size)
    return _asked(encoder.loss).batch_size


def steps_of(encoder: DeepHashEncoder) -> int:
    """Optimisation steps that the loss gains from."""
    return _asked(encoder.loss).steps


def _asked(loss: Any) -> Any:
    """The loss that is asked for, as it is; None where there is none of that name."""
    if isinstance(loss, str):
        return _by_default(LOSSES[loss]) if loss in LOSSES else None
    return loss


@functools.cache
def _by_default(kind: type[HashLoss]) -> HashLoss:
    """A loss to look at: scikit-learn asks for tags at every call of a method."""
    return kind()


def check_alike(encoder: DeepHashEncoder) -> None:
    """Refuse to go on with data of another kind than that of the fitted loss."""
    loss, asked = encoder.net_.criterion_, learns_from(encoder)
    fitted = loss.teacher if loss.supervision == "vectors" else "labels"
    if asked != fitted:
        kinds = {
            "labels": "labels",
            "X": "the items themselves",
            "y": "a teacher's vectors in y",
        }
        raise ValueError(
            f"loss={encoder.loss!r} learns from {kinds[asked]}, but this "
            f"{type(encoder).__name__} was fitted with {loss!r}, which learns from "
            f"{kinds[fitted]}. Go on with the same, or call fit."
        )


def has_classes(encoder: DeepHashEncoder) -> bool:
    """True, or an error that says why there are none."""
    net = getattr(encoder, "net_", None)
    if net is None:
        of_labels = learns_from(encoder) == "labels"
    else:
        of_labels = net.criterion_.supervision == "labels"
    if not of_labels:
        raise AttributeError(no_classes(encoder))
    if vars(encoder).get("_class_sums", ()) is None:
        raise AttributeError(
            f"This {type(encoder).__name__} was fitted with pairs of similar items, "
            "which are no classes to predict or score. Search its codes by "
            "HammingNeighbors."
        )
    return True


class of_classes:
    """A method of encoders of labels. It is absent of others, and the error says why.

    scikit-learn's `available_if` says no more than that there is no such attribute:
    why stands in the cause of its error, above many lines that few people read.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method
        functools.update_wrapper(self, method)

    def __get__(self, encoder: Any, owner: type) -> Callable[..., Any]:
        if encoder is None:
            return self.method
        try:
            has_classes(encoder)
        except AttributeError as error:
            raise AttributeError(
                f"This {owner.__name__!r} has no attribute {self.method.__name__!r}. "
                f"{error}",
                name=self.method.__name__,
                obj=encoder,
            ) from None
        return MethodType(self.method, encoder)


def no_classes(encoder: Any) -> str:
    """Why there are no classes, and what to do."""
    return (
        f"{type(encoder).__name__} with loss={encoder.loss!r} learns from vectors, not "
        "from labels: it has no classes to predict or score. Measure its codes by "
        "skhash.metrics.neighbor_recall, or by other metrics of codes and labels; "
        "HammingNeighborsClassifier predicts labels from codes."
    )
