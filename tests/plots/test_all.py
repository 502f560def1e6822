"""What every display keeps to: axes, figures, names, colours that are not alone."""

import inspect
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

import skhash.plots
from skhash.losses import DualHinge
from skhash.plots import (
    BitHealthDisplay,
    CodeMapDisplay,
    DistanceHistogramDisplay,
    LengthCurveDisplay,
    LossShapeDisplay,
    PrecisionAtNDisplay,
    PrecisionRecallDisplay,
    RetrievalGridDisplay,
    SearchResultsDisplay,
    TrainingHistoryDisplay,
)

HISTORY = [
    {"epoch": n, "stage": n // 3, "beta": n // 3, "train_loss": 1 / n}
    | {"train_a": 0.6 / n, "train_b": 0.4 / n, "valid_score": n / 9}
    | {"dead_bits": 0.1, "mean_balance": 0.2}
    for n in range(1, 8)
]

SEARCH = {
    "params": [
        {"n_bits": n_bits, "loss__shape": shape}
        for shape in (0.5, 1.0, 2.0)
        for n_bits in (8, 16, 32)
    ],
    "mean_test_score": np.linspace(0.6, 0.9, 9),
    "std_test_score": np.linspace(0.01, 0.03, 9),
}

# Name of the display: how many panels it has, and how to draw it from a retrieval.
DRAW = {
    "PrecisionRecallDisplay": (
        1,
        lambda r, **kw: PrecisionRecallDisplay.from_codes(*r, **kw),
    ),
    "PrecisionAtNDisplay": (
        1,
        lambda r, **kw: PrecisionAtNDisplay.from_codes(*r, tie_bounds=True, **kw),
    ),
    "DistanceHistogramDisplay": (
        1,
        lambda r, **kw: DistanceHistogramDisplay.from_codes(*r, **kw),
    ),
    "BitHealthDisplay": (2, lambda r, **kw: BitHealthDisplay.from_codes(r[1], **kw)),
    "TrainingHistoryDisplay": (
        3,
        lambda r, **kw: TrainingHistoryDisplay.from_history(HISTORY, **kw),
    ),
    "RetrievalGridDisplay": (
        1,
        lambda r, **kw: RetrievalGridDisplay.from_codes(
            *r, query_images=r[0], database_images=r[1], image_shape=(3, 4), **kw
        ),
    ),
    "LengthCurveDisplay": (1, lambda r, **kw: LengthCurveDisplay.from_codes(*r, **kw)),
    "LossShapeDisplay": (
        2,
        lambda r, **kw: LossShapeDisplay.from_loss(DualHinge(), 8, **kw),
    ),
    "SearchResultsDisplay": (
        1,
        lambda r, **kw: SearchResultsDisplay.from_cv_results(SEARCH, **kw),
    ),
    "CodeMapDisplay": (
        1,
        lambda r, **kw: CodeMapDisplay.from_codes(r[1], r[3], method="pca", **kw),
    ),
}
# Several of these can be drawn in one panel.
CURVES = ["PrecisionRecallDisplay", "PrecisionAtNDisplay", "LengthCurveDisplay"]
COMPARABLE = [*CURVES, "DistanceHistogramDisplay", "LossShapeDisplay"]
EVERY = pytest.mark.parametrize("name", sorted(DRAW))


def drawn_axes(display):
    return list(np.ravel(display.ax_))


def test_every_display_is_tested():
    assert sorted(DRAW) == sorted(skhash.plots.__all__)


@EVERY
def test_draws_in_a_new_figure(name, retrieval):
    n_panels, draw = DRAW[name]
    display = draw(retrieval)
    assert isinstance(display, getattr(skhash.plots, name))
    assert plt.get_fignums() == [display.figure_.number]
    assert len(drawn_axes(display)) == n_panels
    assert all(ax.figure is display.figure_ for ax in drawn_axes(display))
    display.figure_.canvas.draw()


@EVERY
def test_draws_in_given_axes(name, retrieval):
    figure, (other, ax) = plt.subplots(1, 2)
    n_panels, draw = DRAW[name]
    display = draw(retrieval, ax=ax)
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert not other.has_data()
    if n_panels == 1:
        assert display.ax_ is ax
    else:
        assert len(display.ax_) == n_panels
        assert not ax.axison  # split up: the panels stand in its place
    figure.canvas.draw()


@EVERY
def test_draws_in_a_list_of_axes(name, retrieval):
    n_panels, draw = DRAW[name]
    _, axes = plt.subplots(1, n_panels, squeeze=False)
    display = draw(retrieval, ax=axes[0])
    assert drawn_axes(display) == list(axes[0])


@EVERY
def test_plot_draws_again_elsewhere(name, retrieval):
    display = DRAW[name][1](retrieval)
    first, n_artists = display.figure_, len(drawn_axes(display)[0].get_children())
    ax = drawn_axes(display)[0]
    assert display.plot() is display
    assert display.figure_ is not first
    assert len(ax.get_children()) == n_artists
    assert len(drawn_axes(display)[0].get_children()) == n_artists


@EVERY
def test_axes_are_named(name, retrieval):
    for ax in drawn_axes(DRAW[name][1](retrieval)):
        assert ax.get_ylabel()
        assert ax.get_xlabel() or name == "TrainingHistoryDisplay"


@EVERY
@pytest.mark.parametrize("ax", ["axes", 3, [1], plt])
def test_refuses_what_is_no_axes(name, ax, retrieval):
    with pytest.raises(TypeError, match=r"ax must be matplotlib Axes.* got \w+"):
        DRAW[name][1](retrieval, ax=ax)
    assert not plt.get_fignums()


def anything_for(function):
    """Arguments that stand for everything a call must be given."""
    wanted = inspect.signature(function).parameters.values()
    needed = [p for p in wanted if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return {p.name: object() for p in needed}


@pytest.mark.parametrize(
    ("name", "door"),
    [
        (name, door)
        for name in sorted(DRAW)
        for door in dir(getattr(skhash.plots, name))
        if door.startswith("from_") or door == "plot"
    ],
)
def test_every_door_checks_the_axes_before_anything_else(name, door):
    cls = getattr(skhash.plots, name)
    home = cls(**anything_for(cls)) if door == "plot" else cls
    call = getattr(home, door)
    with pytest.raises(TypeError, match="ax must be matplotlib Axes"):
        call(**anything_for(call), ax="axes")


@EVERY
def test_refuses_a_wrong_number_of_axes(name, retrieval):
    n_panels, draw = DRAW[name]
    _, axes = plt.subplots(1, n_panels + 1)
    with pytest.raises(ValueError, match=f"{n_panels} matplotlib Axes .* got"):
        draw(retrieval, ax=axes)


@pytest.mark.parametrize("name", [n for n, (k, _) in DRAW.items() if k > 1])
def test_refuses_axes_that_cannot_be_split(name, retrieval):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"give a list of \d matplotlib Axes"):
        DRAW[name][1](retrieval, ax=ax)


@EVERY
def test_says_how_to_install_matplotlib(name, retrieval, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        DRAW[name][1](retrieval)


@EVERY
def test_constructor_only_stores(name):
    cls = getattr(skhash.plots, name)
    given = {key: object() for key in inspect.signature(cls).parameters}
    assert vars(cls(**given)) == given


def looks(artist):
    if isinstance(artist, Line2D):
        return (
            artist.get_linestyle(),
            artist.get_marker(),
            str(artist._unscaled_dash_pattern),
        )
    return artist.get_linestyle(), artist.get_hatch()


def named(artists):
    return [one for one in artists if not str(one.get_label()).startswith("_")]


@EVERY
def test_can_be_told_apart_without_colour(name, retrieval):
    display = DRAW[name][1](retrieval)
    if name in COMPARABLE:
        DRAW[name][1](retrieval, ax=drawn_axes(display))
    for ax in drawn_axes(display):
        curves = named(ax.get_lines())
        bars = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
        for artists in (curves, bars):
            assert len({looks(one) for one in artists}) == len(artists)


@pytest.mark.parametrize("name", CURVES)
def test_many_curves_in_one_panel_all_differ(name, retrieval):
    ax = plt.subplots()[1]
    for n in range(12):
        DRAW[name][1](retrieval, ax=ax, name=f"curve {n}")
    assert len({looks(line) for line in ax.get_lines()}) == 12
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [f"curve {n}" for n in range(12)]


@pytest.mark.parametrize("name", CURVES)
def test_keywords_reach_the_line(name, retrieval):
    display = DRAW[name][1](retrieval, name="here", c="k", lw=5, ls=":")
    assert display.line_.get_color() == "k"
    assert display.line_.get_linewidth() == 5
    assert display.line_.get_linestyle() == ":"
    assert display.line_.get_label() == "here"


@pytest.mark.slow
@EVERY
def test_legend_covers_no_data(name, retrieval):
    display = DRAW[name][1](retrieval)
    display.figure_.canvas.draw()
    for ax in drawn_axes(display):
        if (legend := ax.get_legend()) is None:
            continue
        box = legend.get_window_extent()
        for line in ax.get_lines():
            points = line.get_transform().transform(line.get_xydata())
            # Between the points, too.
            way = np.linspace(points[:-1], points[1:], 20).reshape(-1, 2)
            for x, y in way if line.get_linestyle() != "None" else points:
                assert not box.contains(x, y)


@pytest.mark.slow
@EVERY
def test_can_be_saved_as_vectors(name, retrieval, tmp_path):
    figure = DRAW[name][1](retrieval).figure_
    figure.savefig(tmp_path / "a.svg")
    n_images = (tmp_path / "a.svg").read_text().count("<image")
    # All images of the grid become one; so does the scale of colours of a matrix.
    assert n_images == (name in ("RetrievalGridDisplay", "BitHealthDisplay"))
