"""Random hyperplanes differ in a bit with probability angle / pi."""

import numpy as np
import pytest

from skhash.baselines import RandomHyperplanes


@pytest.mark.parametrize("angle", [0.05, 0.5, 1.0, np.pi / 2, 2.5, 3.1])
@pytest.mark.parametrize("lengths", [(1.0, 1.0), (0.01, 100.0)])
def test_collisions_tell_the_angle(angle, lengths):
    rng = np.random.default_rng(int(angle * 100))
    a, b = np.linalg.qr(rng.normal(size=(20, 2)))[0].T
    X = np.stack([lengths[0] * a, lengths[1] * (np.cos(angle) * a + np.sin(angle) * b)])
    n_bits, seeds = 4096, range(5)
    share = np.mean(
        [
            np.logical_xor(
                *RandomHyperplanes(
                    n_bits, output="bits", random_state=seed
                ).fit_transform(X)
            ).mean()
            for seed in seeds
        ]
    )
    p = angle / np.pi
    deviation = np.sqrt(p * (1 - p) / (n_bits * len(seeds)))
    assert abs(share - p) < 4 * deviation


def test_scale_does_not_matter_and_the_origin_has_no_bit():
    X = np.random.default_rng(0).normal(size=(30, 5))
    fitted = RandomHyperplanes(64, output="bits", random_state=0).fit(X)
    assert np.array_equal(fitted.transform(X * 1e-3), fitted.transform(X))
    assert not fitted.transform(np.zeros((1, 5))).any()


def test_nothing_is_learnt_from_the_data():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(30, 5)), rng.normal(size=(10, 5)) + 100
    a, b = (RandomHyperplanes(random_state=0).fit(X) for X in (one, other))
    assert np.array_equal(a.transform(one), b.transform(one))
