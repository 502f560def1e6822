"""A score over the length of the codes."""

from numbers import Real

import numpy as np

from skhash.metrics import mean_average_precision, score_by_length
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._display import RetrievalDisplay
from skhash.plots._style import draw_band, draw_line, legend, next_style, style_panel
from skhash.plots._task import check_database


class LengthCurveDisplay(RetrievalDisplay):
    """A retrieval score, by default mAP, over the number of bits.

    Use :meth:`from_scores` for encoders of several lengths, :meth:`from_codes` or
    :meth:`from_estimator` for the first bits of one encoder. Several can be drawn in
    one `ax`, each with its `name`.

    Parameters
    ----------
    n_bits : array-like of shape (n_lengths,)
        Lengths of the codes.
    scores : array-like of shape (n_lengths,)
        Their scores.
    low, high : array-like of shape (n_lengths,), default=None
        Ends of the scores' confidence intervals.
    score_name : str, default="mAP"
        What the scores are.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    band_ : matplotlib PolyCollection or None
        The band from `low` to `high`.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.metrics.score_by_length : The numbers.
    skhash.metrics.order_bits : Bring the most useful bits to the front.

    Examples
    --------
    >>> from skhash.plots import LengthCurveDisplay
    >>> display = LengthCurveDisplay.from_scores({16: 0.81, 8: 0.7, 32: 0.85})
    >>> display.n_bits, display.scores
    (array([ 8, 16, 32]), array([0.7 , 0.81, 0.85]))
    >>> display.ax_.get_ylabel()
    'mAP'
    """

    def __init__(
        self, n_bits, scores, *, low=None, high=None, score_name="mAP", name=None
    ):
        self.n_bits = n_bits
        self.scores = scores
        self.low = low
        self.high = high
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_codes(
        cls,
        queries,
        database,
        query_labels=None,
        database_labels=None,
        *,
        n_bits=None,
        lengths=None,
        metric=mean_average_precision,
        exclude_self=False,
        metric_params=None,
        score_name=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the scores of codes cut to their first bits.

        Parameters
        ----------
        queries, database, query_labels, database_labels
            As in :meth:`PrecisionRecallDisplay.from_codes`.
        n_bits : int, default=None
            Number of bits of packed codes, as in :func:`skhash.metrics.code_health`.
        lengths : array-like of shape (n_lengths,), default=None
            Numbers of bits to keep. None means powers of two and the full length.
        metric : callable, default=mean_average_precision
            Any metric of codes in :mod:`skhash.metrics` that returns a number.
        exclude_self : bool, default=False
            As in :func:`skhash.metrics.average_precision`.
        metric_params : dict, default=None
            Further options of the metric, e.g. ``{"ties": "pessimistic"}``.
        score_name : str, default=None
            What the scores are; None means the metric's name.
        name, ax, **kwargs
            As in :meth:`PrecisionRecallDisplay.from_codes`.

        Returns
        -------
        display : LengthCurveDisplay

        Raises
        ------
        ValueError
            If codes, labels or lengths do not fit together.
        """
        check_axes(ax)
        check_database(database)
        scored = score_by_length(
            queries,
            database,
            query_labels,
            database_labels,
            n_bits=n_bits,
            lengths=lengths,
            metric=metric,
            **({"exclude_self": True} if exclude_self else {}),
            **(metric_params or {}),
        )
        if score_name is None:
            score_name = getattr(metric, "__name__", "score").replace("_", " ")
            score_name = score_name.replace("mean average precision", "mAP")
        return cls(*scored, score_name=score_name, name=name).plot(ax, **kwargs)

    @classmethod
    def from_scores(
        cls,
        n_bits,
        scores=None,
        *,
        low=None,
        high=None,
        score_name="mAP",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw known scores, e.g. of encoders of several lengths.

        Parameters
        ----------
        n_bits : dict of int to float, or array-like of shape (n_lengths,)
            Score of each length; or the lengths. The score may be a triple (mean,
            low, high), such as a `Score` of :func:`skhash.metrics.evaluate`.
        scores : array-like of shape (n_lengths,), default=None
            The scores, if `n_bits` are lengths.
        low, high : array-like of shape (n_lengths,), default=None
            Ends of the scores' confidence intervals.
        score_name : str, default="mAP"
            What the scores are.
        name, ax, **kwargs
            As in :meth:`PrecisionRecallDisplay.from_codes`.

        Returns
        -------
        display : LengthCurveDisplay

        Raises
        ------
        ValueError
            If lengths and scores do not fit together.
        """
        check_axes(ax)
        if isinstance(n_bits, dict):
            if not (scores is None and low is None and high is None):
                raise ValueError(
                    "Give a dict {n_bits: score} alone, or lists of n_bits and scores."
                )
            n_bits, scores, low, high = _from_dict(n_bits)
        elif scores is None:
            raise ValueError(
                "scores are missing. Give a dict {n_bits: score}, or lists of n_bits "
                "and scores."
            )
        columns = [n_bits, scores, low, high]
        if (low is None) != (high is None):
            raise ValueError("A confidence band needs both low and high.")
        columns = [None if c is None else np.asarray(c) for c in columns]
        shapes = {c.shape for c in columns if c is not None}
        if len(shapes) > 1 or columns[0].ndim != 1 or not columns[0].size:
            raise ValueError(
                "n_bits, scores, low and high must be vectors of one length, got "
                f"shapes {sorted(shapes)}."
            )
        order = np.argsort(columns[0], kind="stable")
        n_bits, scores, low, high = [c if c is None else c[order] for c in columns]
        display = cls(
            n_bits, scores, low=low, high=high, score_name=score_name, name=name
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curve, and the band where there is one.

        Parameters
        ----------
        ax, name
            As in :meth:`PrecisionRecallDisplay.plot`.
        **kwargs
            Passed on to matplotlib's ``plot``.

        Returns
        -------
        self : LengthCurveDisplay

        Raises
        ------
        ImportError, TypeError
            As in :meth:`PrecisionRecallDisplay.plot`.
        """
        check_axes(ax)
        self.ax_ = one_panel(ax, (5.6, 4.0))
        self.figure_ = self.ax_.figure
        lengths = np.asarray(self.n_bits)
        # Lengths that earlier displays have put on the axis keep their ticks.
        drawn = [line.get_xdata() for line in self.ax_.get_lines()]
        label = self.name if name is None else name
        style = {**next_style(self.ax_), "label": label, "markevery": 1}
        self.line_ = draw_line(self.ax_, lengths, self.scores, style, **kwargs)
        self.band_ = draw_band(self.line_, lengths, self.low, self.high)
        ticks = np.unique(np.concatenate([lengths, *drawn]))
        if len(ticks) > 1:
            self.ax_.set_xscale("log", base=2)
        if len(ticks) <= 10:
            self.ax_.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        else:
            self.ax_.xaxis.set_major_formatter("{x:.0f}")
        self.ax_.minorticks_off()
        self.ax_.set(xlabel="length of the codes (bits)", ylabel=self.score_name)
        style_panel(self.ax_)
        legend(self.ax_)
        return self


def _from_dict(scores):
    rows = [
        (value, None, None) if isinstance(value, Real) else tuple(value)
        for value in scores.values()
    ]
    if any(len(row) != 3 for row in rows):
        raise ValueError(
            "Each score must be a number or a triple (mean, low, high), got "
            f"{list(scores.values())}."
        )
    if len({row[1] is None for row in rows}) > 1:
        raise ValueError("Give a confidence interval for every length, or for none.")
    mean, low, high = zip(*rows, strict=True) if rows else ((), (), ())
    if not rows or low[0] is None:
        low = high = None
    return list(scores), mean, low, high
