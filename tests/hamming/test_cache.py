"""Kernels are cached where the package lies, else for the user, else not at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skhash

QUERY = """
import numpy as np
import skhash
from skhash.hamming import distances
codes = np.array([[7], [0], [1]], np.uint8)
assert distances(codes, codes).tolist() == [[0, 3, 2], [3, 0, 1], [2, 1, 0]]
print(skhash.__file__)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="caches lie elsewhere")
@pytest.mark.parametrize("home", ["writable", "read-only"])
def test_read_only_install_searches(home, tmp_path):
    package = tmp_path / "site" / "skhash"
    source = Path(skhash.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    # Nothing can be written below a file, not even by root.
    for folder in [package, *(each for each in package.rglob("*") if each.is_dir())]:
        (folder / "__pycache__").touch()
    cache = tmp_path / "cache"
    cache.mkdir() if home == "writable" else cache.touch()
    environment = {
        name: value for name, value in os.environ.items() if "CACHE" not in name
    } | {"PYTHONPATH": str(tmp_path / "site"), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", QUERY],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path) in done.stdout
    if home == "writable":
        assert list(cache.rglob("*.nbc"))
