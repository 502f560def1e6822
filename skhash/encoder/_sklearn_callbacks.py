"""scikit-learn's own callbacks (from 1.9 on), fed from the epochs of a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback

from skhash.encoder._net import DeepHashNet

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Before scikit-learn 1.9 there are no callbacks to support."""

    def with_callbacks(method: Callable) -> Callable:  # type: ignore[no-redef]
        """Before scikit-learn 1.9 there is nothing to tear down."""
        return method


class ReportEpochs(Callback):
    """Tells scikit-learn's callbacks about each epoch; they may stop the training.

    Parameters
    ----------
    estimator : DeepHashEncoder
        The encoder being fitted.
    data : dict
        X, y and metadata as the user gave them.
    n_epochs : int
        Length of the training.
    learnt : callable
        From the net to the fitted attributes of the encoder, as if training had ended
        now. Called only if a callback asks for the fitted estimator.
    """

    def __init__(
        self,
        estimator: Any,
        data: dict[str, Any],
        n_epochs: int,
        learnt: Callable[[DeepHashNet], dict[str, Any]],
    ) -> None:
        self.estimator = estimator
        self.data = data
        self.n_epochs = n_epochs
        self.learnt = learnt

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Open the task of the whole fit."""
        self.context_ = self.estimator._init_callback_context(
            max_subtasks=self.n_epochs
        )
        self.context_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Open the task of an epoch."""
        self.task_ = self.context_.subcontext(task_name="epoch")
        self.task_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Close the task of the epoch; a callback may ask to stop."""
        net.stop_ |= self.task_.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.learnt(net),
            **self.data,
        )

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Close the task of the whole fit."""
        self.context_.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.learnt(net),
            **self.data,
        )


def supports_callbacks(estimator: Any) -> bool:
    """Whether this scikit-learn calls callbacks."""
    return hasattr(estimator, "_init_callback_context")
