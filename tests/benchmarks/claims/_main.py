"""Runs in order, each kept as soon as it is done."""

from __future__ import annotations

import argparse
import os
import time
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from _claim import Claim
from _record import RESULTS, Record
from _training import KEPT, Bench, Run, compare_runs
from _turns import in_turn


def options(description: str) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--until", metavar="HH:MM", help="start no run after it")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--kept", type=Path, default=KEPT)
    return parser.parse_args()


def main(*claims: Claim, description: str) -> None:
    """Make the runs of these claims that have not been made, the most valuable first.

    Several processes may be at it at once: each takes the next run that none has made
    or is making. Killing one loses no more than the run that it is at, and of a
    training no more than an epoch. A run that fails is told and left for the next call.
    """
    given = options(description)
    stop = next_time(given.until) if given.until else None
    records = {claim.name: Record(claim.name, given.results) for claim in claims}
    pairs = {claim.name: claim.pairs for claim in claims}
    benches = {
        name: Bench(given.data, record, given.n_jobs, given.kept)
        for name, record in records.items()
    }
    for name, bench in benches.items():
        compare_runs(bench, pairs[name])  # what an earlier call was killed before
    for run in in_turn(in_order(claims), records, given.kept):
        if stop is not None and datetime.now() >= stop:
            say(f"It is {given.until}: the rest is for the next call.")
            return
        bench = benches[run.key.claim]
        if make(run, bench):
            compare_runs(bench, pairs[run.key.claim])


def make(run: Run, bench: Bench) -> bool:
    """Make a run and add its row, or tell why it failed."""
    say(
        f"{' '.join(map(str, run.key))}, about {run.minutes / bench.n_jobs:.1f} minutes"
    )
    start, load = time.perf_counter(), os.getloadavg()[0]
    try:
        row = run.work(run.key, bench)
    except Exception:
        traceback.print_exc()
        return False
    bench.record.add(run.key, **row, load_before=round(load, 1))
    shown = {name: row[name] for name in ("mAP", "cpu_seconds") if name in row}
    say(f"done in {(time.perf_counter() - start) / 60:.1f} minutes, {shown}")
    return True


def in_order(claims: Sequence[Claim]) -> list[Run]:
    """The runs of all claims by their place in the order; equals stay as they are."""
    return sorted((run for c in claims for run in c.runs), key=lambda run: run.order)


def next_time(clock: str) -> datetime:
    """The next moment at which a clock shows HH:MM."""
    now = datetime.now()
    hour, minute = map(int, clock.split(":"))
    stop = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return stop if stop > now else stop + timedelta(days=1)


def say(text: str) -> None:
    """Print with the time."""
    print(f"{datetime.now():%H:%M:%S} {text}", flush=True)
