"""How much memory a training takes beside its data."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, threading, time
import numpy as np
from skhash import DeepHashEncoder

def resident():
    pages = open("/proc/self/statm").read().split()[1]
    return int(pages) * 4096

def fit(X):
    y = np.arange(len(X)) % 10
    encoder = DeepHashEncoder(
        16, loss=sys.argv[1], network="linear", max_epochs=2, n_jobs=1, random_state=0
    )
    encoder.fit(X, y)

X = np.full((40_000, 784), 7, dtype=np.uint8)
X[:, ::3] = np.arange(40_000)[:, None] % 251
fit(X[:3000])  # what is loaded and built once
before = peak = resident()
done = threading.Event()

def watch():
    global peak
    while not done.wait(0.001):
        peak = max(peak, resident())

watcher = threading.Thread(target=watch)
watcher.start()
fit(X)
done.set()
watcher.join()
print((peak - before) / X.nbytes)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads Linux's own count"
)
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh"])
def test_fit_holds_the_array_once(loss):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, loss],
        capture_output=True,
        text=True,
        check=True,
    )
    # One copy would be 4 (float32) or 1 (uint8). Batches, the network, the outputs that
    # centres are estimated from and the allocator's reserve take the rest.
    assert float(done.stdout) < 0.3 + 0.2
