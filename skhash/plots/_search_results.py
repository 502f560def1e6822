"""Scores of a search over parameters."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skhash.plots._axes import check_axes, one_panel
from skhash.plots._style import draw_line, legend_beside, nth_style, style_panel

_ABSENT = object()


class SearchResultsDisplay:
    """Scores of a parameter search, over one parameter, with a line for each setting.

    Means over the folds, with bars of one standard deviation to both sides. Use
    :meth:`from_search` or :meth:`from_cv_results` to make a display.

    Parameters
    ----------
    x : list
        Values of the parameter on the axis: ascending if they are numbers.
    means : dict of str to array-like of shape (n_values,)
        Mean score of each value, by the name of the line; NaN where there is none.
    stds : dict of str to array-like of shape (n_values,)
        Their standard deviations over the folds, likewise.
    x_name : str, default="n_bits"
        Name of the parameter on the axis.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        The lines by their names.
    bars_ : dict of str to matplotlib ErrorbarContainer
        The bars likewise.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    LengthCurveDisplay : Known scores over the number of bits.

    Examples
    --------
    >>> from skhash.plots import SearchResultsDisplay
    >>> results = {
    ...     "params": [
    ...         {"n_bits": n_bits, "loss__shape": shape}
    ...         for n_bits in (8, 16)
    ...         for shape in (1.0, 2.0)
    ...     ],
    ...     "mean_test_score": [0.6, 0.7, 0.8, 0.75],
    ...     "std_test_score": [0.02, 0.01, 0.01, 0.02],
    ... }
    >>> display = SearchResultsDisplay.from_cv_results(results)
    >>> display.x, list(display.means)
    ([8, 16], ['shape=1.0', 'shape=2.0'])
    >>> display.means["shape=2.0"]
    array([0.7 , 0.75])
    """

    def __init__(self, x, means, stds, *, x_name="n_bits", score_name="score"):
        self.x = x
        self.means = means
        self.stds = stds
        self.x_name = x_name
        self.score_name = score_name

    @classmethod
    def from_search(cls, search, *, ax=None, **options):
        """Draw the results of a fitted search.

        Parameters
        ----------
        search : estimator
            A fitted ``GridSearchCV``, ``RandomizedSearchCV``, halving search, or any
            other that has `cv_results_`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **options
            Passed on to :meth:`from_cv_results`.

        Returns
        -------
        display : SearchResultsDisplay

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        TypeError
            If the estimator is no search.
        """
        check_axes(ax)
        if not hasattr(search, "cv_results_"):
            check_is_fitted(search)
            raise TypeError(
                f"{type(search).__name__} has no cv_results_, as a fitted GridSearchCV "
                "has. Use from_cv_results for results of another kind."
            )
        return cls.from_cv_results(search.cv_results_, ax=ax, **options)

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        x="n_bits",
        by=None,
        metric=None,
        score_name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the results of a search that were kept.

        Parameters
        ----------
        cv_results : dict
            `cv_results_` of a search, or the same with lists: "params", and
            "mean_test_score" and "std_test_score" or those of another metric. Of a
            halving search, the last round of each setting counts.
        x : str, default="n_bits"
            Parameter on the axis. Its last part is enough: "shape" is
            "encode__loss__shape".
        by : str or list of str, default=None
            Parameters that have a line for each setting, likewise; where others were
            searched, too, the best score is drawn. None means all others.
        metric : str, default=None
            Which score, where the search had several, such as "accuracy".
        score_name : str, default=None
            What to call it; None means `metric`, or "score".
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : SearchResultsDisplay

        Raises
        ------
        ValueError
            If there are no results, or no such parameter or metric among them.
        """
        check_axes(ax)
        rows, metric = _rows(cv_results, metric)
        varied = _varied([params for params, _, _ in rows])
        x = _full_name(x, varied)
        if by is None:
            by = [name for name in varied if name != x]
        else:
            names = [by] if isinstance(by, str) else by
            by = [_full_name(name, varied) for name in names]
        values = _in_order([params[x] for params, _, _ in rows if x in params])
        place = {repr(value): n for n, value in enumerate(values)}
        means, stds = {}, {}
        for params, mean, std in rows:
            if x not in params:
                continue
            line = _line_name(params, by)
            for table in (means, stds):
                table.setdefault(line, np.full(len(values), np.nan))
            n = place[repr(params[x])]
            if not (np.isnan(mean) or mean <= means[line][n]):  # of none, NaN
                means[line][n], stds[line][n] = mean, std
        score_name = score_name or metric
        display = cls(
            values, means, stds, x_name=x.split("__")[-1], score_name=score_name
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the lines and their bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to matplotlib's ``plot``, for all lines.

        Returns
        -------
        self : SearchResultsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is not a matplotlib Axes.
        """
        check_axes(ax)
        self.ax_ = one_panel(ax, (6.4, 4.0))
        self.figure_ = self.ax_.figure
        are_numbers = all(_is_number(value) for value in self.x)
        x = np.array(self.x, float) if are_numbers else np.arange(len(self.x))
        self.lines_, self.bars_ = {}, {}
        for n, (name, means) in enumerate(self.means.items()):
            there = np.isfinite(means)
            style = {**nth_style(n), "label": name or None, "markevery": 1}
            line = draw_line(self.ax_, x[there], means[there], style, **kwargs)
            self.lines_[name] = line
            self.bars_[name] = self.ax_.errorbar(
                x[there],
                means[there],
                np.asarray(self.stds[name])[there],
                fmt="none",
                ecolor=line.get_color(),
                elinewidth=1,
                capsize=3,
                alpha=0.6,
            )
        self._label_axes(x, are_numbers)
        return self

    def _label_axes(self, x, are_numbers):
        # Lengths double from one to the next, as most grids of positive numbers do.
        if are_numbers and len(x) > 2 and x.min() > 0 and x.max() >= 4 * x.min():
            self.ax_.set_xscale("log", base=2)
        if len(x) <= 12:
            self.ax_.set_xticks(x, [_word(value) for value in self.x])
            self.ax_.minorticks_off()
        name = "length of the codes (bits)" if self.x_name == "n_bits" else self.x_name
        self.ax_.set(xlabel=name, ylabel=self.score_name)
        style_panel(self.ax_)
        legend_beside(self.ax_)


def _rows(cv_results, metric):
    """Parameters, mean and deviation of each setting, and the name of the score."""
    prefix = "mean_test_"
    known = [key[len(prefix) :] for key in cv_results if key.startswith(prefix)]
    if metric is None and len(known) == 1:
        metric = known[0]
    if metric not in known or "params" not in cv_results:
        raise ValueError(
            f"metric must be one of the scores of this search, {known}, got {metric!r}."
            if known
            else "cv_results must be the cv_results_ of a fitted search, with 'params' "
            f"and 'mean_test_score', got the keys {sorted(cv_results)}."
        )
    means, stds = cv_results[prefix + metric], cv_results[f"std_test_{metric}"]
    # The same setting comes again in the rounds of a halving search.
    rows = zip(cv_results["params"], means, stds, strict=True)
    last = {repr(row[0]): row for row in rows}
    if not last:
        raise ValueError("cv_results is empty: there is no setting to draw.")
    return list(last.values()), metric


def _varied(settings):
    """Names of the parameters that have more than one value, or the only one."""
    names = list(dict.fromkeys(name for params in settings for name in params))
    varied = [
        name
        for name in names
        if len({repr(params.get(name, _ABSENT)) for params in settings}) > 1
    ]
    return varied or names


def _full_name(name, known):
    """The parameter of that name, or the only one whose last parts it gives."""
    if name in known:
        return name
    found = [each for each in known if each.endswith(f"__{name}")]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        f"{name!r} fits {len(found)} parameters of this search, but must fit one of "
        f"those with several values: {known}."
    )


def _in_order(values):
    """Different values: numbers ascending, others as they came."""
    different = list({repr(value): value for value in values}.values())
    if all(_is_number(value) for value in different):
        return sorted(different)
    return different


def _line_name(params, by):
    """The settings of a line, by the last part of each name."""
    return ", ".join(
        f"{name.split('__')[-1]}={_word(params[name])}" for name in by if name in params
    )


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _word(value):
    return value if isinstance(value, str) else str(value)
