"""What the displays of a retrieval share: the way from an estimator to its codes."""

import inspect

import numpy as np

from skhash.plots._axes import check_axes
from skhash.plots._task import n_bits_for, retrieval_task


class RetrievalDisplay:
    """A display of queries against a database, which `from_codes` draws."""

    # Whether what is drawn is named after the estimator's class, unless told otherwise.
    _named_by_class = True

    @classmethod
    def from_estimator(
        cls, estimator, X, y, X_database=None, y_database=None, *, ax=None, **options
    ):
        """Draw the codes of a fitted encoder, or of a pipeline that ends in a database.

        Parameters
        ----------
        estimator : estimator
            An encoder with `transform`, a database of codes such as
            :class:`~skhash.neighbors.HammingNeighbors`, a pipeline of them, or a
            fitted search over them.
        X : array-like of shape (n_queries, ...)
            Queries, as the estimator takes them.
        y : array-like of shape (n_queries,) or (n_queries, n_classes)
            Their labels.
        X_database : array-like of shape (n_items, ...), default=None
            Items that are searched. None means the estimator's own database; for an
            encoder, that each item of X queries all others.
        y_database : array-like of shape (n_items,) or (n_items, n_classes), \
                default=None
            Their labels.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **options
            Passed on to :meth:`from_codes`. Where the display takes them, `name`
            defaults to the name of the estimator's class, and `n_bits` to the
            estimator's number of bits.

        Returns
        -------
        display : display
            The display, drawn.

        Raises
        ------
        ValueError
            If labels or a database are missing, or do not fit, or an option is unknown.
        """
        check_axes(ax)
        cls._check_options(options)
        *given, exclude_self = retrieval_task(estimator, X, y, X_database, y_database)
        options = cls._complete(options, X, X_database, exclude_self)
        takes = inspect.signature(cls.from_codes).parameters
        if "n_bits" in takes:
            codes, n_bits = np.asarray(given[0]), options.get("n_bits")
            options["n_bits"] = n_bits_for(estimator, codes, n_bits)
        if cls._named_by_class and options.get("name") is None:
            options["name"] = type(estimator).__name__
        return cls.from_codes(*given, exclude_self=exclude_self, ax=ax, **options)

    @classmethod
    def _check_options(cls, options):
        """Refuse wrong options before anything is encoded."""

    @classmethod
    def _complete(cls, options, X, X_database, exclude_self):
        """Options of `from_codes`, with what follows from the estimator's input."""
        return options
