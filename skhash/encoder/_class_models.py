"""What outputs say of classes: sums over the items of each, scores, probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from scipy.special import expit, logsumexp

from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._net import DeepHashNet
from skhash.hamming import unpack
from skhash.losses import LOSSES

# Codes that are unpacked together, and cells of a table of items and classes.
_ROWS, _CELLS = 4096, 1 << 18
# What is added to the variance of each bit, of at most 1, before bits are weighed: few
# items tell little of how bits go together. Measured on several sets.
_RIDGE = 0.3
# Log-odds beyond which float64 would round probabilities to 0 or 1.
_SURE = 30.0


def class_sums(codes: np.ndarray, data: TrainingData, n_bits: int) -> np.ndarray:
    """Per class the weighted sum of the signs of each bit and, last, the weight.

    Label sets have more rows: the same of all items, then of products of each bit, and
    of a constant 1, with the others, in a sample. All add up over parts of the data.
    """
    weight = data.items.sample_weight
    weights = np.ones(len(codes)) if weight is None else weight.numpy().astype(float)
    y, sets = data.labels.values, data.kind == "sets"
    sums = np.zeros((len(data.classes), n_bits + 1))
    total = np.zeros(n_bits + 1)
    for start in range(0, len(codes), _ROWS):
        chunk = slice(start, start + _ROWS)
        signs = _signs_and_one(codes[chunk], n_bits) * weights[chunk, None]
        if sets:
            sums += sp.csr_array(y[chunk], dtype=float).T @ signs
            total += signs.sum(axis=0)
        else:
            np.add.at(sums, y[chunk], signs)
    if not sets:
        return sums
    some = evenly_spaced(len(codes), _ROWS)
    signs = _signs_and_one(codes[some], n_bits)
    return np.vstack([sums, total, signs.T @ (signs * weights[some, None])])


def evenly_spaced(n: int, most: int) -> np.ndarray:
    """Up to `most` of n rows."""
    count = min(n, most)
    return np.arange(count) * n // count


def _signs_and_one(codes: np.ndarray, n_bits: int) -> np.ndarray:
    """Signs of bits, and a last column of ones, as float64."""
    signs = np.ones((len(codes), n_bits + 1))
    signs[:, :-1] = np.where(unpack(codes, n_bits), 1.0, -1.0)
    return signs


class OneClass:
    """One class an item: ``softmax(scores / temperature)``.

    Scores are the loss's own where it models classes. Elsewhere they are how near the
    mean signs of a class are: the negative squared distance to them, over the number of
    bits, up to what all classes share.

    Parameters
    ----------
    net : DeepHashNet
        The trained net.
    sums : ndarray of shape (n_classes, n_bits + 1)
        See `class_sums`.
    """

    def __init__(self, net: DeepHashNet, sums: np.ndarray) -> None:
        self.net = net
        self.n_classes = len(sums)
        self.weight = sums[:, -1]
        self.means = sums[:, :-1] / np.maximum(sums[:, -1:], np.finfo(float).tiny)

    def scores(self, z: np.ndarray) -> np.ndarray:
        """Scores of outputs z, shape (n, n_classes); greater is nearer."""
        own = self._scores_of_loss(z)
        if own is not None:
            return own
        means = self.means
        scores = np.empty((len(z), len(means)))
        for start in range(0, len(z), 512):  # pieces that one thread has in its cache
            rows = slice(start, start + 512)
            twice_the_signs = np.where(z[rows] > 0, 2.0, -2.0)
            scores[rows] = twice_the_signs @ means.T
        scores = (scores - (means**2).sum(1)) / z.shape[1]
        # A class of `partial_fit` without any item yet: farther than any code can be.
        scores[:, self.weight == 0] = -3
        return scores

    def _scores_of_loss(self, z: np.ndarray) -> np.ndarray | None:
        loss, device = self.net.criterion_, torch.device(self.net.device)
        # Softmax over a low temperature shows what float32 rounds, batch by batch. A
        # loss of the user's own may hold weights in float32.
        exact = type(loss) in LOSSES.values() and device.type != "mps"
        with torch.inference_mode():
            on_device = torch.from_numpy(z.astype(float) if exact else z).to(device)
            scores = loss.class_scores(on_device)
        return None if scores is None else scores.cpu().numpy()

    def scores_without(
        self, z: np.ndarray, y: np.ndarray, codes: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Scores of outputs near those of items, each left out of its own class mean.

        Parameters
        ----------
        z : ndarray of shape (n, n_bits)
            The outputs.
        y, codes, weights : ndarray of shape (n,), (n, n_bytes) and (n,)
            Class numbers, packed codes and weights of the items. An item that is alone
            in its class says nothing: its weight is set to 0.
        """
        scores = self.scores(z)
        if self._scores_of_loss(z[:1]) is not None:
            return scores
        rest = self.weight[y] - weights
        alone = rest <= 1e-9 * self.weight[y]
        own = np.where(unpack(codes, z.shape[1]), 1.0, -1.0) * weights[:, None]
        sums = self.means[y] * self.weight[y, None] - own
        means = sums / np.where(alone, 1.0, rest)[:, None]
        signs = np.where(z > 0, 1.0, -1.0)
        near = ((2 * signs - means) * means).sum(axis=1) / z.shape[1]
        rows = np.flatnonzero(~alone)
        scores[rows, y[rows]] = near[rows]
        weights[alone] = 0
        return scores

    def decisions(self, scores: np.ndarray, temperature: float) -> np.ndarray:
        """What `decision_function` returns: two classes have one number."""
        return scores[:, 1] - scores[:, 0] if self.n_classes == 2 else scores

    def probabilities(self, scores: np.ndarray, temperature: float) -> np.ndarray:
        """Probabilities of the classes; of a diverged training, equal ones."""
        scores = scores.astype(np.float64) / temperature
        known = np.isfinite(scores).all(axis=1)
        scores[~known] = 0
        return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))

    def losses(self, scores: np.ndarray, y: np.ndarray, temperature: float) -> Any:
        """Log loss of each item, and that of an item about which nothing is known."""
        scores = scores / temperature
        total = logsumexp(scores, axis=1)
        return total - scores[np.arange(len(y)), y], total - scores.mean(axis=1)


