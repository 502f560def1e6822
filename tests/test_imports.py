"""What an import loads, and what a type checker sees through the lazy front door."""

import re
import subprocess
import sys

import pytest

import skhash

PUBLIC = [name for name in skhash.__all__ if name != "__version__"]


def in_new_process(*arguments, cwd=None):
    """What Python prints when it starts anew: this one has everything loaded."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd
    )


def loaded_after(statement):
    """Names of all modules that ``statement`` loads."""
    code = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = in_new_process("-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        "baselines",
        "distributed",
        "hamming",
        "metrics",
        "neighbors",
        "persistence",
        "plots",
    ],
)
def test_part_does_not_load_torch(part):
    loaded = loaded_after(f"import skhash.{part}")
    assert f"skhash.{part}" in loaded
    assert not {"torch", "skorch", "matplotlib", "dask", "distributed"} & loaded


def test_root_loads_no_part():
    loaded = loaded_after("import skhash; skhash.__version__; dir(skhash)")
    assert not [name for name in loaded if name.startswith("skhash.")]
    assert not {"numpy", "torch"} & loaded


@pytest.mark.slow
def test_neighbors_from_root_do_not_load_torch():
    loaded = loaded_after(
        "from skhash import HammingNeighbors, HammingNeighborsClassifier"
    )
    assert "skhash.neighbors" in loaded
    assert "torch" not in loaded


@pytest.mark.slow
def test_a_database_is_loaded_without_torch(tmp_path):
    code = f"""
import numpy as np
from skhash import HammingNeighbors, load, save
path = {str(tmp_path / "a")!r}
save(HammingNeighbors().fit(np.arange(9, dtype=np.uint8).reshape(9, 1)), path)
load(path)
"""
    loaded = loaded_after(code)
    assert "skhash.persistence" in loaded
    assert "torch" not in loaded


@pytest.mark.slow
def test_encoder_from_root_loads_nothing_slow_but_torch():
    # Each takes a second or more of its own, and none is needed before a call.
    slow = {"matplotlib", "numba.core", "sympy", "torch._dynamo", "torch._inductor"}
    loaded = loaded_after("from skhash import DeepHashEncoder, HammingNeighbors")
    assert "skhash.encoder" in loaded
    assert not slow & loaded


@pytest.mark.slow
def test_environment_stays_as_it_was():
    code = """
import os
before = dict(os.environ)
import numpy as np, skhash, skhash.hamming, skhash.metrics, skhash.plots
from skhash import DeepHashEncoder, HammingNeighbors
X = np.random.default_rng(0).normal(size=(64, 8, 8, 3)).astype(np.float32)
encoder = DeepHashEncoder(8, max_epochs=1, n_jobs=2).fit(X, np.arange(64) % 2)
HammingNeighbors().fit(encoder.transform(X)).kneighbors(n_neighbors=1)
changed = {name for name, _ in set(before.items()) ^ set(os.environ.items())}
# scikit-learn and torch set some of their own.
assert not [name for name in changed if not name.startswith(("KMP_", "TORCH"))], changed
"""
    done = in_new_process("-W", "ignore", "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_the_one_of_its_module(name):
    value = getattr(skhash, name)
    assert value.__name__ == name
    assert value.__module__.startswith("skhash.")
    assert name in dir(skhash)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skhash' has no attribute 'Deep'"):
        skhash.Deep  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Deep'"):
        from skhash import Deep  # noqa: F401


@pytest.mark.slow
def test_type_checker_sees_the_lazy_names(tmp_path):
    classes = [name for name in PUBLIC if name[0].isupper()]
    lines = [f"reveal_type({name}())" for name in classes]
    (tmp_path / "user.py").write_text(
        "\n".join([f"from skhash import {', '.join(PUBLIC)}", *lines])
    )
    # Only skhash is followed: reading torch's own types would take half a minute.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nfollow_imports = skip\n[mypy-skhash.*]\nfollow_imports = silent\n"
    )
    done = in_new_process("-m", "mypy", "user.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in classes:
        assert re.search(rf'Revealed type is "skhash\.[\w.]+\.{name}"', done.stdout)
