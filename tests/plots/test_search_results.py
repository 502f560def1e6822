"""Scores of parameter searches: which values, which lines, which of several scores."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skhash.plots import SearchResultsDisplay


def results(settings, means, **more):
    settings = list(settings)
    return {
        "params": settings,
        "mean_test_score": np.asarray(means, float),
        "std_test_score": np.arange(len(settings)) / 100,
        **more,
    }


GRID = ParameterGrid({"encode__loss__shape": [1.0, 2.0], "encode__n_bits": [16, 4, 8]})
MEANS = [0.3, 0.1, 0.2, 0.6, 0.4, 0.5]


def test_lines_are_the_other_parameter_and_values_ascend():
    display = SearchResultsDisplay.from_cv_results(results(GRID, MEANS))
    assert display.x == [4, 8, 16]
    assert (display.x_name, display.score_name) == ("n_bits", "score")
    assert list(display.means) == ["shape=1.0", "shape=2.0"]
    np.testing.assert_array_equal(display.means["shape=1.0"], [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(display.stds["shape=2.0"], [0.04, 0.05, 0.03])
    assert display.ax_.get_xlabel() == "length of the codes (bits)"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == list(display.means)
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), [4, 8, 16])
        np.testing.assert_array_equal(line.get_ydata(), display.means[name])
        (segments,) = display.bars_[name].lines[2]
        spans = [np.ptp(ends[:, 1]) for ends in segments.get_segments()]
        np.testing.assert_allclose(spans, 2 * display.stds[name])


def test_other_axis_by_the_last_part_of_its_name():
    display = SearchResultsDisplay.from_cv_results(results(GRID, MEANS), x="shape")
    assert display.x == [1.0, 2.0]
    assert list(display.means) == ["n_bits=16", "n_bits=4", "n_bits=8"]
    np.testing.assert_array_equal(display.means["n_bits=8"], [0.2, 0.5])
    assert display.ax_.get_xlabel() == "shape"


def test_the_best_of_what_has_no_line_is_drawn():
    rng = np.random.default_rng(0)
    grid = ParameterGrid({"n_bits": [8, 16], "lr": [1, 2, 3], "shape": ["a", "b"]})
    means = rng.uniform(size=len(grid))
    means[rng.choice(len(grid), 4, replace=False)] = np.nan
    kept = results(grid, means)
    display = SearchResultsDisplay.from_cv_results(kept, by="shape")
    assert sorted(display.means) == ["shape=a", "shape=b"]
    for shape in "ab":
        for n, n_bits in enumerate([8, 16]):
            rows = [
                i
                for i, params in enumerate(grid)
                if (params["n_bits"], params["shape"]) == (n_bits, shape)
                and not np.isnan(means[i])
            ]
            best = max(rows, key=lambda i: means[i])
            assert display.means[f"shape={shape}"][n] == means[best]
            assert display.stds[f"shape={shape}"][n] == kept["std_test_score"][best]
    assert len(SearchResultsDisplay.from_cv_results(kept).means) == 6
    assert (
        len(SearchResultsDisplay.from_cv_results(kept, by=["lr", "shape"]).means) == 6
    )


def test_failed_fits_are_gaps():
    kept = results([{"n_bits": n} for n in (4, 8, 16)], [0.1, np.nan, 0.3])
    display = SearchResultsDisplay.from_cv_results(kept)
    np.testing.assert_array_equal(display.lines_[""].get_xdata(), [4, 16])
    assert display.ax_.get_legend() is None


def test_lists_of_grids_name_only_what_a_line_has():
    settings = [
        {"loss": loss, **own, "n_bits": n}
        for loss, own in (("dsh", {"loss__margin": 4}), ("dhn", {}))
        for n in (8, 16)
    ]
    display = SearchResultsDisplay.from_cv_results(results(settings, [1, 2, 3, 4]))
    assert list(display.means) == ["loss=dsh, margin=4", "loss=dhn"]


def test_last_round_of_a_halving_search_counts():
    settings = [{"n_bits": 8}, {"n_bits": 16}, {"n_bits": 16}]
    kept = results(settings, [0.9, 0.95, 0.7], iter=[0, 0, 1])
    display = SearchResultsDisplay.from_cv_results(kept)
    np.testing.assert_array_equal(display.means[""], [0.9, 0.7])


def test_names_on_the_axis_stay_in_their_order():
    settings = [{"loss": loss} for loss in ("hashnet", "dcwh", "csq")]
    display = SearchResultsDisplay.from_cv_results(
        results(settings, [1, 2, 3]), x="loss"
    )
    ticks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert ticks == display.x == ["hashnet", "dcwh", "csq"]


def test_from_a_search_of_several_scores():
    X, y = make_classification(60, random_state=0)
    search = GridSearchCV(
        make_pipeline(DecisionTreeClassifier(random_state=0)),
        {"decisiontreeclassifier__max_depth": [1, 2, 3]},
        scoring=["accuracy", "f1"],
        refit=False,
        cv=2,
    ).fit(X, y)
    display = SearchResultsDisplay.from_search(search, x="max_depth", metric="f1")
    expected = search.cv_results_["mean_test_f1"]
    np.testing.assert_array_equal(display.means[""], expected)
    assert display.ax_.get_ylabel() == "f1"
    with pytest.raises(ValueError, match=r"\['accuracy', 'f1'\], got None"):
        SearchResultsDisplay.from_search(search, x="max_depth")
    with pytest.raises(ValueError, match="got 'recall'"):
        SearchResultsDisplay.from_search(search, x="max_depth", metric="recall")


@pytest.mark.parametrize(
    ("kept", "options", "message"),
    [
        (results(GRID, MEANS), {"x": "bits"}, "'bits' fits 0 parameters"),
        (results(GRID, MEANS), {"by": "margin"}, "'margin' fits 0 parameters"),
        (
            results([{"a__k": 1, "b__k": 2}, {"a__k": 2, "b__k": 1}], [1, 2]),
            {"x": "k"},
            "'k' fits 2 parameters",
        ),
        ({"params": []}, {}, r"with 'params' and .* got the keys \['params'\]"),
        (results([], []), {}, "cv_results is empty"),
    ],
)
def test_refuses_what_it_cannot_draw(kept, options, message):
    with pytest.raises(ValueError, match=message):
        SearchResultsDisplay.from_cv_results(kept, **options)
    assert not plt.get_fignums()


def test_refuses_what_is_no_fitted_search():
    tree = DecisionTreeClassifier()
    with pytest.raises(NotFittedError):
        SearchResultsDisplay.from_search(GridSearchCV(tree, {"max_depth": [1]}))
    with pytest.raises(TypeError, match="DecisionTreeClassifier has no cv_results_"):
        SearchResultsDisplay.from_search(tree.fit([[0], [1]], [0, 1]))
