"""skorch callbacks of the encoder: plan, code health, early stopping."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback

from skhash.encoder._epoch import best_so_far
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
        index = self._index()
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

    def enter_again(self, net: DeepHashNet) -> None:
        """Enter the stage of the last epoch, in a training that was cut after it."""
        net.enter(self.stage)

    @property
    def stage(self) -> Stage:
        """The stage of the current epoch."""
        return self.plan[self._index()]

    def shorten(self, done: int, left: int) -> None:
        """Pass through what is left of the plan in fewer epochs, its end as well."""
        ahead = self.first_epochs_ - done
        scale = left / ahead[-1]
        ahead = np.where(ahead > 0, np.round(ahead * scale).astype(int), ahead)
        ahead[-2] = min(ahead[-2], left - 1)
        self.first_epochs_ = ahead + done

    def _index(self) -> int:
        """Number of the stage of the current epoch."""
        return int(np.searchsorted(self.first_epochs_, self.epoch_, side="right")) - 1

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

    def on_epoch_end(
        self, net: DeepHashNet, dataset_train: Any = None, **kwargs: Any
    ) -> None:
        """Record, and stop where nothing can be learnt any more."""
        if not math.isfinite(net.history[-1, "train_loss"]):
            net.stop_ = True
        if (z := net.watched_z_) is None:
            return
        if net.augment_ is not None:  # what was watched are not the items as they are
            z = sample_z(net, dataset_train)
        for name, value in self.health(z.float().cpu().numpy()).items():
            net.history.record(name, value)


def sample_z(net: DeepHashNet, dataset: Any, size: int = 1024) -> torch.Tensor:
    """Outputs in evaluation mode of a sample of a data set, evenly spaced."""
    count = min(size, len(dataset))
    places = np.arange(count) * len(dataset) // count
    return torch.from_numpy(np.concatenate([*net.encode(dataset.subset(places))]))


class Halt(Callback):
    """Ends the training after an epoch in which a callback asked for it.

    Comes last, so that all others have seen the epoch.
    """

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Stop if asked to."""
        if net.stop_:
            raise StopTraining


class Validate(Callback):
    """Notes a retrieval score of validation data after each epoch.

    Parameters
    ----------
    score : callable
        From the net to a number, greater is better.
    """

    def __init__(self, score: Callable[[DeepHashNet], float]) -> None:
        self.score = score

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Score, unless this is pre-training: there are no codes yet."""
        if net.stage_.input == "z":
            best = best_so_far(net.history, "valid_score", -math.inf)
            net.history.record("valid_score", self.score(net))
            net.history.record(
                "valid_score_best", net.history[-1, "valid_score"] > best
            )


class KeepBest(Callback):
    """Early stopping on the validation score; the best weights are restored.

    Parameters
    ----------
    patience : int
        Epochs without a better score before the training stops.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        self.best_score_ = -math.inf
        self.best_epoch_ = -1
        self.best_ = None

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Remember the best state, stop after too many worse epochs."""
        if "valid_score" not in net.history[-1]:
            return
        score, epoch = net.history[-1, "valid_score"], len(net.history)
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
