"""What a training tells who waits for it."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from skorch.callbacks import Callback
from tqdm.std import tqdm

from skhash.encoder._net import DeepHashNet
from skhash.progress import Progress

# Seconds of a training that is worth a word unasked.
_LONG = 60.0
# Seconds of it that tell how long it will be.
_SAMPLE = 2.0


class ShowProgress(Callback):
    """The epoch, its loss and score, the time left; a summary at the end.

    The line is not begun before the first epoch, which knows the length.
    """

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Look at the clock."""
        self.progress_: Progress | None = None
        self.start_ = perf_counter()

    def on_epoch_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Name the epoch."""
        if self.progress_ is None:
            self.progress_ = Progress("", net.total_steps_, unit="batch")
            if net.n_steps_:  # of a training that was cut
                self.progress_.advance(net.n_steps_)
        epoch = net.n_steps_ * net.n_epochs_ // net.total_steps_ + 1
        self.progress_.tell(f"epoch {epoch}/{net.n_epochs_}")
        self.progress_.set_total(net.total_steps_)

    def on_batch_end(
        self, net: DeepHashNet, training: bool = False, **kwargs: Any
    ) -> None:
        """One batch more is done."""
        if training and self.progress_ is not None:
            self.progress_.advance()

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Tell loss and score of the epoch."""
        if self.progress_ is not None:
            self.progress_.tell(**_told(net.history[-1]))

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Leave one line that sums up."""
        if self.progress_ is None:
            return
        n_epochs = net.n_steps_ * net.n_epochs_ // net.total_steps_
        numbers = [f"{name} {value}" for name, value in _told(net.history[-1]).items()]
        seconds = perf_counter() - self.start_
        done = f"trained {n_epochs} epochs in {seconds:.1f} s"
        self.progress_.close(", ".join([done, *numbers]))


class Foretell(Callback):
    """Says at once, by a line of the log, that a training will be long."""

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Look at the clock."""
        self.start_, self.n_seen_, self.told_ = perf_counter(), 0, False

    def on_batch_end(
        self, net: DeepHashNet, training: bool = False, **kwargs: Any
    ) -> None:
        """Guess the length of the training from the batches so far."""
        if not training or self.told_:
            return
        self.n_seen_ += 1
        seconds = perf_counter() - self.start_
        if seconds < _SAMPLE:
            return
        self.told_ = True
        left = seconds / self.n_seen_ * (net.total_steps_ - net.n_steps_)
        if left > _LONG:
            logging.getLogger("skhash").warning(
                "A training of %d batches: some %s still to go on this machine. "
                "verbose=1 shows its progress.",
                net.total_steps_,
                tqdm.format_interval(left),
            )


def _told(row: dict[str, Any]) -> dict[str, str]:
    names = {"loss": "train_loss", "valid loss": "valid_loss", "mAP": "valid_score"}
    return {told: f"{row[name]:.4f}" for told, name in names.items() if name in row}
