"""Files of every class that were changed: refused, and nothing else happens."""

import io
import os
import pickle
import sys
import zipfile

import joblib
import numpy as np
import pytest
import sklearn

from skhash import HammingNeighbors, load, save
from skhash.persistence import LoadError
from tests.archive.sealing import altered
from tests.persistence import kills, mutations
from tests.persistence.corpus import CODES, CUSTOM
from tests.persistence.make_files import FILES


@pytest.fixture(scope="module")
def files():
    """A file of every class; what loading them imports is imported."""
    found = sorted(FILES.glob("*.skhash"))
    for path in found:
        load(path, custom_objects=CUSTOM)
    return found


@pytest.mark.slow
def test_files_changed_at_random(files, tmp_path):
    mutations.watch()
    rng = np.random.default_rng(0)
    outcomes, _, _ = mutations.count(files, 400, rng, tmp_path, CUSTOM)
    assert outcomes == {"refused": 400}
    change = mutations.resealed
    outcomes, _, _ = mutations.count(files, 200, rng, tmp_path, CUSTOM, change=change)
    assert set(outcomes) <= {"refused", "loaded"}


def test_the_watch_sees_code_that_runs(tmp_path):
    mutations.watch()

    class Evil(dict):
        """Custom objects that run code when they are asked."""

        def __contains__(self, name):
            return bool(eval("1"))

        def __getitem__(self, name):
            raise RuntimeError

    path = FILES / "encoder_custom.skhash"
    mutations.tracemalloc.start()
    mutations.outcome_of(path, 10**6, CUSTOM)  # what it imports is imported
    found = mutations.outcome_of(path, 10**6, {"Centred": lambda **_: eval("1")})
    mutations.tracemalloc.stop()
    assert found.startswith(("did compile", "did exec"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_are_killed_leave_whole_files(tmp_path):
    counts = kills.count(tmp_path, 6, np.random.default_rng(0))
    assert counts["whole_files"] == 6
    assert counts["during_a_save"] > 0


def test_an_error_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    save(HammingNeighbors(2).fit(CODES), path)
    before = path.read_bytes()

    def full(file):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save(HammingNeighbors(3).fit(CODES), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_links_lead_to_the_file_that_is_replaced(tmp_path):
    save(HammingNeighbors(2), tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    save(HammingNeighbors(3), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "a").n_neighbors == 3
    (tmp_path / "a").chmod(0o600)
    save(HammingNeighbors(4), tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


class Runs:
    """Unpickled, it would run something."""

    def __reduce__(self):
        return print, ("it ran",)


def of_zip(**options):
    def write(path):
        with zipfile.ZipFile(path, "w", **options) as file:
            file.writestr("manifest.json", "{}")

    return write


OTHERS = {
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Runs())),
    "joblib's": lambda path: joblib.dump(Runs(), path),
    "numpy's": lambda path: np.save(path.open("wb"), np.array([Runs()], dtype=object)),
    "a ZIP": of_zip(),
    "a compressed ZIP": of_zip(compression=zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("write", OTHERS.values(), ids=OTHERS)
def test_other_files_run_nothing(write, tmp_path, capsys):
    write(tmp_path / "a")
    with pytest.raises(LoadError, match="it is another file, or cut short"):
        load(tmp_path / "a")
    assert capsys.readouterr().out == ""


def changed(tmp_path, name, change):
    """A file of a class, with a manifest that a function has changed."""
    content = altered((FILES / f"{name}.skhash").read_bytes(), change)
    (tmp_path / "a").write_bytes(content)
    return tmp_path / "a"


@pytest.mark.parametrize("name", ["Popen", "sklearn.svm.SVC", "SVC", "__init__", 5])
def test_classes_that_are_not_in_the_list(tmp_path, name):
    rename = lambda told: told["content"].update({"class": name})
    path, modules = changed(tmp_path, "neighbors", rename), set(sys.modules)
    with pytest.raises(LoadError, match=r"class .* is not in the list"):
        load(path)
    assert set(sys.modules) == modules


def test_a_newer_scikit_learn(tmp_path):
    newer = lambda told: told["versions"].update(sklearn="99.1.dev0")
    load(changed(tmp_path, "neighbors", newer))  # nothing of it is inside
    path = changed(tmp_path, "scalers", newer)
    with pytest.raises(LoadError, match=r"scikit-learn 99\.1\.dev0 wrote") as error:
        load(path)
    assert f"newer than scikit-learn {sklearn.__version__}" in str(error.value)


def test_a_checkpoint_is_no_estimator(tmp_path):
    from skhash.encoder._state import write_state

    write_state(tmp_path / "a", {"epoch": 1})
    with pytest.raises(LoadError, match="it holds a training, not a estimator"):
        load(tmp_path / "a")


def test_weights_of_another_shape_are_not_allocated(tmp_path):
    def wide(told):
        layers = told["content"]["state"]["network"]["layers"]["parts"]
        layers["head"]["parts"]["0"]["out_features"] = 10**9

    path = changed(tmp_path, "encoder_dhn", wide)
    with pytest.raises(LoadError, match=r"tensor 'head\.0\.weight' is"):
        load(path)


def test_no_file_makes_a_compiler_run(tmp_path):
    def compiled(told):
        told["content"]["state"]["net"]["settings"]["compile"] = True

    path = changed(tmp_path, "encoder_dhn", compiled)
    with pytest.raises(LoadError, match="A net has no setting 'compile'"):
        load(path)


def test_readme_tells_how_to_open(tmp_path):
    save(HammingNeighbors().fit(CODES), tmp_path / "a")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "a").read_bytes())) as file:
        text = file.read("README.md").decode()
    assert "skhash.load" in text
