"""The course of a training, with its stages."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skhash import DeepHashEncoder
from skhash.plots import TrainingHistoryDisplay
from tests.plots.estimators import Packs

ROWS = [
    {"epoch": 1, "stage": 0, "beta": 1.0, "scale": 5, "train_loss": 3.0, "lr": 0.1},
    {"epoch": 2, "stage": 0, "beta": 1.0, "scale": 5, "train_loss": 2.0, "lr": 0.2},
    {"epoch": 3, "stage": 1, "beta": 1.414, "scale": 5, "train_loss": 1.0, "lr": 0.1},
]


def with_settings(*settings):
    return [
        {"epoch": n, "stage": stage, **own, "train_loss": 1.0}
        for n, (stage, own) in enumerate(settings, start=1)
    ]


def test_values_are_those_of_the_records():
    rows = [
        {**row, "train_a": n, "valid_score": n / 4, "dead_bits": n / 8}
        for n, row in enumerate(ROWS)
    ]
    display = TrainingHistoryDisplay.from_history(rows)
    np.testing.assert_array_equal(display.epochs, [1, 2, 3])
    np.testing.assert_array_equal(display.loss, [3, 2, 1])
    np.testing.assert_array_equal(display.terms["a"], [0, 1, 2])
    np.testing.assert_array_equal(display.score, [0, 0.25, 0.5])
    np.testing.assert_array_equal(display.health["dead_bits"], [0, 0.125, 0.25])
    assert display.panels_ == ("loss", "score", "health")
    assert display.lines_.keys() == {"loss", "a", "score", "dead_bits"}
    for key, panel in [("loss", 0), ("a", 0), ("score", 1), ("dead_bits", 2)]:
        assert display.lines_[key] in display.ax_[panel].get_lines()
    np.testing.assert_array_equal(display.lines_["score"].get_ydata(), display.score)
    assert [bool(ax.get_xlabel()) for ax in display.ax_] == [False, False, True]


def test_validation_loss_is_drawn_beside_the_loss():
    history = [{"train_loss": 2.0, "valid_loss": 3.0}, {"train_loss": 1.0}]
    display = TrainingHistoryDisplay.from_history(history)
    assert list(display.lines_) == ["loss", "valid_loss"]
    np.testing.assert_array_equal(
        display.lines_["valid_loss"].get_ydata(), [3.0, np.nan]
    )
    assert display.lines_["valid_loss"].axes is display.lines_["loss"].axes


def test_missing_numbers_are_gaps():
    rows = [ROWS[0], {**ROWS[1], "valid_score": 0.5}]
    score = TrainingHistoryDisplay.from_history(rows).score
    np.testing.assert_array_equal(score, [np.nan, 0.5])


@pytest.mark.parametrize(
    ("rows", "stages"),
    [
        (ROWS, [(1, 2, "beta = 1"), (3, 3, "beta = 1.41")]),
        (ROWS[:2], [(1, 2, "stage 1")]),
        (
            with_settings((0, {"pretraining": True}), (1, {"pretraining": False})),
            [(1, 1, "pretraining"), (2, 2, "stage 2")],
        ),
        (
            # partial_fit after fit: the count of stages starts anew
            with_settings((0, {"a": 1}), (1, {"a": 2}), (0, {"a": 2})),
            [(1, 1, "a = 1"), (2, 2, "a = 2"), (3, 3, "a = 2")],
        ),
        (
            with_settings((0, {"a_b": "x", "c": 1}), (1, {"a_b": "y", "c": 2})),
            [(1, 1, "a b = x, c = 1"), (2, 2, "a b = y, c = 2")],
        ),
        ([{"train_loss": 1.0}, {"train_loss": 2.0}], [(1, 2, "stage 1")]),
    ],
)
def test_stages_are_named_after_what_changes(rows, stages):
    assert TrainingHistoryDisplay.from_history(rows).stages == stages


def test_stages_are_shaded_and_named():
    display = TrainingHistoryDisplay.from_history(ROWS)
    texts = [text.get_text() for text in display.ax_[0].texts]
    assert texts == ["beta = 1", "beta = 1.41"]
    first, second = (band.get_extents() for band in display.bands_)
    left, right = display.ax_[0].transData.transform([(0.5, 0), (2.5, 0)])[:, 0]
    assert first.x0 == pytest.approx(left)
    assert first.x1 == second.x0 == pytest.approx(right)
    shades = [band.get_facecolor()[3] for band in display.bands_]
    assert shades[0] != shades[1]
    assert TrainingHistoryDisplay.from_history(ROWS[:2]).bands_ == []


def test_chosen_panels_need_as_many_axes():
    rows = [{**row, "valid_score": 0.5} for row in ROWS]
    ax = plt.subplots()[1]
    display = TrainingHistoryDisplay.from_history(rows, ax=ax, panels="score")
    assert display.panels_ == ("score",)
    assert list(display.ax_) == [ax]
    assert ax.axison
    with pytest.raises(
        ValueError, match=r"no 'health' to draw: .* \['loss', 'score'\]"
    ):
        display.plot(panels=["loss", "health"])


def test_fitted_encoder_draws_its_history(blobs):
    X, y = blobs
    encoder = DeepHashEncoder(
        8, loss="hashnet", network="linear", max_epochs=4, random_state=0
    ).fit(X, y)
    display = TrainingHistoryDisplay.from_estimator(encoder)
    losses = [row["train_loss"] for row in encoder.history_]
    np.testing.assert_array_equal(display.loss, losses)
    assert display.stages[0][2] == "beta = 1"
    assert len(display.stages) == 4
    pipeline = make_pipeline(encoder)
    np.testing.assert_array_equal(
        TrainingHistoryDisplay.from_estimator(pipeline).loss, losses
    )


def test_refuses_what_has_no_history():
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(DeepHashEncoder())
    with pytest.raises(TypeError, match="Packs keeps no history_ of its training"):
        TrainingHistoryDisplay.from_estimator(Packs().fit([[0]]))
    with pytest.raises(ValueError, match="history is empty"):
        TrainingHistoryDisplay.from_history([])
    with pytest.raises(ValueError, match='Row 1 of history has no "train_loss"'):
        TrainingHistoryDisplay.from_history([*ROWS[:1], {"epoch": 2}])
    assert not plt.get_fignums()
