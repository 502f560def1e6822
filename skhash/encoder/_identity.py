"""What makes two trainings the same: their parameters, their data, their seeds."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import Subset

from skhash.encoder._data.batches import LOADING
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._data.items import CheckedItems
from skhash.networks import borrowed_generator

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# Parameters that change nothing of what is learnt. Callbacks are the user's own affair.
_FREE = ("callbacks", "checkpoint", "output", "verbose")
# Bytes of X that are looked at, all of it up to there, else rows all over it.
_LOOKED_AT = 1 << 26
# How deep to look into objects.
_DEPTH = 5


def parameters_of(encoder: DeepHashEncoder) -> dict[str, Any]:
    """The parameters that decide what is learnt, as plain values to compare."""
    given = encoder.get_params(deep=False)
    told = {name: _told(v) for name, v in given.items() if name not in _FREE}
    if callable(encoder.augment) and not hasattr(encoder.augment, "__qualname__"):
        told["augment"] = _name(type(encoder.augment))  # it may count, or cache
    if encoder.net_params:  # how fast items are read is no matter of what is learnt
        own = {k: v for k, v in encoder.net_params.items() if not _loads(k)}
        told["net_params"] = _told(own or None)
    return told


def _loads(name: str) -> bool:
    return name.startswith("iterator_") and name.partition("__")[2] in LOADING


def start_of(encoder: DeepHashEncoder) -> Any:
    """What a training begins with that goes on from an earlier one, else None."""
    if not (encoder.warm_start and hasattr(encoder, "net_")):
        return None
    return [len(encoder.history_), _told(encoder.net_.module_)]


def fingerprint(data: TrainingData | None) -> str | None:
    """A digest of items, labels and weights; of large data, of rows all over it."""
    if data is None:
        return None
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((len(data.items), data.layout, data.classes.tolist())).encode())
    if isinstance(data.items, ArrayDataset):
        row_bytes = max(1, data.items.raw(slice(0, 1)).nbytes if _dense(data) else 64)
        count = min(len(data.items), max(2, _LOOKED_AT // row_bytes))
        places = np.linspace(0, len(data.items) - 1, count).astype(np.int64)
        step = max(1, (1 << 22) // row_bytes)
        for start in range(0, count, step):
            _add(digest, data.items.raw(places[start : start + step]))
    else:
        _add_items(digest, data.items)
    if data.kind == "vectors":
        if data.labels.values is not getattr(data.items, "X", None):
            count = min(len(data.labels), max(2, _LOOKED_AT // (4 * data.y.shape[1])))
            places = np.linspace(0, len(data.labels) - 1, count).astype(np.int64)
            _add(digest, data.labels.take(places))
    else:
        _add(digest, data.labels.values)
    _add(digest, data.items.sample_weight)
    return digest.hexdigest()


def _add_items(digest: Any, items: EncodedDataset) -> None:
    """The kind of a user's data set, and some items, unless these are drawn anew."""
    given: Any = items
    while isinstance(given, (EncodedDataset, CheckedItems, Subset)):
        given = given.dataset
    digest.update(_name(type(given)).encode())
    for place in (0, len(items) // 2, len(items) - 1):
        readings = []
        for _ in range(2):
            with borrowed_generator(0):
                readings.append(items[place][0])
        if torch.equal(*readings):
            _add(digest, readings[0])


def _dense(data: TrainingData) -> bool:
    return not sp.issparse(data.items.X)  # type: ignore[union-attr]


def _add(digest: Any, values: Any) -> None:
    if values is None:
        return
    if sp.issparse(values):
        for part in (values.indptr, values.indices, values.data):
            _add(digest, part)
        return
    if isinstance(values, Tensor):
        if is_lazy(values):
            return
        values = values.detach().cpu().float().numpy()
    digest.update(f"{values.dtype}{values.shape}".encode())
    digest.update(np.ascontiguousarray(values).tobytes())


def _told(value: Any, depth: int = 0) -> Any:
    """A value as plain ones, alike in every process; addresses are left out."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (torch.device, torch.dtype, np.dtype)):
        return str(value)
    if isinstance(value, nn.Module) and not hasattr(value, "get_params"):
        digest = hashlib.blake2b(repr(value).encode(), digest_size=8)
        for tensor in value.state_dict().values():
            if isinstance(tensor, Tensor):
                _add(digest, tensor)
        return [_name(type(value)), digest.hexdigest()]
    if isinstance(value, (np.ndarray, Tensor)):
        digest = hashlib.blake2b(digest_size=8)
        _add(digest, value)
        return digest.hexdigest()
    if isinstance(value, functools.partial):
        parts = value.func, value.args, value.keywords
        return ["partial", *(_told(part, depth + 1) for part in parts)]
    if isinstance(value, (list, tuple)):
        return [_told(part, depth + 1) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _told(part, depth + 1) for key, part in value.items()}
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return _name(value)
    if isinstance(value, np.random.RandomState) or depth >= _DEPTH:
        return _name(type(value))  # the seeds drawn are compared
    if hasattr(value, "get_params"):
        inner = value.get_params(deep=False)
    else:
        inner = getattr(value, "__dict__", {})
    return [_name(type(value)), _told(inner, depth + 1)]


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"
