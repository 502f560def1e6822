"""skorch callbacks of the encoder: plan, code health, early stopping, progress."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback

from skhash.encoder._net import DeepHashNet
from skhash.encoder._stopping import StopTraining
from skhash.losses import Stage

# A fresh estimate of the centres pays only when the network has moved.
_MIN_STEPS_BETWEEN_REFRESHES = 50


class FollowPlan(Callback):
    """Carries out a plan: enters its stages, refreshes the loss, notes the stage.

    Parameters
    ----------
    plan : list of Stage
        The plan; its epochs add up to those of the training.
    """

    def __init__(self, plan: list[Stage]) -> None:
        self.plan = plan

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Start at the first epoch of the plan."""
        self.epoch_ = -1
        self.refreshed_at_ = -_MIN_STEPS_BETWEEN_REFRESHES
        self.first_epochs_ = np.cumsum([0, *(stage.epochs for stage in self.plan)])
        net.enter(self.plan[0])  # callbacks that come next see its learning rates

    def on_epoch_begin(
        self, net: DeepHashNet, dataset_train: Any = None, **kwargs: Any
    ) -> None:
        """Enter the epoch's stage; refresh the loss where the stage asks for it."""
        self.epoch_ += 1
        index = int(np.searchsorted(self.first_epochs_, self.epoch_, side="right")) - 1
        stage = self.plan[index]
        age = self.epoch_ - int(self.first_epochs_[index])
        if age == 0:
            net.enter(stage)
        net.history.record("stage", index)
        for name, value in stage.settings.items():
            net.history.record(name.rstrip("_"), value)
        if self._refresh_is_due(net, stage, age):
            self.refreshed_at_ = net.n_steps_
            refresh(net, dataset_train)

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Free what the last stage left alone, for a training to come."""
        net.wake()

    def _refresh_is_due(self, net: DeepHashNet, stage: Stage, age: int) -> bool:
        if age == 0 and stage.refresh_first:
            return True
        if not stage.refresh_every or age % stage.refresh_every or self.epoch_ == 0:
            return False
        return net.n_steps_ - self.refreshed_at_ >= _MIN_STEPS_BETWEEN_REFRESHES


def refresh(net: DeepHashNet, dataset: Any) -> None:
    """Hand the outputs of all training data to the loss, for a closed-form update."""
    z, start = torch.empty(0), 0
    for part in net.encode(dataset):
        if not start:  # filled as it comes: the largest thing in memory beside X
            z = torch.empty(len(dataset), part.shape[1], device=net.device)
        z[start : start + len(part)] = torch.from_numpy(part)
        start += len(part)
    weight = dataset.sample_weight
    with torch.no_grad():
        if weight is None:
            net.criterion_.refresh(z, dataset.targets.to(net.device))
        else:
            y = dataset.targets.to(net.device)
            net.criterion_.refresh(z, y, weight.to(net.device))


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
        net.history.record("valid_score_best", score > self.best_score_)
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