class ManyClasses:
    """A set of classes an item: ``sigmoid(prior + scores / temperature)`` for each.

    The prior is the log-odds of a class among the training items. Scores are those of
    linear discriminants of the signs of bits, one for each class: they weigh bits by
    how items with the class differ from others, and know that bits copy one another.
    The temperature is the same for all classes.

    Parameters
    ----------
    sums : ndarray of shape (n_classes + n_bits + 2, n_bits + 1)
        See `class_sums`.
    """

    def __init__(self, sums: np.ndarray) -> None:
        n_bits = sums.shape[1] - 1
        self.n_classes = len(sums) - n_bits - 2
        among, total = sums[: self.n_classes], sums[self.n_classes]
        share = (among[:, -1] + 0.5) / (total[-1] + 1)
        self.prior = np.log(share) - np.log1p(-share)
        # One more item on either side is like all: rare classes differ little.
        common = total[:-1] / total[-1]
        inside, outside = (
            (part[:, :-1] + common) / (part[:, -1:] + 1)
            for part in (among, total - among)
        )
        moments = sums[self.n_classes + 1 :] / sums[-1, -1]
        mean = moments[-1, :-1]
        spread = moments[:-1, :-1] - np.outer(mean, mean) + _RIDGE * np.eye(n_bits)
        difference = inside - outside
        slopes = np.linalg.solve(spread, difference.T).T
        # From the spread of all items to that within the two sides (Sherman-Morrison).
        between = share * (1 - share) * (slopes * difference).sum(axis=1)
        self.slopes = slopes / (1 - np.minimum(between, 0.99))[:, None]
        self.offsets = -(self.slopes * (inside + outside)).sum(axis=1) / 2

    def scores(self, z: np.ndarray) -> np.ndarray:
        """Evidence of outputs z for each class, shape (n, n_classes)."""
        scores = np.where(z > 0, 1.0, -1.0) @ self.slopes.T
        scores += self.offsets
        return scores

    def scores_without(self, z: np.ndarray, *others: Any) -> np.ndarray:
        """Scores of outputs near those of items, which are left in."""
        return self.scores(z)

    def decisions(self, scores: np.ndarray, temperature: float) -> np.ndarray:
        """Log-odds of each class."""
        scores /= temperature
        scores += self.prior
        return scores

    def probabilities(self, scores: np.ndarray, temperature: float) -> np.ndarray:
        """Probability of each class, on its own; nothing is certain."""
        odds = self.decisions(scores, temperature)
        return expit(np.clip(odds, -_SURE, _SURE, out=odds), out=odds)

    def losses(self, scores: np.ndarray, y: np.ndarray, temperature: float) -> Any:
        """Log loss of each item, and that of an item about which nothing is known."""
        odds = self.prior + scores / temperature
        free = np.logaddexp(0, odds)
        unknown = free - expit(self.prior) * odds
        return (free - y * odds).mean(axis=1), unknown.mean(axis=1)


def class_model(net: DeepHashNet, sums: np.ndarray, multilabel: bool) -> Any:
    """What gives scores and probabilities of classes."""
    return ManyClasses(sums) if multilabel else OneClass(net, sums)


def pieces(n: int, n_classes: int) -> Iterator[slice]:
    """Rows of a table of items and classes, few enough to hold at once."""
    step = max(1, _CELLS // max(n_classes, 1))
    return (slice(start, start + step) for start in range(0, n, step))
