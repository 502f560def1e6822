"""Whether outputs can be trusted: finite, and of items like those of the fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skhash.encoder._data.containers import LARGEST
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._data.items import CheckedItems, CheckedStream, sample_rows
from skhash.warn import warn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# Losses and scores take squares of z: where these overflow, z says nothing.
_LARGEST_Z = LARGEST**0.5
# Fewer items tell too little about what they were drawn from.
_FEWEST = 32
# How many times smaller or greater than in fit the spread may be, how many spreads away
# the mean, before it is said; in how few features, as in one or two a class may lie
# anywhere.
_PLAIN = 20, 5, 3
# The same where all items get one code.
_DOUBT = 6, 3, 10
# Values of images to look at, about.
_SAMPLED_VALUES = 1 << 15
# The share of features that must differ: in other units all do.
_MOST = 0.6


class Outputs:
    """Looks at the outputs of a fitted encoder for some items, batch by batch.

    Parameters
    ----------
    encoder : DeepHashEncoder
        Fitted.
    items : ArrayDataset, CheckedItems or CheckedStream
        What is encoded.
    """

    def __init__(self, encoder: DeepHashEncoder, items: Any) -> None:
        self.encoder = encoder
        self.items = items
        self._n = 0
        self._said = False
        self._code: np.ndarray | None = None  # that of all items so far

    def checked(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same outputs; an error where an item makes one that is not finite."""
        for z in batches:
            if not _are_finite(z):
                if self._has_diverged():  # as `fit` said; searches go on
                    yield z
                    continue
                self._refuse(~(np.abs(z) < _LARGEST_Z).all(axis=1))
            if self._n == 0:
                self._code = z[0] > 0
            if self._code is not None and _differ(z, self._code):
                self._code = None
            self._n += len(z)
            yield z
        if not self._n and not self._said:
            raise ValueError("The data set has 0 items; at least 1 is needed.")

    def _refuse(self, wrong: np.ndarray) -> None:
        rows = np.flatnonzero(wrong) + self._n
        named = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        found = ""
        if isinstance(self.items, ArrayDataset):
            row = np.asarray(self.items.rows(rows[:1])[0])
            found = f", e.g. {row[np.abs(row).argmax()]:g} in row {rows[0]}"
        raise ValueError(
            f"Input X contains values that the network cannot process{found}: its "
            f"outputs for row(s) {named} contain NaN, infinity or a value too large "
            "for dtype('float32'). Where such a value marks missing ones, replace it, "
            "e.g. by sklearn.impute.SimpleImputer; or scale X as in fit."
        )

    def _has_diverged(self) -> bool:
        history = self.encoder.history_
        state = self.encoder.net_.module_.state_dict().values()
        finite = not history or np.isfinite(history[-1]["train_loss"])
        if finite and all(values.isfinite().all() for values in state):
            return False
        if not self._said:
            self._said = True
            warn(
                "The training of this encoder diverged; its codes are useless. Fit "
                f"again with a smaller learning rate (lr={self.encoder.lr / 10:g}).",
                ConvergenceWarning,
            )
        return True

    def warn_if_unlike(self) -> None:
        """Say that items are plainly not like those of the fit."""
        if self._n < _FEWEST or self._said:
            return
        sample = self._sample()
        if (sample[-1] == sample[0]).all() and (sample == sample[0]).all():
            return
        name, differs = type(self.encoder).__name__, self._difference(sample)
        if unlike := differs(*_PLAIN):
            warn(
                f"X is unlike what {name} was fitted on: {unlike}. Its codes mean "
                "little; give X in the units of the fit."
            )
        elif self._code is not None and (self._is_stray() or differs(*_DOUBT)):
            warn(
                f"All {self._n} items of X got the same code, although they differ, "
                f"and X is unlike what {name} was fitted on. Give X in the units of "
                "the fit."
            )

    def _difference(self, sample: np.ndarray) -> Callable[[float, float, int], str]:
        """A function that says what differs: more than this, in how many features."""
        mean, scale = self._moments()
        kind = "channels" if sample.shape[2] > 1 else "features"
        n_values = sample.shape[2]  # of a feature, or channel, in an item
        sample = sample.transpose(0, 2, 1).reshape(-1, sample.shape[1])
        center = sample.mean(axis=0)
        spread = np.sqrt(((sample - center) ** 2).mean(axis=0))
        # Constant features tell nothing: pixels of the border, rare words.
        varied = spread > 1e-6 * (np.abs(center) + 1e-3 * scale)
        ratio, far = spread / scale, np.abs(center - mean) / scale
        n_varied = varied.sum()

        def differs(times: float, spreads: float, fewest: int) -> str:
            calm = (ratio >= 1 / times) & (ratio <= times) & (far <= spreads) & varied
            if n_varied - calm.sum() <= _MOST * n_varied:  # mostly all that is asked
                return ""
            size = np.sqrt((spread**2 + center**2) / (scale**2 + mean**2))
            # In other units all numbers are smaller; within one class, or one moment
            # of a series, only their spread is.
            small = (ratio < 1 / times) & (size < 1 / times) & varied
            # Rare values stand out where they are met, but not in the mean of all.
            great = (ratio > times) & ((ratio**2).mean() > times) & varied
            away = (far > spreads) & ((far**2).mean() > spreads) & varied
            n_unlike = (small | great | away).sum()
            if n_varied * n_values < fewest or n_unlike <= _MOST * n_varied:
                return ""
            if (small | great).sum() * 2 > n_unlike:
                typical = float(np.median(ratio[small | great]))
                return (
                    f"the spread of most {kind} is some {typical:.2g} times that in "
                    f"fit{_slip(typical)}"
                )
            return (
                f"the mean of most {kind} is some {np.median(far[away]):.2g} times "
                "their spread away from that in fit"
            )

        return differs

    def _sample(self) -> np.ndarray:
        """Some items, shape (n, n_features, 1) or (n, n_channels, n_pixels)."""
        layer = self.encoder.net_.module_.standardize
        if isinstance(self.items, ArrayDataset):
            n_values = self.items.X.shape[1]
            rows = self.items.rows(sample_rows(len(self.items), n_values)).numpy()
        else:
            stream = isinstance(self.items, CheckedStream)
            checked: CheckedItems = self.items.items if stream else self.items
            if not checked.sample:  # read by workers, in processes of their own
                checked.sample = [checked[index] for index in sorted(checked.sampled)]
            rows = np.stack([x.cpu().double().numpy() for x in checked.sample])
        rows = rows.reshape(len(rows), -1)
        if len(layer.input_shape) == 3:
            channels = layer.input_shape[0]
            if layer.channels_last:
                rows = rows.reshape(len(rows), -1, channels).transpose(0, 2, 1)
            else:
                rows = rows.reshape(len(rows), channels, -1)
            # Pixels beside each other are alike: some tell as much as all.
            rows = rows[:, :, :: _odd(rows.size // _SAMPLED_VALUES)]
        else:
            rows = rows[:, :, None]
        return rows.astype(np.float64)

    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        layer = self.encoder.net_.module_.standardize
        mean, scale = layer.mean.cpu().numpy(), layer.scale.cpu().numpy()
        return mean.ravel().astype(np.float64), scale.ravel().astype(np.float64)

    def _is_stray(self) -> bool:
        """Whether the one code of all items is far from those of all classes."""
        if getattr(self.encoder, "multilabel_", True):  # vectors have no classes
            return False
        signs = np.where(self._code, 1, -1)
        distances = ((1 - signs * self.encoder.class_codes_) / 2).sum(axis=1)
        return distances.min() > max(1.0, len(signs) / 8)


def _odd(step: int) -> int:
    """A step that walks through all columns of images whose width is even."""
    return step + 1 - step % 2


def _are_finite(z: np.ndarray) -> bool:
    """Whether the outputs, and their squares, are numbers of float32."""
    flat = z.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        # One pass: the sum overflows before any square does.
        if np.dot(flat, flat) < LARGEST:
            return True
    return not z.size or bool(z.max() < _LARGEST_Z and z.min() > -_LARGEST_Z)


def _differ(z: np.ndarray, code: np.ndarray) -> bool:
    """Whether any output has another code; mostly the last one says so."""
    return bool(((z[-1] > 0) != code).any() or ((z > 0) != code).any())


def _slip(times: float) -> str:
    """The commonest reason for a factor."""
    if 0.8 < times * 255 < 1.25:
        return ", as of images in 0..1 after a fit on 0..255"
    if 0.8 < times / 255 < 1.25:
        return ", as of images in 0..255 after a fit on 0..1"
    return ""
