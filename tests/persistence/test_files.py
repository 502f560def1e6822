"""Files that earlier versions wrote open here, and answer as they did."""

import numpy as np
import pytest

from skhash import load
from tests.persistence.corpus import CUSTOM, MADE, answer
from tests.persistence.make_files import FILES

NAMES = sorted(path.stem for path in FILES.glob("*.skhash"))


def test_every_class_has_a_file():
    assert set(MADE) <= set(NAMES)
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_an_earlier_version(name):
    model = load(FILES / f"{name}.skhash", custom_objects=CUSTOM, verify=True)
    with np.load(FILES / "answers.npz") as answers:
        expected = answers[name]
    found = answer(model, MADE[name][1][:6])
    if expected.dtype.kind == "f":
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_array_equal(found, expected)
