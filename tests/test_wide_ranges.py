"""What long codes, large offsets and foreign schedules ask of a training."""

import numpy as np
import pytest
import skorch.callbacks
import torch

from skhash import DeepHashEncoder
from skhash.metrics import code_health


@pytest.mark.slow
def test_large_offset_keeps_small_differences(rng):
    y = rng.integers(0, 2, 200)
    signal = rng.normal(size=(200, 3)) + 3 * y[:, None]
    far = signal + 1.7e9  # seconds since 1970, say
    encoder = DeepHashEncoder(8, max_epochs=15, random_state=0)
    assert encoder.fit(far, y).score(far, y) > 0.95
    near_codes = encoder.fit(signal, y).transform(signal)
    assert np.mean(near_codes == encoder.fit(far, y).transform(far)) > 0.98


def test_health_of_long_codes_looks_at_512_bits(rng):
    bits = rng.random((300, 2000)) < 0.5
    bits[:, 700] = True
    health = code_health(bits)
    assert health["dead_bits"] == pytest.approx(1 / 2000)
    chosen = np.unique(np.linspace(0, 1999, 512, dtype=int))
    expected = np.corrcoef(bits[:, chosen[chosen != 700]].T)
    pairs = np.abs(expected[np.triu_indices(len(expected), 1)])
    assert health["max_correlation"] == pytest.approx(pairs.max())
    assert health["mean_correlation"] == pytest.approx(pairs.mean())


def test_skorch_schedules_rule_a_constant_rate(rng):
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 2
    halving = skorch.callbacks.LRScheduler(
        torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5
    )
    encoder = DeepHashEncoder(
        8, lr=0.01, lr_schedule="constant", callbacks=[halving], max_epochs=4
    ).fit(X, y)
    rates = [row["lr"] for row in encoder.history_]
    assert rates == pytest.approx([0.01, 0.005, 0.0025, 0.00125])
