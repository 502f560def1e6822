"""What callbacks of skorch cannot do in an encoder, said before the training."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    InputShapeSetter,
    LRScheduler,
    PassthroughScoring,
    WandbLogger,
)

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

_SCORING = (BatchScoring, EpochScoring)


def check_callbacks(
    encoder: DeepHashEncoder, *, partial: bool = False, own_valid: bool = False
) -> None:
    """Refuse callbacks that would fail in the training, or do nothing.

    Parameters
    ----------
    encoder : DeepHashEncoder
    partial : bool, default=False
        Whether it is for `partial_fit`, which has no validation data.
    own_valid : bool, default=False
        Whether the user gave validation data.

    Raises
    ------
    ValueError
        If one is not skorch's, scores what is not there or what the net cannot
        answer, monitors what nobody records, or sets what the encoder sets.
    """
    given = encoder.callbacks or []
    for callback in given:
        if not isinstance(_alone(callback), Callback):
            raise ValueError(
                f"callbacks holds {callback!r}: give instances of "
                "skorch.callbacks.Callback, or pairs (name, instance). For "
                "scikit-learn's callbacks use set_callbacks."
            )
    callbacks = [_alone(callback) for callback in given]
    validates = own_valid or (encoder.early_stopping and not partial)
    for callback in callbacks:
        _check_what_is_set(callback, "constant" if partial else encoder.lr_schedule)
        if isinstance(callback, WandbLogger) and callback.save_model and not own_valid:
            raise ValueError(
                "WandbLogger saves the net with the best 'valid_loss', which the "
                "encoder records for X_val alone: give fit(..., X_val=..., y_val=...), "
                "or use WandbLogger(..., save_model=False)."
            )
        if isinstance(callback, (*_SCORING, PassthroughScoring)):
            _check_data(callback, validates, partial)
        if isinstance(callback, _SCORING):
            _check_scoring(callback)
        _check_direction(callback)
    names = {"train_loss_best"}
    names |= {"valid_score", "valid_score_best"} if validates else set()
    names |= {"valid_loss", "valid_loss_best"} if own_valid else set()
    _check_monitors(callbacks, names, partial)


def check_pretraining(callbacks: Any, plan: list[Any]) -> None:
    """Refuse to monitor the validation score where a plan begins without codes."""
    for callback in callbacks or []:
        monitor = _monitor(_alone(callback))
        if monitor.startswith("valid_score") and any(s.input != "z" for s in plan):
            raise ValueError(
                f"{_name(_alone(callback))} monitors {monitor!r}, but in its "
                "pre-training this loss has no codes to score. Leave the callback out: "
                "early_stopping=True alone stops, and keeps the best weights."
            )


def _alone(callback: Any) -> Any:
    named = isinstance(callback, tuple) and len(callback) == 2
    return callback[1] if named else callback


def _name(callback: Callback) -> str:
    return type(callback).__name__


def _check_what_is_set(callback: Callback, lr_schedule: str) -> None:
    if isinstance(callback, InputShapeSetter):
        raise ValueError(
            "InputShapeSetter would build the network anew. Leave it out: a network "
            "given as a function (input_shape, n_bits) is told the shape of the items."
        )
    if isinstance(callback, LRScheduler) and lr_schedule != "constant":
        raise ValueError(
            f"LRScheduler sets the learning rate, and so does lr_schedule="
            f"{lr_schedule!r}: with the callback, use lr_schedule='constant'."
        )


def _check_data(callback: Any, validates: bool, partial: bool) -> None:
    if callback.on_train or validates:
        return
    where = "partial_fit holds no items out" if partial else "early_stopping is False"
    use = "" if partial else "fit(..., X_val=..., y_val=...), early_stopping=True, or "
    raise ValueError(
        f"{_name(callback)} with on_train=False looks at validation data, but there is "
        f"none: {where}. Use {use}{_name(callback)}(..., on_train=True)."
    )


def _check_scoring(callback: Any) -> None:
    scoring = callback.scoring
    function = getattr(scoring, "_score_func", scoring)
    while hasattr(function, "func"):  # a functools.partial
        function = function.func
    of_classes = (getattr(function, "__module__", "") or "").startswith("sklearn.")
    if not callable(scoring) or of_classes:
        raise ValueError(
            f"{_name(callback)} has scoring={scoring!r}, but the net predicts real "
            "outputs z, not classes. Give a function (net, X, y) -> float, where "
            "net.predict(X) is z and y are class numbers, or a scorer of "
            "skhash.metrics such as mean_average_precision_scorer."
        )
    if hasattr(scoring, "_score_func") and not callback.use_caching:
        raise ValueError(
            f"{_name(callback)} with use_caching=False gives the scorer no labels: "
            "leave use_caching=True."
        )


def _monitor(callback: Any) -> str:
    monitors = isinstance(callback, (EarlyStopping, Checkpoint)) or (
        isinstance(callback, LRScheduler) and _reduces_on_plateau(callback)
    )
    name = callback.monitor if monitors else ""
    return name if isinstance(name, str) else ""


def _reduces_on_plateau(callback: LRScheduler) -> bool:
    return "ReduceLROnPlateau" in str(callback.policy)


def _check_direction(callback: Any) -> None:
    """The validation score is a mean average precision: more is better."""
    if _monitor(callback) != "valid_score":
        return
    use = ""
    if isinstance(callback, EarlyStopping) and callback.lower_is_better:
        use = "EarlyStopping(monitor='valid_score', lower_is_better=False)"
    if isinstance(callback, LRScheduler) and callback.kwargs.get("mode") != "max":
        use = "LRScheduler('ReduceLROnPlateau', monitor='valid_score', mode='max')"
    if isinstance(callback, Checkpoint):
        use = "Checkpoint(monitor='valid_score_best')"
    if use:
        raise ValueError(
            f"{_name(callback)} does not take 'valid_score' for what it is, a number "
            f"of which more is better: use {use}."
        )


def _check_monitors(callbacks: list[Any], names: set[str], partial: bool) -> None:
    for callback in callbacks:
        monitor = _monitor(callback)
        needs_a_writer = monitor.startswith("valid_") or monitor.endswith("_best")
        if needs_a_writer and monitor not in names:
            raise ValueError(
                f"{_name(callback)} monitors {monitor!r}, which the encoder does not "
                f"record. Use {_advice(callback, partial)}."
            )
        if not type(callback).__module__.startswith("skorch."):
            return  # nobody knows what the user's own ones write
        names.update(_written_by(callback))


def _advice(callback: Any, partial: bool) -> str:
    if isinstance(callback, Checkpoint):
        own, direction, loss = "valid_score_best", "", "train_loss_best"
    elif isinstance(callback, EarlyStopping):
        own, direction, loss = "valid_score", ", lower_is_better=False", "train_loss"
    else:
        own, direction, loss = "valid_score", ", mode='max'", "train_loss"
    if partial:
        return f"{_name(callback)}(monitor={loss!r})"
    return (
        f"{_name(callback)}(monitor={own!r}{direction}) and early_stopping=True (or "
        f"X_val, which has a 'valid_loss', too), or monitor={loss!r}"
    )


def _written_by(callback: Any) -> Iterator[str]:
    if isinstance(callback, (*_SCORING, PassthroughScoring)):
        name = callback.name or copy.copy(callback).initialize().name_
        yield from (name, f"{name}_best")
    if name := getattr(callback, "event_name", None):
        yield name
