"""torch's global generators, lent to code that draws from no others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from skhash.locks import ForkedLock

# All threads share the global generators: one borrower at a time. The same thread may
# borrow again (a fit inside a callback of a fit).
_lock = ForkedLock()


@contextlib.contextmanager
def borrowed_generator(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed the generators of CPU and `device` for a while, then put them back."""
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with _lock.held(), torch.random.fork_rng(devices=cuda):
        # torch.manual_seed would reseed all GPUs, too.
        torch.default_generator.manual_seed(seed)
        for one in cuda:
            with torch.cuda.device(one):
                torch.cuda.manual_seed(seed)
        yield
