"""Where the loss falls no more, a training of automatic length comes to its end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from skhash.encoder._callbacks import FollowPlan
from skhash.encoder._net import DeepHashNet

# Epochs that are compared with as many before them: this share of all, and at least.
_WINDOW, _SHORTEST = 1 / 40, 12
# The loss is flat if it fell by less than this share of its fall so far.
_FLAT = 0.003
# Before this share of the epochs nothing counts as flat: the rate of learning is high.
_RISING = 0.45
# The end takes this share of the epochs, and at least so many.
_END, _LAST_EPOCHS = 0.1, 3


class EndOnPlateau(Callback):
    """Lets the schedule descend to its end at once when the training loss is flat.

    What is left of the plan is passed through in a tenth of the epochs. Whether the
    loss is flat is judged within a stage: its settings change the loss. Where centres
    are estimated anew, they still move while the loss is flat, and codes get better.

    Parameters
    ----------
    plan : FollowPlan
        Carries the plan out.
    n_epochs : int
        Length of the training.
    """

    def __init__(self, plan: FollowPlan, n_epochs: int) -> None:
        self.plan = plan
        self.n_epochs = n_epochs

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Nothing is flat yet."""
        self.end_ = self.n_epochs

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Look at the loss; begin the end, or end."""
        done = self.plan.epoch_ + 1
        if done >= self.end_:
            net.stop_ = True
        elif self.end_ == self.n_epochs and self._is_flat(net, done):
            left = max(_LAST_EPOCHS, math.ceil(_END * self.n_epochs))
            if done + left < self.n_epochs:
                self.end_ = done + left
                self.plan.shorten(done, left)
                net.shorten(left)

    def _is_flat(self, net: DeepHashNet, done: int) -> bool:
        if self.plan.stage.refresh_every:
            return False
        window = max(_SHORTEST, int(_WINDOW * self.n_epochs))
        rows = net.history[-done:]
        losses = [
            row["train_loss"] for row in rows if row["stage"] == rows[-1]["stage"]
        ]
        judged = losses[-2 * window :]
        if done - len(judged) < _RISING * self.n_epochs or len(judged) < 2 * window:
            return False
        before, now = np.mean(judged[:window]), np.mean(judged[window:])
        return bool(before - now <= _FLAT * (max(losses) - now))
