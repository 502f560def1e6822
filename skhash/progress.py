"""How far a long work is: one line, rewritten where that can be done."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter
from typing import Any, TypeVar

from tqdm.std import tqdm

T = TypeVar("T")

# Seconds between two lines where they cannot be rewritten, as in the file of a log.
INTERVAL = 5.0
# Seconds after which work of unknown length is worth a line.
PATIENCE = 1.0


class _Bar(tqdm):
    monitor_interval = 0  # no thread of its own: processes that use skhash fork


class Progress:
    """Tells how far a work is, and how long it will still take.

    In a terminal and in a notebook it is one line, rewritten in place; elsewhere a new
    line every few seconds.

    Parameters
    ----------
    name : str
        What is done.
    total : int or None
        Its length in steps; None where nobody knows.
    unit : str, default=""
        What steps are, such as "images", to show how many are done in a second.
    verbose : int, default=1
        0 says nothing.
    delay : float, default=0
        Seconds before the line is drawn, in a terminal.
    done : int, default=0
        Steps that were done before.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        *,
        unit: str = "",
        verbose: int = 1,
        delay: float = 0,
        done: int = 0,
    ) -> None:
        self.verbose = verbose
        self._rewrites = _can_rewrite(sys.stdout)
        rate = "{rate_noinv_fmt}, " if unit else ""
        shape = "{desc} |{bar:20}| {percentage:3.0f} %, "
        shape += rate + "{remaining} left{postfix}"
        self._bar = _Bar(
            total=total,
            desc=name,
            unit=f" {unit}",
            file=sys.stdout if self._rewrites else io.StringIO(),
            disable=not verbose,
            leave=False,
            delay=delay,
            initial=done,
            dynamic_ncols=True,
            bar_format=shape if total else "{desc}: {elapsed}{postfix}",
        )
        self._told_at = perf_counter()

    def advance(self, steps: int = 1) -> None:
        """Some steps more are done."""
        self._bar.update(steps)
        if self.verbose and not self._rewrites:
            self._tell()

    def tell(self, name: str | None = None, **values: Any) -> None:
        """Say something else: what is done, numbers at the end of the line."""
        if not self.verbose:
            return
        if name is not None:
            self._bar.set_description_str(name, refresh=False)
        if values:
            told = ", ".join(f"{key} {value}" for key, value in values.items())
            self._bar.set_postfix_str(told, refresh=self._rewrites)

    def set_total(self, total: int) -> None:
        """The work is of another length than was thought."""
        self._bar.total = total

    def look(self) -> None:
        """Show the time that has passed."""
        if self._rewrites:
            self._bar.refresh()
        elif self.verbose:
            self._tell()

    def _tell(self) -> None:
        if perf_counter() - self._told_at >= INTERVAL:
            self._told_at = perf_counter()
            print(str(self._bar).strip(), flush=True)

    def close(self, summary: str = "") -> None:
        """Take the line away; leave one that sums up, if there is one."""
        self._bar.close()
        if self.verbose and summary:
            print(summary, flush=True)


def _can_rewrite(stream: Any) -> bool:
    """Whether a stream is a terminal, or the output of a notebook's cell."""
    if getattr(stream, "isatty", lambda: False)():
        return True
    return type(stream).__module__.startswith("ipykernel")


def followed(
    parts: Iterable[T],
    name: str,
    total: int,
    *,
    size: Callable[[T], int] = len,  # type: ignore[assignment]
    unit: str = "",
    verbose: int = 1,
) -> Iterator[T]:
    """The parts of a work, one after the other, and meanwhile how far it is.

    A work that is done at once says nothing.

    Parameters
    ----------
    parts : iterable
        What is made, part by part.
    name : str
        What is done.
    total : int
        Its length.
    size : callable, default=len
        The length of a part.
    unit : str, default=""
        What the length counts, to show how many are done in a second.
    verbose : int, default=1
        0 says nothing.
    """
    if not verbose:
        yield from parts
        return
    start = perf_counter()
    progress, told = Progress(name, total, unit=unit, delay=PATIENCE), ""
    try:
        for part in parts:
            yield part
            progress.advance(size(part))
        if (seconds := perf_counter() - start) >= PATIENCE:
            told = f"{name}: done in {seconds:.1f} s"
    finally:
        progress.close(told)


@contextmanager
def announced(name: str, verbose: int) -> Iterator[None]:
    """Show how long a block of unknown length takes, and has taken.

    A block that is done at once says nothing.
    """
    if not verbose:
        yield
        return
    start, done = perf_counter(), Event()

    def tell() -> None:
        if done.wait(PATIENCE):
            return
        progress = Progress(name, None)
        while not done.wait(PATIENCE):
            progress.look()
        progress.close()

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
    if (seconds := perf_counter() - start) >= PATIENCE:
        print(f"{name}: done in {seconds:.1f} s", flush=True)
