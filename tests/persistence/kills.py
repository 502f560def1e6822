"""Processes that are killed while they save: what they leave must be whole."""

import os
import signal
import time

import numpy as np

from skhash import HammingNeighbors, load, save

# Large enough for a save to take some milliseconds.
N_CODES = 400_000


def databases():
    """Two that differ in every code."""
    codes = np.zeros((N_CODES, 8), np.uint8)
    return [HammingNeighbors(algorithm="brute").fit(codes + i) for i in (0, 1)]


def kill(path, models, seconds):
    """Let a process save one after the other onto a file, and kill it after a while.

    Returns whether it was killed in the midst of a save: it left a part of a file.
    """
    child = os.fork()
    if child == 0:
        try:
            while True:
                for model in models:
                    save(model, path)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    parts = list(path.parent.glob(f"{path.name}.*.part"))
    for part in parts:
        part.unlink()
    return bool(parts)


def count(folder, n, rng):
    """Kills, those of them in the midst of a save, and whole files after them."""
    models, path = databases(), folder / "model.skhash"
    save(models[0], path)
    counts = {"kills": n, "during_a_save": 0, "whole_files": 0}
    for _ in range(n):
        counts["during_a_save"] += kill(path, models, rng.uniform(0.001, 0.06))
        codes = load(path, verify=True).codes_
        whole = codes.shape == (N_CODES, 8) and codes.max() == codes.min()
        counts["whole_files"] += int(whole)
    return counts
