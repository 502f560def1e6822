"""skorch callbacks of the encoder: code health, early stopping, progress."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from skhash.stopping import StopTraining
from skhash.training import DeepHashNet


class Watch(Callback):
    """Notes the health of each epoch's codes; stops when the loss is not finite.

    Parameters
    ----------
    health : callable
        From outputs z, shape (n, n_bits), to a dict of numbers.
    """

    def __init__(self, health: Callable[[np.ndarray], Mapping[str, float]]) -> None:
        self.health = health

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Record, and stop where nothing can be learnt any more."""
        if not math.isfinite(net.history[-1, "train_loss"]):
            net.stop_ = True
        z = net.watched_z_
        if z is not None:
            for name, value in self.health(z.float().cpu().numpy()).items():
                net.history.record(name, value)


class Halt(Callback):
    """Ends the training after an epoch in which a callback asked for it.

    Comes last, so that all others have seen the epoch.
    """

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Stop if asked to."""
        if net.stop_:
            raise StopTraining


class KeepBest(Callback):
    """Early stopping on a retrieval score; the best weights are restored.

    Parameters
    ----------
    score : callable
        From the net to a number, greater is better.
    patience : int
        Epochs without a better score before the training stops.
    """

    def __init__(self, score: Callable[[DeepHashNet], float], patience: int) -> None:
        self.score = score
        self.patience = patience

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        self.best_score_ = -math.inf
        self.best_epoch_ = -1
        self.best_ = None

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Score, remember the best state, stop after too many worse epochs."""
        if net.stage_.input != "z":  # pre-training: there are no codes yet
            return
        score = self.score(net)
        net.history.record("valid_score", score)
        epoch = len(net.history)
        if score > self.best_score_:
            self.best_score_, self.best_epoch_ = score, epoch
            self.best_ = copy.deepcopy(
                (net.module_.state_dict(), net.criterion_.state_dict())
            )
        elif epoch - self.best_epoch_ >= self.patience:
            net.stop_ = True

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Put the best weights back."""
        if self.best_ is not None:
            net.module_.load_state_dict(self.best_[0])
            net.criterion_.load_state_dict(self.best_[1])


class Progress(Callback):
    """One line an epoch: loss, score where there is one, seconds.

    On a terminal the line is rewritten in place.

    Parameters
    ----------
    n_epochs : int
        Length of the training.
    """

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Print the line."""
        row = net.history[-1]
        width = len(str(self.n_epochs))
        line = f"epoch {row['epoch']:{width}d}/{self.n_epochs}"
        line += f"  loss {row['train_loss']:.4f}"
        if "valid_score" in row:
            line += f"  valid mAP {row['valid_score']:.4f}"
        line += f"  {row['dur']:.1f} s"
        if sys.stdout.isatty():
            print(f"\r{line}\x1b[K", end="", flush=True)
        else:
            print(line, flush=True)

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Leave the last line where it is."""
        if sys.stdout.isatty():
            print(flush=True)
