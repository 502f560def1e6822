"""Penalty of a pair over its distance, found by asking the loss."""

import copy

import numpy as np

from skhash.plots._axes import check_axes, panels
from skhash.plots._style import draw_line, legend, nth_style, style_panel

# The tanh of this is 1 in float64.
_SATURATED = 20.0


class LossShapeDisplay:
    """Penalty of a similar and of a dissimilar pair, and its slope, over the distance.

    The loss is asked for the value of a batch of two items, whose binary codes are
    moved apart bit by bit. Left, the penalty; right, how much it changes with one more
    bit. Use :meth:`from_loss` to make a display; several can be drawn in the same two
    axes, each with its `name`.

    Parameters
    ----------
    distance : array-like of shape (n_bits + 1,)
        Hamming distances 0, 1, ..., n_bits.
    similar, dissimilar : array-like of shape (n_bits + 1,)
        Penalty of a pair of each kind.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    lines_ : dict of str to list of matplotlib Line2D
        Curves of "similar" and "dissimilar" pairs in both panels.
    ax_ : ndarray of shape (2,) of matplotlib Axes
        Where penalty and slope were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.losses.DualHinge : A loss whose shape can be chosen.

    Examples
    --------
    >>> from skhash.losses import DSH
    >>> from skhash.plots import LossShapeDisplay
    >>> display = LossShapeDisplay.from_loss(DSH(margin=8.0), 4)
    >>> display.distance, display.similar
    (array([0, 1, 2, 3, 4]), array([0., 2., 4., 6., 8.]))
    >>> display.dissimilar
    array([4., 2., 0., 0., 0.])
    """

    def __init__(self, distance, similar, dissimilar, *, name=None):
        self.distance = distance
        self.similar = similar
        self.dissimilar = dissimilar
        self.name = name

    @property
    def slope_similar(self):
        """Change of the similar pair's penalty with one more bit, shape (n_bits,)."""
        return np.diff(self.similar)

    @property
    def slope_dissimilar(self):
        """Change of the dissimilar pair's penalty with one more bit."""
        return np.diff(self.dissimilar)

    @classmethod
    def from_loss(cls, loss, n_bits=None, *, name=None, ax=None, **kwargs):
        """Draw the shape of a pairwise loss.

        Parameters
        ----------
        loss : HashLoss
            Any loss of pairs, e.g. ``DualHinge(shape=2.0)``. It is not changed.
        n_bits : int, default=None
            Length of the codes. None takes a loss that is set up, such as
            ``encoder.loss_``, as it is.
        name : str, default=None
            Name in the legend; None means the loss's ``repr``.
        ax : matplotlib Axes, or sequence of two, default=None
            Where to draw: axes are split in two. None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LossShapeDisplay

        Raises
        ------
        TypeError
            If `loss` is not a loss object, but e.g. a name.
        ValueError
            If `n_bits` is missing, or the loss is not one of pairs: it compares items
            with centres, or triplets.
        """
        check_axes(ax, 2)
        if isinstance(loss, type) or not hasattr(loss, "setup"):
            raise TypeError(
                "loss must be a loss object such as skhash.losses.DualHinge(), got "
                f"{loss!r}."
            )
        if getattr(loss, "supervision", "labels") != "labels":
            raise ValueError(
                f"{type(loss).__name__} is not a loss of pairs: it learns from real "
                "vectors, not from which labels a pair shares."
            )
        name = repr(loss) if name is None else name
        pair_loss, n_bits = _made_ready(loss, n_bits)
        distance = np.arange(n_bits + 1)
        similar, dissimilar = _penalties(pair_loss, n_bits)
        return cls(distance, similar, dissimilar, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, kinds=("similar", "dissimilar"), **kwargs):
        """Draw both panels.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of two, default=None
            Where to draw: axes are split in two. None makes a figure.
        name : str, default=None
            Name in the legend; None means the display's.
        kinds : list of {"similar", "dissimilar"}, default=("similar", "dissimilar")
            Which pairs to draw.
        **kwargs
            Passed on to matplotlib's ``plot``, for all curves.

        Returns
        -------
        self : LossShapeDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is not a matplotlib Axes.
        """
        check_axes(ax, 2)
        kinds = np.atleast_1d(kinds).tolist()
        for kind in kinds:
            if kind not in ("similar", "dissimilar"):
                raise ValueError(f'kinds are "similar" and "dissimilar", got {kind!r}.')
        self.ax_ = panels(ax, (1, 2), (9.2, 3.8))
        self.figure_ = self.ax_[0].figure
        name = self.name if name is None else name
        n_before = len({line.get_color() for line in self.ax_[0].get_lines()})
        self.lines_ = {}
        for kind in kinds:
            style = nth_style(n_before)
            style["linestyle"] = "-" if kind == "similar" else "--"
            style["label"] = kind if name is None else f"{name}, {kind}"
            between = np.asarray(self.distance)[:-1] + 0.5
            curves = [
                (self.distance, getattr(self, kind)),
                (between, getattr(self, f"slope_{kind}")),
            ]
            self.lines_[kind] = [
                draw_line(axes, *curve, style, **kwargs)
                for axes, curve in zip(self.ax_, curves, strict=True)
            ]
        self.ax_[0].set_ylabel("penalty of a pair")
        self.ax_[1].set_ylabel("slope (penalty per bit)")
        for axes in self.ax_:
            axes.set_xlabel("Hamming distance (bits)")
            axes.xaxis.get_major_locator().set_params(integer=True)
            style_panel(axes)
        legend(self.ax_[0], fontsize="small")
        return self


