"""Which run is next, where several processes work through the same runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from _locks import taken
from _record import Key, Record

# Seconds until a process looks again whether another has left it something to do.
PAUSE = 5.0


def in_turn(
    runs: Sequence[Any],
    records: Mapping[str, Record],
    kept: Path,
    pause: float = PAUSE,
) -> Iterator[Any]:
    """Runs in their order that are not made yet, each of them ours until the next.

    A run that another process is at is passed over, and so is one whose `after` has no
    row yet; both are looked at again later. A run that gets no row is not tried again.
    It ends when all that is left was tried, or waits for what was.
    """
    tried: set[Key] = set()
    while True:
        for record in records.values():
            record.read()
        left = [run for run in runs if run.key not in tried and _ready(run, records)]
        for run in left:
            with taken(kept / f"{run.key.slug}.run") as ours:
                record = records[run.key.claim]
                if ours:
                    record.read()  # made since?
                if ours and record.row(run.key) is None:
                    tried.add(run.key)
                    yield run
                if ours:
                    break
        else:
            if not left:
                return
            time.sleep(pause)


def _ready(run: Any, records: Mapping[str, Record]) -> bool:
    """Whether a run has not been made, but what it needs has."""
    if records[run.key.claim].row(run.key) is not None:
        return False
    return run.after is None or records[run.after.claim].row(run.after) is not None
