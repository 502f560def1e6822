"""What a training tells who waits for it."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from skorch.callbacks import Callback
from tqdm.std import tqdm

from skhash.encoder._callbacks import KeepBest
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

    _progress: Progress | None = None

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Look at the clock."""
        self._progress = None
        self._start = perf_counter()

    def on_epoch_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Name the epoch."""
        if self._progress is None:
            self._progress = Progress("", net.total_steps_, done=net.n_steps_)
        epoch = net.n_steps_ * net.n_epochs_ // net.total_steps_ + 1
        self._progress.tell(f"epoch {epoch}/{net.n_epochs_}")
        self._progress.set_total(net.total_steps_)

    def on_batch_end(
        self, net: DeepHashNet, training: bool = False, **kwargs: Any
    ) -> None:
        """One batch more is done."""
        if training and self._progress is not None:
            self._progress.advance()

    def on_epoch_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Tell loss and score of the epoch."""
        if self._progress is not None:
            self._progress.tell(**_told(net, net.history[-1]))

    def on_train_end(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Leave one line that sums up."""
        if self._progress is None:
            return
        n_epochs = net.n_steps_ * net.n_epochs_ // net.total_steps_
        row, place = net.history[-1], ""
        best = next((c for _, c in net.callbacks_ if isinstance(c, KeepBest)), None)
        if best is not None and best.best_ is not None:  # whose weights are put back
            row, place = (
                net.history[best.best_epoch_ - 1],
                f" in epoch {best.best_epoch_}",
            )
        numbers = [f"{name} {value}" for name, value in _told(net, row).items()]
        seconds = perf_counter() - self._start
        epochs = "epoch" if n_epochs == 1 else "epochs"
        done = f"trained {n_epochs} {epochs} in {seconds:.1f} s"
        self._progress.close(", ".join([done, *numbers]) + place)
        self._progress = None

    def close(self) -> None:
        """Take the line away, if the training has not come to its end."""
        if self._progress is not None:
            self._progress.close()


class Foretell(Callback):
    """Says at once, by a line of the log, that a training will be long."""

    def on_train_begin(self, net: DeepHashNet, **kwargs: Any) -> None:
        """Look at the clock."""
        self._start, self._n_seen, self._told = perf_counter(), 0, False

    def on_batch_end(
        self, net: DeepHashNet, training: bool = False, **kwargs: Any
    ) -> None:
        """Guess the length of the training from the batches so far."""
        if not training or self._told:
            return
        self._n_seen += 1
        seconds = perf_counter() - self._start
        if seconds < _SAMPLE:
            return
        self._told = True
        left = seconds / self._n_seen * (net.total_steps_ - net.n_steps_)
        if left > _LONG:
            logging.getLogger("skhash").warning(
                "A training of %d batches: some %s still to go on this machine. "
                "verbose=1 shows its progress.",
                net.total_steps_,
                tqdm.format_interval(left),
            )

    def close(self) -> None:
        """Nothing is open."""


def _told(net: DeepHashNet, row: dict[str, Any]) -> dict[str, str]:
    names = {"loss": "train_loss", "valid loss": "valid_loss"}
    names[net.score_name_] = "valid_score"
    return {told: f"{row[name]:.4f}" for told, name in names.items() if name in row}
