"""The gallery: every example is a story, runs, and ends in a picture.

The documentation is built from full runs. Here trainings are cut to a few epochs, which
is enough to see that an example still fits the library.
"""

import ast
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

import skhash.plots
from skhash.encoder import _fit

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))
# Its picture is of these epochs.
EPOCHS = {"plot_two_steps": 16}
NEEDS = {"plot_optuna_pruning": "optuna"}

every_example = pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda file: file.stem.removeprefix("plot_")
)


def cells(source):
    """Texts of the cells after the first: the comment lines below ``# %%``."""
    for cell in source.split("\n# %%\n")[1:]:
        comment = re.match(r"(#.*\n)+", cell)
        yield "" if comment is None else re.sub(r"^# ?", "", comment[0], flags=re.M)


@every_example
def test_example_tells_a_story(example):
    source = example.read_text("utf-8")
    title, underline, empty, *story = ast.get_docstring(ast.parse(source)).split("\n")
    assert underline == "=" * len(title)
    assert empty == ""
    assert len(" ".join(story).split()) >= 20
    texts = list(cells(source))
    assert len(texts) >= 3
    assert all(texts)
    for text in texts:
        heading = re.match(r"(.+)\n(-{3,})\n", text)
        assert heading is None or len(heading[1]) == len(heading[2])
    assert "\nplt.show()\n" in source


@every_example
def test_example_brings_its_data_along(example):
    names = {
        getattr(node, "id", getattr(node, "attr", getattr(node, "name", "")))
        for node in ast.walk(ast.parse(example.read_text("utf-8")))
    }
    assert not [name for name in names if str(name).startswith("fetch_")]


def test_gallery_shows_every_display():
    assert len(EXAMPLES) >= 14
    displays = [name for name in skhash.plots.__all__ if name.endswith("Display")]
    shown = " ".join(file.read_text("utf-8") for file in EXAMPLES)
    assert displays
    assert [name for name in displays if name not in shown] == []


@pytest.mark.slow
@every_example
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_example_runs_and_ends_in_a_picture(example, monkeypatch, capsys):
    if example.stem in NEEDS:
        pytest.importorskip(NEEDS[example.stem])
    longest = EPOCHS.get(example.stem, 2)
    choose = _fit.choose_epochs
    monkeypatch.setattr(
        _fit, "choose_epochs", lambda *given: min(longest, choose(*given))
    )
    monkeypatch.setattr(sys, "argv", [str(example)])
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.extend(drawn_figures()))
    try:
        source = example.read_text("utf-8")
        exec(compile(source, str(example), "exec"), {"__name__": "__main__"})
    finally:
        plt.close("all")
        matplotlib.use(backend)
    assert capsys.readouterr().out
    assert shown
    assert all(n_colours > 2 for n_colours in shown)


def drawn_figures():
    """Number of different colours of each open figure, drawn."""
    for number in plt.get_fignums():
        canvas = plt.figure(number).canvas
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba()).reshape(-1, 4)
        yield len(np.unique(pixels.view(np.uint32)))
