"""Precision of the first n items."""

import numpy as np

from skhash.metrics import precision_recall_by_rank
from skhash.metrics.options import check_ranks
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._display import RetrievalDisplay
from skhash.plots._style import draw_band, draw_line, legend, next_style, style_panel
from skhash.plots._task import check_database

# Ranks to draw by default, at most: few people look further down a list of results.
_DEEPEST = 1000


class PrecisionAtNDisplay(RetrievalDisplay):
    """Precision of the first n items of a ranking by Hamming distance, over n.

    Equally distant items are averaged over all their orders. A band can show how far
    their order alone may move the curve. Use :meth:`from_estimator` or
    :meth:`from_codes` to make a display; several can be drawn in one `ax`.

    Parameters
    ----------
    precision : array-like of shape (n_ranks,)
        Means over queries.
    ranks : array-like of shape (n_ranks,)
        Numbers n of first items.
    low, high : array-like of shape (n_ranks,), default=None
        Precision with the worst and with the best order of equally distant items.
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
    skhash.metrics.precision_at_k : The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import PrecisionAtNDisplay
    >>> database = np.array([[0b000], [0b001], [0b111]], dtype=np.uint8)
    >>> display = PrecisionAtNDisplay.from_codes(
    ...     [[0]], database, ["cat"], ["cat", "cat", "dog"], name="toy codes"
    ... )
    >>> display.ranks, display.precision.round(2)
    (array([1, 2, 3]), array([1.  , 1.  , 0.67]))
    """

    def __init__(self, precision, ranks, *, low=None, high=None, name=None):
        self.precision = precision
        self.ranks = ranks
        self.low = low
        self.high = high
        self.name = name

    @classmethod
    def from_codes(
        cls,
        queries,
        database,
        query_labels=None,
        database_labels=None,
        *,
        ranks=None,
        tie_bounds=False,
        relevance=None,
        exclude_self=False,
        n_jobs=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the curve of codes.

        Parameters
        ----------
        queries, database, query_labels, database_labels
            As in :meth:`PrecisionRecallDisplay.from_codes`.
        ranks : array-like of shape (n_ranks,), default=None
            Numbers n of first items. None means about fifty, from 1 to 1000 or all
            items, evenly spaced on a logarithmic axis.
        tie_bounds : bool, default=False
            Also compute the worst and the best order of equally distant items.
        relevance, exclude_self, n_jobs
            As in :func:`skhash.metrics.average_precision`.
        name, ax, **kwargs
            As in :meth:`PrecisionRecallDisplay.from_codes`.

        Returns
        -------
        display : PrecisionAtNDisplay

        Raises
        ------
        ValueError
            If codes or labels do not fit together.
        """
        check_axes(ax)
        check_database(database)
        if ranks is None:
            n_items = len(database) - bool(exclude_self)
            ranks = check_ranks(None, min(n_items, _DEEPEST))
        curves = [
            precision_recall_by_rank(
                queries,
                database,
                query_labels,
                database_labels,
                ranks=ranks,
                ties=ties,
                relevance=relevance,
                exclude_self=exclude_self,
                n_jobs=n_jobs,
            )
            for ties in ("expected", "pessimistic", "optimistic")[: 3 * tie_bounds or 1]
        ]
        bounds = [curve.precision for curve in curves[1:]] or [None, None]
        display = cls(
            curves[0].precision,
            curves[0].cutoffs,
            low=bounds[0],
            high=bounds[1],
            name=name,
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
        self : PrecisionAtNDisplay

        Raises
        ------
        ImportError, TypeError
            As in :meth:`PrecisionRecallDisplay.plot`.
        """
        check_axes(ax)
        self.ax_ = one_panel(ax, (5.6, 4.0))
        self.figure_ = self.ax_.figure
        ranks = np.asarray(self.ranks)
        label = self.name if name is None else name
        style = {**next_style(self.ax_), "label": label}
        self.line_ = draw_line(self.ax_, ranks, self.precision, style, **kwargs)
        self.band_ = draw_band(self.line_, ranks, self.low, self.high)
        self.ax_.set(xlabel="number of retrieved items n", ylabel="precision at n")
        if len(ranks) > 1 and ranks.max() >= 20 * ranks.min():
            self.ax_.set_xscale("log")
            self.ax_.xaxis.set_major_formatter("{x:.0f}")
        style_panel(self.ax_)
        legend(self.ax_)
        return self