def _made_ready(loss, n_bits):
    """A copy of the loss that is set up, and its number of bits."""
    import torch

    known = getattr(loss, "n_bits_", None)
    if n_bits is None and known is None:
        raise ValueError(
            "n_bits is missing: a loss that is not set up does not know the length of "
            "the codes. Give e.g. n_bits=32."
        )
    loss = copy.deepcopy(loss)
    if n_bits is None or n_bits == known:
        return loss.cpu().double(), known
    return loss.setup(n_bits, torch.tensor([0, 0, 1, 1])).double(), n_bits


def _penalties(loss, n_bits):
    """Loss of a similar and of a dissimilar pair at each distance, of binary codes."""
    import torch

    def value(base, distance, similar, scale):
        other = base.copy()
        other[:distance] *= -1
        z = torch.tensor(scale * np.stack([base, other]), dtype=torch.float64)
        with torch.no_grad():
            return float(loss(z, torch.tensor([0, 0 if similar else 1])))

    def row(base, similar, scale):
        every = range(n_bits + 1)
        return np.array([value(base, d, similar, scale) for d in every])

    plain = np.ones(n_bits)
    # A loss of tanh(z) sees codes at large z; one of z itself sees them at +-1.
    far = row(plain, False, _SATURATED)
    twice = row(plain, False, 2 * _SATURATED)
    scale = _SATURATED if np.allclose(far, twice, rtol=1e-6, atol=1e-9) else 1.0
    similar, dissimilar = (row(plain, kind, scale) for kind in (True, False))
    mixed = np.where(np.arange(n_bits) % 2, 1.0, -1.0)
    turned = row(mixed, True, scale), row(mixed, False, scale)
    same = np.allclose(similar, turned[0]) and np.allclose(dissimilar, turned[1])
    if not same or (np.ptp(similar) == 0 and np.ptp(dissimilar) == 0):
        why = (
            "its value for a pair does not change with their distance"
            if same
            else "its value for a pair is not a function of their distance"
        )
        raise ValueError(
            f"{type(loss).__name__} is not a loss of pairs: {why}. Losses with "
            "centres, classifiers or triplets have no such shape."
        )
    return similar, dissimilar
