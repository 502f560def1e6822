"""What "auto" means: choices made from the data alone, alike on every backend."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor, nn

from skhash.hamming.labels import Labels
from skhash.losses import HashLoss
from skhash.networks import HashNetwork, output_width

# Fewer optimisation steps leave every family short of what it can reach.
_MIN_STEPS = 1000
_MIN_EPOCHS = 10
# For a loss that gains from more steps, that many epochs are enough.
_MANY_EPOCHS = 50
# Multiplications of a training step from which a second thread pays.
_WORK_FOR_THREADS = 3e7
# Items that are encoded together; more where the network does little with each, as long
# as no more than this many values are held, which fit into the caches of a core.
_ROWS, _MOST_ROWS, _VALUES = 512, 8192, 1 << 20
# Fewer rows may be multiplied by other kernels.
_FEW_ROWS = 64
# What a processor calls its instructions for bfloat16.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
# A shuffled batch with fewer items of the typical class holds too few similar pairs.
_ITEMS_PER_CLASS = 4


def choose_epochs(
    max_epochs: int | str, n_batches: int, steps: int = _MIN_STEPS
) -> int:
    """Number of epochs: as given, or enough for 1000 steps and 10 epochs.

    Where the loss gains from more `steps`, these, unless it takes over 50 epochs.
    """
    if max_epochs != "auto":
        return int(max_epochs)
    more = min(_MANY_EPOCHS, math.ceil(steps / n_batches))
    return max(_MIN_EPOCHS, math.ceil(_MIN_STEPS / n_batches), more)


def choose_threads(n_jobs: int | None, network: HashNetwork, batch_size: int) -> int:
    """Torch threads of a training: a choice that joblib's workers make alike."""
    if n_jobs is None:
        small = step_work(network, batch_size) < _WORK_FOR_THREADS
        return 1 if small else joblib.cpu_count()
    n_jobs = int(n_jobs)  # torch takes neither numpy's integers nor True
    return n_jobs if n_jobs > 0 else max(1, joblib.cpu_count() + 1 + n_jobs)


def step_work(network: HashNetwork, batch_size: int) -> float:
    """Multiplications of a forward pass over a batch, in dense and convolution layers.

    Parameters
    ----------
    network : HashNetwork
        Tried once on two items of zeros; layers of other kinds count as free.
    batch_size : int
        Items in a batch.

    Returns
    -------
    work : float
    """
    counts = []

    def count(layer: nn.Module, _: Any, out: Tensor) -> None:
        per_value = layer.weight.numel() / len(layer.weight)
        counts.append(per_value * out.numel() / len(out))

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    layers = (layer for layer in network.modules() if isinstance(layer, kinds))
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        output_width(network.body, network.standardize.input_shape)
    finally:
        for hook in hooks:
            hook.remove()
    return batch_size * sum(counts)


def choose_balance(
    choice: bool | int | str, loss: HashLoss, labels: Labels, batch_size: int
) -> int:
    """Items of a class in a class-balanced batch, or 0 for shuffled batches."""
    if choice != "auto":
        return _ITEMS_PER_CLASS if choice is True else int(choice)
    sizes = torch.from_numpy(labels.sizes)
    typical = float(sizes[sizes > 0].double().median()) * batch_size / len(labels)
    few = typical < _ITEMS_PER_CLASS
    return _ITEMS_PER_CLASS if loss.balanced_batches and few else 0


def choose_rows(network: HashNetwork, n_values: int, n_bits: int) -> int:
    """Items to encode together: many where a call takes longer than its work."""
    if not isinstance(network.body, nn.Flatten):
        return _ROWS
    most = min(_MOST_ROWS, _VALUES // (n_values + n_bits))
    return max(_ROWS, most // _ROWS * _ROWS)


def batch_bounds(n: int, size: int) -> list[tuple[int, int]]:
    """Where the batches of n items begin and end.

    Kernels for few rows round differently. The last few of 512 items get a batch of
    their own whatever the size, so that their outputs do not depend on it.
    """
    few = n % _ROWS if size > _ROWS and n % _ROWS < _FEW_ROWS else 0
    starts = [*range(0, n - few, size), *([n - few] if few else [])]
    return list(pairwise([*starts, n]))


def choose_amp(
    amp: bool | str, network: HashNetwork, device: str, info: str | None = None
) -> bool:
    """Whether to train in bfloat16.

    "auto" is True for networks with convolutions where the device has instructions for
    it, by its flags alone: were it timed, codes would depend on what else is running.
    Machines with and without them train different codes, so it is not the default.

    Parameters
    ----------
    amp : bool or "auto"
        The choice, or "auto".
    network : HashNetwork
        The network to train.
    device : str
        Torch device to train on.
    info : str, default=None
        What the system says of its processor; None reads /proc/cpuinfo, where there
        is one.

    Returns
    -------
    amp : bool
    """
    if isinstance(amp, (bool, np.bool_)):
        return bool(amp)
    if amp != "auto":
        raise ValueError(
            f"net_params={{'amp': {amp!r}}} is none of True, False and 'auto'. True "
            "trains in bfloat16; 'auto' does where the processor has instructions "
            "for it."
        )
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    if not any(isinstance(layer, kinds) for layer in network.modules()):
        return False
    kind = torch.device(device).type
    if kind == "cuda":  # older ones only emulate it
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return kind == "cpu" and bool(_BFLOAT16_FLAGS & _processor_flags(info))


def _processor_flags(info: str | None = None) -> set[str]:
    """Instruction sets of the processor, as Linux names them; none elsewhere."""
    path = Path("/proc/cpuinfo")
    if info is None:
        info = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = (line.partition(":") for line in info.splitlines())
    found = (set(value.split()) for name, _, value in lines if name.strip() == "flags")
    return next(found, set())


def choose_device(device: Any) -> str:
    """The device that "auto" means here."""
    if device != "auto":
        return str(device)
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_error(device: Any) -> str:
    """What torch has against a device, or "" where this machine has it."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:
        return str(error).splitlines()[0]
    return ""
