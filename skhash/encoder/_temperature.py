"""The temperature of class probabilities: the one of least log loss.

Where items are held out, on them. Elsewhere items that were trained on would say that
the encoder never errs. In their place come the points halfway between each and the item
nearest to it, as new items lie between known ones; each with the label of the first
item, which is left out of the mean of its class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from skhash.encoder._class_models import class_model, class_sums, evenly_spaced
from skhash.encoder._data.batches import batches_in_order
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._net import DeepHashNet

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# Items that tell the temperature, at most: held-out ones, and others. Fewer where
# classes are many and, of others, where items are large.
_HELD_OUT, _MOST, _FEWEST = 10_000, 1000, 100
_CELLS, _VALUES = 1 << 21, 1 << 19
# Items that they are compared with at a time.
_ROWS = 128
# Multiplications for finding neighbours, at most.
_WORK = 1 << 33
_RANGE = np.log([1e-3, 1e3])
# What is kept where labels are pairs: a row of sums for each would take much memory.
NO_CLASSES: dict[str, Any] = {"_class_sums": None, "_temperature": None}


def class_state(
    net: DeepHashNet,
    train: TrainingData,
    codes: np.ndarray,
    valid: TrainingData | None = None,
    before: DeepHashEncoder | None = None,
) -> dict[str, Any]:
    """What a fitted encoder keeps for its classes.

    Parameters
    ----------
    net : DeepHashNet
        The trained net.
    train : TrainingData
        What it was trained on.
    codes : ndarray of shape (n_train, n_bytes), uint8
        The codes that it gives these.
    valid : TrainingData, default=None
        What it was not trained on.
    before : DeepHashEncoder, default=None
        The encoder, where these items come after others.

    Returns
    -------
    state : dict
        Names and values of attributes.
    """
    if before is not None and before._class_sums is None:
        return NO_CLASSES  # it was fitted with pairs
    sums = class_sums(codes, train, net.criterion_.n_bits_)
    if before is not None:
        sums += before._class_sums
    model = class_model(net, sums, train.kind == "sets")
    temperature = _find_temperature(net, model, train, codes, valid)
    if before is not None:  # a few items say little
        temperature = math.sqrt(before._temperature * temperature)
    return {"_class_sums": sums, "_temperature": temperature}


def _find_temperature(
    net: DeepHashNet,
    model: Any,
    train: TrainingData,
    codes: np.ndarray,
    valid: TrainingData | None,
) -> float:
    """The temperature of least log loss, 1 where that is not finite at any."""
    data = train if valid is None else valid
    rows = evenly_spaced(len(data.items), _n_items(data, valid is not None))
    chosen = data.subset(rows)
    y = chosen.labels.values
    y = y.toarray() if chosen.labels.sparse else y
    weight = chosen.items.sample_weight
    weights = np.ones(len(y)) if weight is None else weight.numpy().astype(float)
    if valid is None:
        between = ArrayDataset(_halfway(net, train, rows).numpy())
        z = np.concatenate(list(net.encode(between)))
        scores = model.scores_without(z, y, codes[rows], weights)
    else:
        z = np.concatenate(list(net.encode(chosen.items)))
        scores = model.scores(z)
    scores = scores.astype(np.float64)
    if not np.isfinite(scores).all() or not weights.any():
        return 1.0

    def log_loss(log_temperature: float) -> float:
        known, unknown = model.losses(scores, y, np.exp(log_temperature))
        # As if half an item were of any class: nothing is ever certain.
        return float(np.average(known, weights=weights) + unknown.mean() / len(y) / 2)

    found = minimize_scalar(log_loss, bounds=_RANGE, method="bounded")
    return float(np.exp(found.x))


def _n_items(data: TrainingData, held_out: bool) -> int:
    """How many items are enough."""
    by_size = max(_FEWEST, _VALUES // data.layout.n_values)
    most = _HELD_OUT if held_out else min(_MOST, by_size)
    return max(2, min(most, _CELLS // len(data.classes)))


def _halfway(net: DeepHashNet, data: TrainingData, rows: np.ndarray) -> Tensor:
    """Points between items and those nearest to them, laid out as items are."""
    items = data.items
    first = torch.cat(list(batches_in_order(items.subset(rows), _ROWS))).cpu()
    if isinstance(items, ArrayDataset):
        most = max(1, _WORK // (len(rows) * data.layout.n_values))
        others = evenly_spaced(len(items), most)
        batches = batches_in_order(items.subset(others), _ROWS)
        nearest = others[_nearest(net, first, batches, rows, others)]
        second = batches_in_order(items.subset(nearest), _ROWS)
    else:  # reading an item may take long: those that are there must do
        second = [first[_nearest(net, first, [first], rows, rows)]]
    # Timestamps and their like need float64 to stay apart.
    wide = first.itemsize > 2 and first.dtype != torch.float32
    between = first.to(torch.float64 if wide else torch.float32).mul_(0.5)
    start = 0
    for batch in second:
        part = between[start : start + len(batch)]
        start += len(part.add_(batch.cpu().to(part.dtype), alpha=0.5))
    return between


def _nearest(
    net: DeepHashNet,
    first: Tensor,
    batches: Iterable[Tensor],
    rows: np.ndarray,
    others: np.ndarray,
) -> np.ndarray:
    """Which of other items, as standardised, is nearest to each but itself.

    `rows` and `others` number the items of `first` and of the batches.
    """
    standardize = net.module_.standardize
    with torch.inference_mode():
        queries = standardize(first.to(net.device)).flatten(1)
        best = torch.full((len(queries),), torch.inf)
        place = torch.zeros(len(queries), dtype=torch.int64)
        start = 0
        for batch in batches:
            near = standardize(batch.to(net.device)).flatten(1)
            distances = ((near**2).sum(1) - 2 * queries @ near.T).cpu()
            same = rows[:, None] == others[start : start + len(batch)]
            distances[torch.from_numpy(same)] = torch.inf
            value, index = distances.min(dim=1)
            closer = value < best
            best = torch.where(closer, value, best)
            place = torch.where(closer, index + start, place)
            start += len(batch)
    return place.numpy()
