"""Precision against recall."""

import numpy as np

from skhash.metrics import precision_recall_by_radius, precision_recall_by_rank
from skhash.metrics.options import check_option
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._display import RetrievalDisplay
from skhash.plots._style import draw_line, legend, next_style, style_panel
from skhash.plots._task import check_database

_CURVES = {"rank": precision_recall_by_rank, "radius": precision_recall_by_radius}


class PrecisionRecallDisplay(RetrievalDisplay):
    """Precision-recall curve of a retrieval by Hamming distance.

    Equally distant items are averaged over all their orders. Use
    :meth:`from_estimator` or :meth:`from_codes` to make a display; several can be
    drawn in one `ax`, each with its `name`.

    Parameters
    ----------
    precision, recall : array-like of shape (n_cutoffs,)
        Means over queries.
    cutoffs : array-like of shape (n_cutoffs,)
        Numbers of first ranks, or radii in bits.
    by : {"rank", "radius"}, default="rank"
        What the cut-offs are.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.metrics.precision_recall_by_rank, \
            skhash.metrics.precision_recall_by_radius : The numbers.
    PrecisionAtNDisplay : Precision of the first ranks only.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import PrecisionRecallDisplay
    >>> codes = np.array([[0b000], [0b001], [0b110], [0b111]], dtype=np.uint8)
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> display = PrecisionRecallDisplay.from_codes(
    ...     codes, codes, labels, labels, by="radius", exclude_self=True
    ... )
    >>> display.cutoffs[:2], display.recall[:2]
    (array([0, 1]), array([0., 1.]))
    >>> display.ax_.get_xlabel()
    'recall'
    """

    def __init__(self, precision, recall, cutoffs, *, by="rank", name=None):
        self.precision = precision
        self.recall = recall
        self.cutoffs = cutoffs
        self.by = by
        self.name = name

    @classmethod
    def from_codes(
        cls,
        queries,
        database,
        query_labels=None,
        database_labels=None,
        *,
        by="rank",
        relevance=None,
        exclude_self=False,
        n_jobs=None,
        metric_params=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the curve of codes.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_bytes)
            Codes: packed uint8, or bool bits.
        database : array-like of shape (n_items, n_bytes)
            Codes of the same width.
        query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
                default=None
            Labels of any dtype, or multi-hot rows. Items are relevant to a query if
            their labels are equal, or share a class.
        by : {"rank", "radius"}, default="rank"
            One point for each of many numbers of first ranks, or for each radius.
        relevance, exclude_self, n_jobs
            As in :func:`skhash.metrics.average_precision`.
        metric_params : dict, default=None
            Further options of :func:`~skhash.metrics.precision_recall_by_rank` or
            :func:`~skhash.metrics.precision_recall_by_radius`, e.g.
            ``{"ties": "pessimistic"}`` or ``{"empty_ball": "drop"}``.
        name : str, default=None
            Name in the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : PrecisionRecallDisplay

        Raises
        ------
        ValueError
            If codes or labels do not fit together, or an option is unknown.
        """
        check_axes(ax)
        check_database(database)
        check_option("by", by, tuple(_CURVES))
        curve = _CURVES[by](
            queries,
            database,
            query_labels,
            database_labels,
            relevance=relevance,
            exclude_self=exclude_self,
            n_jobs=n_jobs,
            **(metric_params or {}),
        )
        display = cls(*curve, by=by, name=name)
        return display.plot(ax, **kwargs)

    @classmethod
    def _check_options(cls, options):
        check_option("by", options.get("by", "rank"), tuple(_CURVES))

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            Name in the legend; None means the display's.
        **kwargs
            Passed on to matplotlib's ``plot``.

        Returns
        -------
        self : PrecisionRecallDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is not a matplotlib Axes.
        """
        check_axes(ax)
        self.ax_ = one_panel(ax, (5.2, 4.4))
        self.figure_ = self.ax_.figure
        recall, precision = np.asarray(self.recall), np.asarray(self.precision)
        # Beyond the first cut-off that finds everything, radii say nothing new.
        full = np.flatnonzero(recall >= 1)
        if self.by == "radius" and full.size:
            recall, precision = recall[: full[0] + 1], precision[: full[0] + 1]
        label = self.name if name is None else name
        style = {**next_style(self.ax_), "label": label}
        if self.by == "radius":
            style["markevery"] = 1
        self.line_ = draw_line(self.ax_, recall, precision, style, **kwargs)
        self.ax_.set(
            xlabel="recall",
            ylabel="precision",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
        )
        style_panel(self.ax_)
        legend(self.ax_)
        return self
