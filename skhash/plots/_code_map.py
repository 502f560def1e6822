"""Codes as points of a plane."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, smacof
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from skhash.hamming import distances, unpack
from skhash.hamming.labels import check_labels
from skhash.metrics.options import check_bits, check_option, check_rank
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._style import (
    COLORS,
    MARKERS,
    MOST_VECTORS,
    legend_beside,
    style_panel,
)
from skhash.plots._task import codes_of, n_bits_for

_METHODS = ("mds", "tsne", "pca")
# Areas in square points: the least and the most of a point that stands for one item,
# and the most of the largest one, unless that leaves too little for the others.
_LEAST, _MOST, _LARGEST = 8, 24, 400


class CodeMapDisplay:
    """A map of codes in which near codes are near, with classes by colour and mark.

    Items of one class with the same code are one point, whose area grows with their
    number. Use :meth:`from_estimator` or :meth:`from_codes` to make a display.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, 2)
        Positions of the codes.
    labels : array-like of shape (n_samples,), default=None
        Their classes.
    method : {"mds", "tsne", "pca"}, default="tsne"
        How the map was made.

    Attributes
    ----------
    points_ : list of matplotlib PathCollection
        The points of each class.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    DistanceHistogramDisplay : All distances, without the loss of a map.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import CodeMapDisplay
    >>> codes = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]], dtype=bool)
    >>> display = CodeMapDisplay.from_codes(
    ...     codes, ["cat", "cat", "dog", "dog"], method="pca"
    ... )
    >>> display.embedding.shape
    (4, 2)
    >>> [points.get_label() for points in display.points_]
    ['cat', 'dog']
    """

    def __init__(self, embedding, labels=None, *, method="tsne"):
        self.embedding = embedding
        self.labels = labels
        self.method = method

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        method="tsne",
        n_bits=None,
        n_samples=1000,
        random_state=0,
        ax=None,
        **kwargs,
    ):
        """Draw the map of a fitted encoder's codes.

        Parameters
        ----------
        estimator : estimator
            As in :meth:`PrecisionRecallDisplay.from_estimator`.
        X : array-like of shape (n_items, ...)
            Items, as the estimator takes them.
        y : array-like of shape (n_items,), default=None
            Their classes.
        method, n_samples, random_state
            As in :meth:`from_codes`.
        n_bits : int, default=None
            Number of bits of packed codes; None asks the estimator.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : CodeMapDisplay

        Raises
        ------
        ValueError
            If the classes do not fit the items, or an option is unknown.
        """
        check_axes(ax)
        check_option("method", method, _METHODS)
        codes = np.asarray(codes_of(estimator, X))
        return cls.from_codes(
            codes,
            y,
            method=method,
            n_bits=n_bits_for(estimator, codes, n_bits),
            n_samples=n_samples,
            random_state=random_state,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_codes(
        cls,
        codes,
        labels=None,
        *,
        method="tsne",
        n_bits=None,
        n_samples=1000,
        random_state=0,
        ax=None,
        **kwargs,
    ):
        """Draw the map of codes.

        Parameters
        ----------
        codes : array-like of shape (n_items, n_bytes)
            Codes: packed uint8, or bool bits.
        labels : array-like of shape (n_items,), default=None
            Their classes.
        method : {"tsne", "mds", "pca"}, default="tsne"
            "tsne" keeps neighbours together, its axes have no unit. "mds" keeps all
            Hamming distances as well as a plane can, in bits. "pca" shows the two
            directions of the bits that vary most, and is the fastest.
        n_bits : int, default=None
            Number of bits of packed codes, as in :func:`skhash.metrics.code_health`.
        n_samples : int, default=1000
            How many of the codes to draw at random, at most.
        random_state : int, RandomState instance or None, default=0
            Seeds the draw and t-SNE.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : CodeMapDisplay

        Raises
        ------
        ValueError
            If the classes do not fit the codes, or an option is unknown.

        References
        ----------
        L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 2008.
        I. Borg and P. Groenen, "Modern multidimensional scaling", Springer 1997.
        """
        check_axes(ax)
        check_option("method", method, _METHODS)
        n_samples = check_rank("n_samples", n_samples)
        packed, n_bits = check_bits(codes, n_bits)
        if labels is not None:
            labels = check_labels(labels, n=len(packed))
            if labels.ndim != 1:
                raise ValueError(
                    "labels must be one class per item, shape (n_items,), got shape "
                    f"{labels.shape}. Where items have several, give one of them."
                )
        if len(packed) < 3:
            raise ValueError(f"A map needs 3 codes or more, got {len(packed)}.")
        random_state = check_random_state(random_state)
        if len(packed) > n_samples:
            kept = random_state.choice(len(packed), n_samples, replace=False)
            kept.sort()
            packed = packed[kept]
            labels = None if labels is None else labels[kept]
        embedding = _embed(packed, n_bits, method, random_state)
        return cls(embedding, labels, method=method).plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to matplotlib's ``scatter``, for all classes.

        Returns
        -------
        self : CodeMapDisplay

        Raises
        ------
        ImportError, TypeError
            As in :meth:`PrecisionRecallDisplay.plot`.
        """
        check_axes(ax)
        self.ax_ = one_panel(ax, (6.2, 4.8))
        self.figure_ = self.ax_.figure
        places = np.asarray(self.embedding)
        none = self.labels is None
        labels = np.zeros(len(places))
        if not none:
            labels = check_labels(self.labels, n=len(places))
        largest = np.unique(places, axis=0, return_counts=True)[1].max()
        area = np.clip(_LARGEST / largest, _LEAST, _MOST)
        self.points_ = []
        for n, label in enumerate(np.unique(labels)):
            spots, counts = np.unique(
                places[labels == label], axis=0, return_counts=True
            )
            style = {
                "color": COLORS[n % len(COLORS)],
                "marker": MARKERS[n % len(MARKERS)],
                "s": area * counts,
                "linewidth": 0.5,
                "edgecolor": "white",
                "label": None if none else str(label),
                "rasterized": len(places) > MOST_VECTORS,
            }
            self.points_.append(self.ax_.scatter(*spots.T, **{**style, **kwargs}))
        style_panel(self.ax_)
        self._label_axes()
        if not none:
            columns = -(-len(self.points_) // 14)
            handles = legend_beside(self.ax_, title="class", ncols=columns)
            for handle in handles.legend_handles:
                handle.set_sizes([_MOST])
        return self

    def _label_axes(self):
        if self.method == "mds":
            self.ax_.set(xlabel="MDS 1 (bits)", ylabel="MDS 2 (bits)")
        elif self.method == "pca":
            self.ax_.set(xlabel="principal axis 1", ylabel="principal axis 2")
        else:
            self.ax_.set(xlabel="t-SNE 1", ylabel="t-SNE 2", xticks=[], yticks=[])
        if self.method != "tsne":
            self.ax_.set_aspect("equal", adjustable="datalim")


def _embed(packed, n_bits, method, random_state):
    """Positions of codes in the plane; equal codes share one."""
    # Repeats would be moved apart by rounding, and crowd out all else in t-SNE.
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    if len(first) == 1:
        return np.zeros((len(packed), 2))
    bits = unpack(packed, n_bits).astype(np.float64)
    # A single bit lacks the second dimension.
    wide = np.pad(bits, [(0, 0), (0, max(0, 2 - n_bits))])
    places = PCA(2, svd_solver="full").fit_transform(wide)[first]
    if method != "pca" and len(first) > 3:  # fewer have no neighbourhoods
        apart = distances(packed[first], packed[first]).astype(np.float64)
        lay_out = {"mds": _by_distances, "tsne": _by_neighbours}[method]
        places = lay_out(apart, places, random_state)
    return places[which.ravel()]


def _by_distances(apart, start, random_state):
    return smacof(apart, n_components=2, init=start, n_init=1, eps=1e-6)[0]


def _by_neighbours(apart, start, random_state):
    tsne = TSNE(
        perplexity=min(30.0, (len(apart) - 1) / 3),
        metric="precomputed",
        init=(start * (1e-4 / start[:, 0].std())).astype(np.float32),
        random_state=random_state,
    )
    # With several threads, sums differ in the last digit, and then the whole map does.
    with threadpool_limits(1):
        return tsne.fit_transform(apart)
