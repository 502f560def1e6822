"""Queries, each followed by its nearest images."""

import numpy as np
from sklearn.utils import check_consistent_length

from skhash.hamming import distances
from skhash.hamming.labels import dense
from skhash.metrics.options import check_rank
from skhash.metrics.task import Retrieval
from skhash.plots._axes import check_axes, one_panel
from skhash.plots._display import RetrievalDisplay
from skhash.plots._images import as_images, draw_frame, draw_image, frame_keys
from skhash.plots._task import check_database

# Space between images, in widths of one, and how much more follows the query.
_GAP, _AFTER_QUERY = 0.2, 0.25


class RetrievalGridDisplay(RetrievalDisplay):
    """A row for each query: its image, then the images with the nearest codes.

    Right ones have a solid frame, wrong ones a dashed frame and a cross; the number
    below an image is its Hamming distance. Use :meth:`from_estimator` or
    :meth:`from_codes` to make a display.

    Parameters
    ----------
    query_images : array-like of shape (n_queries, h, w) or (n_queries, h, w, c)
        The queries.
    neighbor_images : array-like of shape (n_queries, n_neighbors, h, w) or \
            (n_queries, n_neighbors, h, w, c)
        Their nearest images, the nearest first.
    distance : array-like of shape (n_queries, n_neighbors)
        Hamming distances in bits.
    is_right : array-like of shape (n_queries, n_neighbors)
        Whether each image is relevant to its query, bool.
    query_names : array-like of shape (n_queries,), default=None
        What to write before each row.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        All images, row by row.
    frames_ : list of matplotlib Rectangle
        The frames of the nearest images, row by row.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skhash.hamming.nearest : The search.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.plots import RetrievalGridDisplay
    >>> codes = np.array([[0b000], [0b001], [0b111]], dtype=np.uint8)
    >>> labels = ["cat", "cat", "dog"]
    >>> display = RetrievalGridDisplay.from_codes(
    ...     codes, codes, labels, labels, exclude_self=True, rows=[0, 2],
    ...     query_images=np.eye(3), image_shape=(1, 3),
    ... )
    >>> display.distance
    array([[1, 3],
           [2, 3]])
    >>> display.is_right
    array([[ True, False],
           [False, False]])
    """

    _named_by_class = False

    def __init__(
        self, query_images, neighbor_images, distance, is_right, *, query_names=None
    ):
        self.query_images = query_images
        self.neighbor_images = neighbor_images
        self.distance = distance
        self.is_right = is_right
        self.query_names = query_names

    @classmethod
    def from_codes(
        cls,
        queries,
        database,
        query_labels=None,
        database_labels=None,
        *,
        query_images,
        database_images=None,
        image_shape=None,
        rows=5,
        n_neighbors=8,
        relevance=None,
        exclude_self=False,
        n_jobs=None,
        ax=None,
        **kwargs,
    ):
        """Draw the items with the nearest codes.

        Parameters
        ----------
        queries, database, query_labels, database_labels
            As in :meth:`PrecisionRecallDisplay.from_codes`.
        query_images, database_images : array-like of shape (n, h, w), (n, h, w, c) \
                or (n, h * w * c), default=None
            Images of both sides, with 1, 3 or 4 channels c; integers from 0 to 255 or
            floats from 0 to 1 for colours, any range for grey. `database_images` may
            be left out if the queries are the database. :meth:`from_estimator` takes
            X and `X_database` where these are left out.
        image_shape : tuple of int, default=None
            Shape of one flat image: (h, w) or (h, w, c).
        rows : int or array-like of shape (n_rows,), default=5
            How many queries to show, counted from the first, or which ones.
        n_neighbors : int, default=8
            Number of nearest images to show.
        relevance, exclude_self, n_jobs
            As in :func:`skhash.metrics.average_precision`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : RetrievalGridDisplay

        Raises
        ------
        ValueError
            If codes, labels or images do not fit together.
        """
        check_axes(ax)
        check_database(database)
        n_neighbors = check_rank("n_neighbors", n_neighbors)
        sides = (queries, database, query_labels, database_labels)
        retrieval = Retrieval.of(*sides, relevance, exclude_self, n_jobs)
        rows = _chosen(rows, len(retrieval.queries))
        query_images, database_images = _images(
            retrieval, query_images, database_images, image_shape
        )
        depth = min(n_neighbors, retrieval.n_candidates)
        index, distance, is_right = _search(retrieval, rows, depth)
        names = None
        if query_labels is not None:
            names = _names(retrieval.copy_query_labels(), rows)
        found = database_images[index]
        display = cls(query_images[rows], found, distance, is_right, query_names=names)
        return display.plot(ax, **kwargs)

    @classmethod
    def _complete(cls, options, X, X_database, exclude_self):
        own = {"query_images": X} | (
            {} if exclude_self else {"database_images": X_database}
        )
        given = {name: value for name, value in options.items() if value is not None}
        options = {**own, **given}
        if not exclude_self and options["database_images"] is None:
            raise ValueError(
                "The estimator's database keeps codes, not images. Give the images of "
                "its items as database_images, in the order in which it was fitted."
            )
        return options

    def plot(self, ax=None, *, show_distance=True, cmap="gray_r"):
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        show_distance : bool, default=True
            Write the distance under each image.
        cmap : str or matplotlib Colormap, default="gray_r"
            Colours of grey images.

        Returns
        -------
        self : RetrievalGridDisplay

        Raises
        ------
        ImportError, TypeError
            As in :meth:`PrecisionRecallDisplay.plot`.
        """
        check_axes(ax)
        queries, found = np.asarray(self.query_images), np.asarray(self.neighbor_images)
        n_rows, n_columns = found.shape[:2]
        height = found.shape[2] / found.shape[3]
        step = height + _GAP + (0.28 if show_distance else 0)
        size = 0.72 * (n_columns * (1 + _GAP) + 1.9), 0.72 * n_rows * step + 0.9
        self.ax_ = one_panel(ax, size)
        self.figure_ = self.ax_.figure
        both = np.concatenate([queries.ravel(), found.ravel()]).astype(float)
        limits = {"vmin": both.min(), "vmax": both.max(), "cmap": cmap}
        self.images_, self.frames_ = [], []
        lefts = [0.0, *(np.arange(n_columns) * (1 + _GAP) + 1 + _GAP + _AFTER_QUERY)]
        for row in range(n_rows):
            top = row * step
            for column, left in enumerate(lefts):
                image = found[row, column - 1] if column else queries[row]
                box = (left, left + 1, top + height, top)
                self.images_.append(draw_image(self.ax_, image, box, limits))
                if column:
                    self._frame(row, column - 1, box, show_distance)
        self._label(lefts, step, height, show_distance)
        return self

    def _frame(self, row, column, box, show_distance):
        left, right, bottom, _ = box
        is_right = bool(np.asarray(self.is_right)[row, column])
        self.frames_.append(draw_frame(self.ax_, box, is_right))
        if show_distance:
            self.ax_.text(
                (left + right) / 2,
                bottom + 0.1,
                f"{np.asarray(self.distance)[row, column]}",
                ha="center",
                va="top",
                fontsize="small",
            )

    def _label(self, lefts, step, height, show_distance):
        ax, n_rows = self.ax_, len(np.asarray(self.distance))
        ranks = [str(rank) for rank in range(1, len(lefts))]
        ax.set_xticks(np.array(lefts) + 0.5, ["query", *ranks])
        names = self.query_names if self.query_names is not None else range(n_rows)
        ax.set_yticks(np.arange(n_rows) * step + height / 2, [str(n) for n in names])
        ax.tick_params(length=0, labeltop=True, labelbottom=False)
        ax.spines[:].set_visible(False)
        ax.set(
            xlim=(-0.15, lefts[-1] + 1.2),
            ylim=(n_rows * step - (step - height) + 0.35, -0.2),
            aspect="equal",
            ylabel="query",
            xlabel="rank",
        )
        ax.xaxis.set_label_position("top")
        ax.legend(
            handles=frame_keys(),
            loc="upper right",
            bbox_to_anchor=(1, 0),
            ncols=2,
            frameon=False,
            borderaxespad=0.1,
        )
        if show_distance:
            ax.text(
                0,
                0,
                "below each image: distance (bits)",
                transform=ax.transAxes,
                va="top",
                fontsize="small",
            )


def _chosen(rows, n_queries):
    """Indices of the queries to show."""
    if np.ndim(rows) == 0:
        return np.arange(min(check_rank("rows", rows), n_queries))
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
        raise ValueError(f"rows must be a number or a list of row numbers, got {rows}.")
    if rows.min() < 0 or rows.max() >= n_queries:
        raise ValueError(f"rows must be from 0 to {n_queries - 1}, got {rows}.")
    return rows


def _images(retrieval, query_images, database_images, image_shape):
    """Images of both sides, one for each code."""
    query_images = as_images(query_images, "query_images", image_shape)
    check_consistent_length(query_images, retrieval.queries)
    if database_images is not None:
        database_images = as_images(database_images, "database_images", image_shape)
    elif retrieval.exclude_self:
        database_images = query_images
    else:
        raise ValueError(
            "database_images are missing: give the images of the database, or "
            "exclude_self=True if the queries are the database."
        )
    check_consistent_length(database_images, retrieval.database)
    return query_images, database_images


def _search(retrieval, rows, depth):
    """The nearest items of each row, their distances, and whether they are relevant."""
    index = np.empty((len(rows), depth), dtype=np.intp)
    distance = np.empty((len(rows), depth), dtype=np.int64)
    is_right = np.empty((len(rows), depth), dtype=bool)
    for place, row in enumerate(rows):
        one = slice(int(row), int(row) + 1)
        found, hits = retrieval.ranking(one, depth)
        index[place], is_right[place] = found[0], hits[0]
        items = retrieval.database[index[place]]
        distance[place] = distances(retrieval.queries[one], items)[0]
    return index, distance, is_right


def _names(labels, rows):
    """What to write before each row: the class, or the classes' numbers."""
    if labels.ndim == 1:
        return labels[rows]
    shown = dense(labels[rows])
    return np.array([", ".join(map(str, np.flatnonzero(row))) for row in shown])
