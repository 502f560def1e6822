"""Balance of each bit, and correlation of each pair."""

import numpy as np

from skhash.metrics import bit_balance, bit_correlation
from skhash.plots._axes import check_axes, panels
from skhash.plots._style import BLUE, GREY, MOST_VECTORS, VERMILION, style_panel
from skhash.plots._task import codes_of, n_bits_for


class BitHealthDisplay:
    """How well codes use their bits, in two panels.

    Left, the share of items that have each bit: half is best, and a dead bit, which is
    the same for all items, is marked with a cross. Right, how strongly each pair of
    bits is correlated: 0 is best. Use :meth:`from_estimator` or :meth:`from_codes` to
    make a display.

    Parameters
    ----------
    balance : array-like of shape (n_bits,)
        Share of items that have each bit.
    correlation : array-like of shape (n_bits, n_bits)
        Correlation of each pair of bits; NaN for dead ones.
    name : str, default=None
        Title.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        Balance of the bits.
    mesh_ : matplotlib QuadMesh
        Absolute correlations.
    colorbar_ : matplotlib Colorbar
        Their scale.
    ax_ : ndarray of shape (2,) of matplotlib Axes
        Where balance and correlation were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.metrics.code_health : The same in a few numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import BitHealthDisplay
    >>> codes = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 1], [1, 1, 1]], dtype=bool)
    >>> display = BitHealthDisplay.from_codes(codes)
    >>> display.balance
    array([0.5, 0.5, 1. ])
    >>> [ax.get_xlabel() for ax in display.ax_]
    ['bit', 'bit']
    """

    def __init__(self, balance, correlation, *, name=None):
        self.balance = balance
        self.correlation = correlation
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, *, n_bits=None, name=None, ax=None, **kwargs):
        """Draw the health of a fitted encoder's codes.

        Parameters
        ----------
        estimator : estimator
            As in :meth:`PrecisionRecallDisplay.from_estimator`.
        X : array-like of shape (n_samples, ...)
            Items, as the estimator takes them.
        n_bits : int, default=None
            Number of bits of packed codes; None asks the estimator.
        name : str, default=None
            Title.
        ax : matplotlib Axes, or sequence of two, default=None
            Where to draw: axes are split in two. None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : BitHealthDisplay

        Raises
        ------
        ValueError
            If `n_bits` does not fit the codes.
        """
        check_axes(ax, 2)
        codes = np.asarray(codes_of(estimator, X))
        n_bits = n_bits_for(estimator, codes, n_bits)
        return cls.from_codes(codes, n_bits=n_bits, name=name, ax=ax, **kwargs)

    @classmethod
    def from_codes(cls, codes, *, n_bits=None, name=None, ax=None, **kwargs):
        """Draw the health of codes.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_bytes)
            Codes: packed uint8, or bool bits.
        n_bits : int, default=None
            Number of bits of packed codes, as in :func:`skhash.metrics.code_health`.
        name : str, default=None
            Title.
        ax : matplotlib Axes, or sequence of two, default=None
            Where to draw: axes are split in two. None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : BitHealthDisplay

        Raises
        ------
        ValueError
            If there are no codes, or `n_bits` does not fit their width.
        """
        check_axes(ax, 2)
        display = cls(
            bit_balance(codes, n_bits), bit_correlation(codes, n_bits), name=name
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, cmap="Blues"):
        """Draw both panels.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of two, default=None
            Where to draw: axes are split in two. None makes a figure.
        name : str, default=None
            Title; None means the display's.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours of absolute correlations from 0 to 1.

        Returns
        -------
        self : BitHealthDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is not a matplotlib Axes.
        """
        check_axes(ax, 2)
        self.ax_ = panels(ax, (1, 2), (9, 3.8), width_ratios=(1.25, 1))
        self.figure_ = self.ax_[0].figure
        self._plot_balance(self.ax_[0])
        self._plot_correlation(self.ax_[1], cmap)
        name = self.name if name is None else name
        if name is not None:
            self.ax_[0].set_title(name, loc="left")
        return self

    def _plot_balance(self, ax):
        share = np.asarray(self.balance)
        bits = np.arange(len(share))
        # Bars grow from the middle: what sticks out is out of balance.
        self.bars_ = ax.bar(bits, share - 0.5, bottom=0.5, width=0.8, color=BLUE)
        ax.axhline(0.5, color=GREY, linewidth=1)
        dead = (share == 0) | (share == 1)
        if dead.any():
            ax.plot(
                bits[dead],
                np.clip(share[dead], 0.04, 0.96),
                linestyle="",
                marker="x",
                color=VERMILION,
                markeredgewidth=2,
                label="dead bit",
                clip_on=False,
            )
            ax.legend(
                loc="lower right",
                bbox_to_anchor=(1, 1),
                frameon=False,
                borderaxespad=0.2,
                handletextpad=0.2,
            )
        ax.set(
            xlabel="bit",
            ylabel="share of items with the bit",
            xlim=(-0.8, len(share) - 0.2),
            ylim=(0, 1),
        )
        ax.xaxis.get_major_locator().set_params(integer=True)
        style_panel(ax)
        ax.grid(False, axis="x")

    def _plot_correlation(self, ax, cmap):
        from matplotlib import colormaps

        correlation = np.abs(np.asarray(self.correlation, dtype=float))
        ax.set_facecolor("0.75")  # dead bits are not drawn
        self.mesh_ = ax.pcolormesh(
            np.ma.masked_invalid(correlation),
            vmin=0,
            vmax=1,
            cmap=colormaps.get_cmap(cmap),
            rasterized=correlation.size > MOST_VECTORS,
        )
        n_bits = len(correlation)
        step = max(1, -(-n_bits // 6))
        ticks = np.arange(0, n_bits, step)
        ax.set_xticks(ticks + 0.5, ticks)
        ax.set_yticks(ticks + 0.5, ticks)
        ax.set(xlabel="bit", ylabel="bit", aspect="equal")
        ax.invert_yaxis()
        # Inside the panel's own frame, so that it is as high as the matrix.
        scale = ax.inset_axes([1.04, 0, 0.05, 1])
        self.colorbar_ = ax.figure.colorbar(
            self.mesh_, cax=scale, label="absolute correlation"
        )
