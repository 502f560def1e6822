"""How far apart similar and dissimilar pairs are."""

import numpy as np

from skhash.metrics.options import check_bits
from skhash.metrics.task import Retrieval
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._display import RetrievalDisplay
from skhash.plots._style import legend, nth_style, style_panel
from skhash.plots._task import check_database

# Fillings of the first two histograms of a panel; more of them would hide each other.
_FILLINGS = [{"fill": True}, {"fill": True, "hatch": "////"}]


class DistanceHistogramDisplay(RetrievalDisplay):
    """Hamming distances of similar and of dissimilar pairs.

    The less the two histograms overlap, the better the codes retrieve. Use
    :meth:`from_estimator` or :meth:`from_codes` to make a display.

    Parameters
    ----------
    n_similar, n_dissimilar : array-like of shape (n_bits + 1,)
        Numbers of pairs of a query and an item at each distance, in bits.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    similar_, dissimilar_ : matplotlib StepPatch
        The two histograms.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.hamming.histograms : The numbers, query by query.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import DistanceHistogramDisplay
    >>> codes = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    >>> display = DistanceHistogramDisplay.from_codes(
    ...     codes, codes, ["cat", "cat", "dog"], ["cat", "cat", "dog"],
    ...     exclude_self=True,
    ... )
    >>> display.n_similar, display.n_dissimilar
    (array([0, 2, 0, 0]), array([0, 0, 2, 2]))
    """

    # "similar pairs" says enough, unless there are several displays.
    _named_by_class = False

    def __init__(self, n_similar, n_dissimilar, *, name=None):
        self.n_similar = n_similar
        self.n_dissimilar = n_dissimilar
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
        relevance=None,
        exclude_self=False,
        n_jobs=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the distances of all pairs of a query and an item.

        Parameters
        ----------
        queries, database, query_labels, database_labels
            As in :meth:`PrecisionRecallDisplay.from_codes`.
        n_bits : int, default=None
            Number of bits of packed codes, as in :func:`skhash.metrics.code_health`.
        relevance, exclude_self, n_jobs
            As in :func:`skhash.metrics.average_precision`.
        name, ax, **kwargs
            As in :meth:`PrecisionRecallDisplay.from_codes`.

        Returns
        -------
        display : DistanceHistogramDisplay

        Raises
        ------
        ValueError
            If codes or labels do not fit together.
        """
        check_axes(ax)
        check_database(database)
        n_bits = check_bits(database, n_bits)[1]
        retrieval = Retrieval.of(
            queries,
            database,
            query_labels,
            database_labels,
            relevance,
            exclude_self,
            n_jobs,
        )
        pieces = [
            np.stack([n_relevant.sum(axis=0), n_total.sum(axis=0)])
            for _, n_total, n_relevant in retrieval.pieces()
        ]
        similar, total = np.sum(pieces, axis=0, dtype=np.int64)[:, : n_bits + 1]
        return cls(similar, total - similar, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw both histograms, each as shares of its own pairs.

        Parameters
        ----------
        ax, name
            As in :meth:`PrecisionRecallDisplay.plot`.
        **kwargs
            Passed on to matplotlib's ``stairs``, for both histograms.

        Returns
        -------
        self : DistanceHistogramDisplay

        Raises
        ------
        ImportError, TypeError
            As in :meth:`PrecisionRecallDisplay.plot`.
        """
        check_axes(ax)
        from matplotlib.patches import StepPatch

        self.ax_ = one_panel(ax, (5.8, 3.8))
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        before = "" if name is None else f"{name}, "
        n_before = sum(isinstance(patch, StepPatch) for patch in self.ax_.patches)
        self.similar_, self.dissimilar_ = (
            self._stairs(
                counts, n_before + n, {"label": f"{before}{kind} pairs", **kwargs}
            )
            for n, (counts, kind) in enumerate(
                [(self.n_similar, "similar"), (self.n_dissimilar, "dissimilar")]
            )
        )
        self.ax_.set(xlabel="Hamming distance (bits)", ylabel="share of pairs")
        self.ax_.set_ylim(bottom=0)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        style_panel(self.ax_)
        legend(self.ax_)
        return self

    def _stairs(self, counts, n, style):
        """Draw the n-th histogram of the panel."""
        counts = np.asarray(counts, dtype=float)
        edges = np.arange(len(counts) + 1) - 0.5
        look = nth_style(n)
        color = style.pop("color", look["color"])
        style = {
            "facecolor": (color, 0.08 if n else 0.2),
            "edgecolor": color,
            "linestyle": look["linestyle"],
            "linewidth": look["linewidth"],
            **(_FILLINGS[n] if n < len(_FILLINGS) else {"fill": False}),
            **style,
        }
        return self.ax_.stairs(counts / max(counts.sum(), 1), edges, **style)
