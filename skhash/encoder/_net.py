"""The trainer: a skorch net that follows a loss's plan over fast batches."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import Tensor, nn
from torch.utils.data import Dataset

from skhash.encoder._augment import Augment
from skhash.encoder._data.batches import LOADING, Batches, batches_in_order, with_labels
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._epoch import Epoch, record_means
from skhash.encoder._pickling import from_pickle, to_pickle
from skhash.encoder._schedules import LR_SCHEDULES, Course, set_lr
from skhash.encoder._stopping import StopTraining, is_request
from skhash.losses import Stage
from skhash.networks import HashNetwork, Standardize, parts, set_mode

# Moments at which there is no loop of epochs to stop, in skorch neither.
_OUTSIDE_THE_LOOP = ("on_train_begin", "on_train_end")


class DeepHashNet(NeuralNet):
    """skorch net of a `HashNetwork` and a `HashLoss`, both given as instances.

    Parameters
    ----------
    module : HashNetwork
        The network.
    criterion : HashLoss
        The loss, set up.
    sampler : ShuffledSampler or BalancedSampler, default=None
        Order of the training items of an `ArrayDataset`.
    lr_schedule : {"one_cycle", "cosine", "constant"}, default="constant"
        Course of the learning rate over all steps of the training.
    amp : bool, default=False
        Compute the network in bfloat16 where torch's autocast does; the loss stays in
        float32.
    *args, **kwargs
        As `skorch.NeuralNet`.

    Attributes
    ----------
    dataset_valid_ : Dataset or None
        Validation data.
    validates_ : bool
        Whether the loss of the validation data is computed after each epoch. It is
        also where a callback of the user looks at it.
    draws_globally_ : bool
        Whether torch's global generators belong to the training.
    score_name_ : str
        What the score of validation data is called.
    earlier_ : list of dict
        History of the trainings that this one goes on from.
    augment_ : Augment or None
        What changes the items of training batches.
    own_callbacks_ : set of str
        Names of the callbacks that are not the user's.
    stage_ : Stage
        The current stage of the plan.
    n_steps_ : int
        Optimisation steps so far.
    n_done_ : int
        Epochs of this training that were done before, by one that was cut.
    n_epochs_, total_steps_ : int
        Length of the training, in epochs and in optimisation steps.
    course_ : Course
        Where the schedule of the learning rate is at each step.
    asleep_ : list of Parameter
        What the current stage does not train.
    stop_ : bool
        Whether a callback has asked to stop after this epoch.
    """

    dataset_valid_: Any = None
    validates_: bool = False
    earlier_: Sequence[dict[str, Any]] = ()
    draws_globally_: bool = False
    score_name_: str = "mAP"
    augment_: Augment | None = None
    own_callbacks_: Collection[str] = ("epoch_timer",)

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *args: Any,
        sampler: Any = None,
        lr_schedule: str = "constant",
        amp: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, *args, **kwargs)
        self.sampler = sampler
        self.lr_schedule = lr_schedule
        self.amp = amp

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> DeepHashNet:
        """One parameter group for each part: body, head, loss."""
        settings = self.get_params_for("optimizer")
        settings.setdefault("lr", self.lr)
        self.cycles_betas_ = "betas" not in settings
        groups = [
            {"params": chosen, "part": part} for part, chosen in parts(self.module_)
        ]
        if own := list(self.criterion_.parameters()):
            groups.append({"params": own, "part": "loss"})
        self.optimizer_ = self.optimizer(groups, **settings)
        self.stage_ = Stage(1)
        self.asleep_: list[nn.Parameter] = []
        self.n_steps_ = 0
        self.total_steps_ = 0
        return self

    def get_iterator(self, dataset: Dataset, training: bool = False) -> Any:
        """Fast batches for arrays, a DataLoader for other data sets."""
        if isinstance(dataset, ArrayDataset):
            return Batches(
                dataset, self.sampler if training else self._in_order(dataset)
            )
        return with_labels(super().get_iterator(dataset, training=training), dataset)

    def _in_order(self, dataset: ArrayDataset) -> list[np.ndarray]:
        # Every so many-th item: items sorted by class would make batches of one class.
        n_batches = math.ceil(len(dataset) / self.batch_size)
        return [np.arange(first, len(dataset), n_batches) for first in range(n_batches)]

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """The data sets that callbacks see; they are split already."""
        return X, self.dataset_valid_

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, **fit_params: Any
    ) -> DeepHashNet:
        """Train; Ctrl-C is an error like others, a callback's request is not."""
        if not self.initialized_:
            self.initialize()
        self.n_steps_ = self.n_done_ = 0
        self.stop_ = False
        self.course_ = None
        self.notify("on_train_begin", X=X, y=y)
        with contextlib.suppress(StopTraining):
            self.fit_loop(X, y, **fit_params)
        self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks; `KeyboardInterrupt` is their word to stop training."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as error:
            if is_request(error) and method_name not in _OUTSIDE_THE_LOOP:
                raise StopTraining from error
            raise

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **kw: Any):
        """Train, knowing the number of steps to come."""
        epochs = self.max_epochs if epochs is None else epochs
        users = [c for name, c in self.callbacks_ if name not in self.own_callbacks_]
        self._keeps_batches = bool(users)
        self.validates_ |= any(getattr(c, "on_train", None) is False for c in users)
        if self.course_ is None:  # else a training that was cut has set all three
            self.n_epochs_ = epochs
            self.total_steps_ = epochs * len(self.get_iterator(X, training=True))
            self.course_ = Course(self.total_steps_)
        left = 0 if self.stop_ else epochs - self.n_done_
        return super().fit_loop(X, y, epochs=left, **kw)

    def shorten(self, n_epochs: int) -> None:
        """Let the learning rate take the rest of its course in so many epochs."""
        a_epoch = self.total_steps_ // self.n_epochs_
        self.course_ = self.course_.shortened(self.n_steps_, n_epochs * a_epoch)
        self.n_epochs_ = self.n_steps_ // a_epoch + n_epochs
        self.total_steps_ = self.n_epochs_ * a_epoch

    def enter(self, stage: Stage) -> None:
        """Train what the stage says, with the state of the loss that it sets."""
        self.stage_ = stage
        self.criterion_.input_ = stage.input
        for name, value in stage.settings.items():
            state = getattr(self.criterion_, name, None)
            if isinstance(state, Tensor):
                with torch.no_grad():
                    state.fill_(value)
            else:
                setattr(self.criterion_, name, value)
        self.wake()
        for group in self.optimizer_.param_groups:
            scales = self.module_.lr_scale, stage.lr_scale
            scale = math.prod(part.get(group["part"], 1.0) for part in scales)
            if (lr := self.lr * scale) != group.get("start_lr"):
                # torch's schedulers start from `initial_lr`
                group.update(lr_scale=scale, start_lr=lr, lr=lr, initial_lr=lr)
            if stage.train not in ("all", group["part"]):
                self.asleep_ += [p for p in group["params"] if p.requires_grad]
        for parameter in self.asleep_:
            parameter.requires_grad_(False)

    def wake(self) -> None:
        """Train again what the stage left alone, but not what the user has frozen."""
        for parameter in self.asleep_:
            parameter.requires_grad_(True)
        self.asleep_ = []

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **kw: Any
    ) -> None:
        """One pass over the batches; the means of training go into the history."""
        if iterator is None or not (training or self.validates_):
            return
        stage = self.stage_
        frozen = [p for p in ("body", "head") if stage.train not in ("all", p)]
        set_mode(self.module_, training, frozen)
        self.criterion_.train(training)
        epoch = Epoch()
        if training:
            self._epoch = epoch
        for number, (x, y, *weight) in enumerate(iterator):
            if training and self.augment_ is not None:
                x = self.augment_(x, len(self.earlier_) + len(self.history), number)
            # skorch's callbacks take pairs
            seen: dict[str, Any] = {"batch": (x, y), "training": training}
            self.notify("on_batch_begin", **seen)
            step = step_fn((x, y), sample_weight=weight[0] if weight else None, **kw)
            self._note_batch(epoch, step, prefix, len(x))
            self.notify("on_batch_end", **seen, **step)
        record_means(self.history, epoch, prefix)
        if training:
            self.history.record("lr", self.optimizer_.param_groups[0]["lr"])

    def _note_batch(
        self, epoch: Epoch, step: dict[str, Tensor], prefix: str, rows: int
    ) -> None:
        named = {f"{prefix}_loss": step["loss"].detach()}
        terms = getattr(self.criterion_, "terms_", {})
        if len(terms) > 1:
            named |= {f"{prefix}_{name}": term for name, term in terms.items()}
        epoch.add(named, rows)
        if self._keeps_batches:
            for name, term in named.items():
                self.history.record_batch(name, float(term))
            self.history.record_batch(f"{prefix}_batch_size", rows)
        if prefix == "train" and self.stage_.input == "z":
            epoch.watch(step["y_pred"])

    @property
    def watched_z_(self) -> Tensor | None:
        """Outputs of the last training batches of the epoch, or None."""
        return self._epoch.z

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """One optimisation step at the learning rate of its moment."""
        if self.lr_schedule != "constant":  # leaves room for skorch's LRScheduler
            share = self.course_.share(self.n_steps_)
            factor = LR_SCHEDULES[self.lr_schedule](share)
            cycles = self.lr_schedule == "one_cycle" and self.cycles_betas_
            set_lr(self.optimizer_, self.lr, factor, cycle_betas=cycles)
        step = super().train_step(batch, **fit_params)
        self.n_steps_ += 1
        return step

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Forward and backward; `run_single_epoch` has set the modes."""
        step = self._loss_of(batch, **fit_params)
        step["loss"].backward()
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Forward alone; `run_single_epoch` has set the modes."""
        with torch.no_grad():
            return self._loss_of(batch, **fit_params)

    def _loss_of(self, batch: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        x, y = (part.to(self.device) for part in batch)
        out = self._forward(x)
        if sample_weight is None:
            loss = self.criterion_(out, y)
        else:
            loss = self.criterion_(out, y, sample_weight.to(self.device))
        if loss.ndim:
            raise ValueError(
                f"{type(self.criterion_).__name__}.forward must return a scalar, but "
                f"returned a tensor of shape {tuple(loss.shape)}: take its mean."
            )
        return {"loss": loss, "y_pred": out}

    def _forward(self, x: Tensor) -> Tensor:
        features = self.stage_.input == "features"
        network = self.module_.features if features else self.module_
        if not self.amp:
            return network(x)
        with torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16):
            return network(x).float()

    def forward_iter(
        self, X: Any, training: bool = False, device: str = "cpu"
    ) -> Iterator[Tensor]:
        """Outputs z, batch by batch, for scores that callbacks compute."""
        for z in self.encode(self.get_dataset(X)):
            yield torch.from_numpy(z).to(device)

    def transform(self, X: Any) -> np.ndarray:
        """Outputs z, as `predict`; scorers of retrieval make codes of them."""
        return self.predict(X)

    def encode(self, dataset: Dataset, batch_size: int = 512) -> Iterator[np.ndarray]:
        """Outputs z of the network in evaluation mode, batch by batch.

        Parameters
        ----------
        dataset : Dataset
            The items.
        batch_size : int, default=512
            Items in a batch.

        Yields
        ------
        z : ndarray of shape (n_batch, n_bits), float32
        """
        set_mode(self.module_, False)
        # The first layer makes tensors of its own.
        first = getattr(self.module_, "standardize", None)
        ours = type(self.module_) is HashNetwork and isinstance(first, Standardize)
        given = self.get_params_for("iterator_valid")
        loading = {name: given[name] for name in LOADING & given.keys()}
        for x in batches_in_order(dataset, batch_size, share=ours, **loading):
            with torch.inference_mode():
                z = self.module_(x.to(self.device)).float().cpu().numpy()
            yield z

    def forget_data(self) -> None:
        """Forget what belongs to the items of the last training."""
        self.sampler = self.dataset_valid_ = self.augment_ = None
        if vars(self).pop("iterator_train__sampler", None) is not None:
            self.iterator_train__shuffle = True  # as it was: it cannot be beside one
        self._epoch = Epoch()

    def slim(self, own: list[str]) -> None:
        """Forget what only training needs, so that pickles are small.

        Parameters
        ----------
        own : list of str
            Names of the callbacks to forget; the user's stay.
        """
        self.optimizer_ = None
        self.forget_data()
        self.callbacks = [pair for pair in self.callbacks if pair[0] not in own]
        self.callbacks_ = [pair for pair in self.callbacks_ if pair[0] not in own]
        for parameter in self.module_.parameters():
            parameter.grad = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickles hold CPU tensors, so that they load on machines without a GPU."""
        return to_pickle(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Back onto the device, where this machine has it."""
        from_pickle(self, state)
