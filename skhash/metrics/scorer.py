"""Retrieval metrics as scikit-learn scorers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.metrics._scorer import _BaseScorer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skhash.hamming import check_codes
from skhash.metrics._cutoffs import precision_at_k, precision_at_radius, recall_at_k
from skhash.metrics._neighbor_recall import neighbor_recall
from skhash.metrics._rankings import mean_average_precision
from skhash.metrics.averages import advice_on_folds
from skhash.metrics.elsewhere import part_for, refuse_shards


def make_retrieval_scorer(
    metric: Callable[..., Any], /, **options: Any
) -> RetrievalScorer:
    """Make a scorer of a retrieval metric, for ``scoring=`` in scikit-learn.

    What is scored depends on the estimator:

    * It is, or its pipeline ends in, a database of codes such as
      :class:`~skhash.neighbors.HammingNeighbors`: the items given to the scorer are
      queries against it. In cross-validation the training fold is the database.
    * It only encodes: each item given to the scorer queries all others
      (leave-one-out). Bits and packed codes are taken as they are; signs, embeddings
      and other outputs that are no codes become bits by ``> 0``.

    A fitted search such as ``GridSearchCV`` is scored by its best estimator.

    With :func:`neighbor_recall` no labels are needed: the truth are the vectors that
    the encoder is given, which is what a pipeline's earlier steps make of X; or those
    in y, where the loss of a `DeepHashEncoder` learns from these.

    Parameters
    ----------
    metric : callable
        ``metric(queries, database, query_labels, database_labels, exclude_self=...,
        **options)``, greater is better: any metric of :mod:`skhash.metrics` that
        returns a number. A function at module level, if the scorer is to be pickled.
        Weights given to the scorer are passed on as ``sample_weight=...``.
    **options
        Passed on to `metric`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None) -> float``. Works in dicts of
        scorers, for multi-metric searches, and in scikit-learn's callbacks. With
        metadata routing, ``scorer.set_score_request(sample_weight=True)`` asks for the
        weights of the items that are scored, which weigh the queries in the mean.

    Raises
    ------
    TypeError
        If `metric` is not callable.
    ValueError
        If ``exclude_self`` is among the options, which the scorer decides.

    See Also
    --------
    mean_average_precision_scorer, precision_at_k_scorer, recall_at_k_scorer, \
            precision_at_radius_scorer, neighbor_recall_scorer : Ready-made, with the
        metrics' default options.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skhash.metrics import make_retrieval_scorer, mean_average_precision
    >>> scorer = make_retrieval_scorer(mean_average_precision, k=100)
    >>> scorer
    make_retrieval_scorer(mean_average_precision, k=100)
    >>> signs = FunctionTransformer().fit([[0.0, 0.0]])
    >>> scorer(signs, [[-1.0, 1.0], [-2.0, 1.0], [1.0, 1.0], [1.0, 2.0]], [0, 0, 1, 1])
    1.0
    """
    if not callable(metric):
        raise TypeError(f"metric must be callable, got {metric!r}.")
    if "exclude_self" in options:
        raise ValueError(
            "exclude_self is not for you to set: the scorer leaves items out for "
            "themselves if and only if the queries are the database."
        )
    kind = NeighborScorer if metric is neighbor_recall else RetrievalScorer
    return kind(metric, options)


class RetrievalScorer(_BaseScorer):
    """A retrieval metric for ``scoring=``; made by :func:`make_retrieval_scorer`.

    Called as ``scorer(estimator, X, y)``. X and y are queries against the database that
    the estimator, or its pipeline's last step, holds; or, when it only encodes, items
    of which each queries all others.
    """

    # Derived from scikit-learn's own scorers because callbacks recognise a single
    # scorer by that class.
    def __init__(self, metric: Callable[..., Any], options: dict[str, Any]) -> None:
        # Multi-metric searches look the method up on the estimator to share responses;
        # `fit` is the one that encoders and databases have in common.
        super().__init__(metric, 1, options, response_method=["transform", "fit"])

    def _score(
        self,
        method_caller: Callable,
        estimator: Any,
        X: Any,
        y_true: Any,
        **kwargs: Any,
    ) -> float:
        if y_true is None:
            raise ValueError(
                f"{self!r} needs labels to know what is relevant, but y is None."
            )
        self._warn_overlap(
            "Pass sample_weight to the scorer or to make_retrieval_scorer, not both:"
            " the scorer's are used.",
            kwargs,
        )
        self._check_takes(kwargs)
        queries, database, database_labels = rank_against(estimator, X)
        itself = database is None
        with advice_on_folds(y_true):
            value = self._score_func(
                queries,
                queries if itself else database,
                y_true,
                y_true if itself else database_labels,
                exclude_self=itself,
                **{**self._kwargs, **kwargs},
            )
        return self._as_number(value)

    def _check_takes(self, names: Iterable[str]) -> None:
        """Say which metrics have weights, rather than that an argument is unknown."""
        parameters = inspect.signature(self._score_func).parameters
        if any(each.kind == each.VAR_KEYWORD for each in parameters.values()):
            return
        unknown = [name for name in names if name not in parameters]
        if unknown:
            raise TypeError(
                f"{self._name} does not take {', '.join(unknown)}, which the scorer "
                "was given. Use a metric that takes the mean over queries, such as "
                "mean_average_precision, or call "
                f"scorer.set_score_request({unknown[0]}=False)."
            )

    @property
    def _name(self) -> str:
        return getattr(self._score_func, "__name__", repr(self._score_func))

    def _as_number(self, value: Any) -> float:
        if np.ndim(value) == 0:
            with suppress(TypeError, ValueError):
                return float(value)
        if np.ndim(value) == 1:
            what = f"one number per query (shape {np.shape(value)})"
        else:
            what = f"a {type(value).__name__}"
        raise TypeError(
            f"A scorer needs a metric that gives a single number, but {self._name} "
            f"gives {what}. Use one that takes the mean over queries: "
            "mean_average_precision instead of average_precision, and average='macro' "
            "in the others."
        )

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self._kwargs.items())
        return f"make_retrieval_scorer({self._name}{options})"


class NeighborScorer(RetrievalScorer):
    """`neighbor_recall` for ``scoring=``, leave-one-out: y may be missing."""

    def __call__(
        self, estimator: Any, X: Any, y_true: Any = None, **kwargs: Any
    ) -> float:
        """The recall of items X; the truth is y where the encoder learns from it."""
        return super().__call__(estimator, X, y_true, **kwargs)

    def _score(
        self,
        method_caller: Callable,
        estimator: Any,
        X: Any,
        y_true: Any = None,
        **kwargs: Any,
    ) -> float:
        self._check_takes(kwargs)
        encoder, X = last_step(estimator, X)
        if not hasattr(encoder, "transform") or _is_database(encoder):
            raise TypeError(
                "neighbor_recall scores estimators whose `transform` gives codes, got "
                f"{type(encoder).__name__}: score the encoder alone."
            )
        refuse_shards("neighbor_recall", items=X)
        vectors = X
        loss: Any = getattr(encoder, "loss_", None)
        if getattr(loss, "supervision", "labels") == "vectors" and loss.teacher == "y":
            if y_true is None:
                raise ValueError(
                    f"{encoder!r} learns from the vectors in y, which are the truth "
                    "here, too, but y is None."
                )
            vectors = y_true
        codes = _codes_of(encoder.transform(X))
        options = {**self._kwargs, "exclude_self": True}
        return self._score_func(codes, codes, vectors, vectors, **options)


def last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """What encodes in the end, within searches and pipelines, and what it is given."""
    if hasattr(estimator, "best_estimator_"):
        return last_step(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        return last_step(estimator.steps[-1][1], X)
    return estimator, X


def rank_against(estimator: Any, X: Any) -> tuple[Any, Any, Any]:
    """Query codes, database codes and labels; None, None for leave-one-out."""
    if hasattr(estimator, "best_estimator_"):
        return rank_against(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1][1]
        if _is_database(last) or isinstance(last, Pipeline):
            if len(estimator.steps) > 1:
                X = estimator[:-1].transform(X)
            return rank_against(last, X)
    if _is_database(estimator):
        check_is_fitted(estimator)
        if not (hasattr(estimator, "codes_") and hasattr(estimator, "labels_")):
            raise TypeError(
                f"{type(estimator).__name__} does not keep codes and labels to rank "
                "(codes_ and labels_); use HammingNeighbors."
            )
        if estimator.labels_ is None:
            raise ValueError(
                f"This {type(estimator).__name__} was fitted without labels. Call "
                "fit(X, y) with the labels of the database to measure retrieval."
            )
        # A database of vectors encodes its queries, one of codes is given them.
        encode = getattr(estimator, "encode", lambda codes: codes)
        return encode(X), estimator.codes_, estimator.labels_
    if not hasattr(estimator, "transform"):
        raise TypeError(
            "A retrieval scorer needs an estimator with `transform`, or one that ends "
            f"in a database such as HammingNeighbors, got {type(estimator).__name__}."
        )
    if (part := part_for(X)) is not None:
        return part.encode(estimator, X), None, None
    return _codes_of(estimator.transform(X)), None, None


def _is_database(estimator: Any) -> bool:
    """Whether an estimator holds codes that queries are ranked against."""
    keeps = hasattr(estimator, "codes_") or not hasattr(estimator, "transform")
    return hasattr(estimator, "kneighbors") and keeps


def _codes_of(output: Any) -> np.ndarray:
    """Whatever an encoder's `transform` returned, as packed codes.

    Values are looked at, not only dtypes: packed codes may come back as int64 or float
    from a column-wise transformer, and their bytes must not be taken for outputs.
    """
    if hasattr(output, "toarray"):
        output = output.toarray()
    output = np.asarray(output)
    if output.dtype.kind in "if" and output.ndim == 2 and output.size:
        whole = np.array_equal(output, output // 1)
        if not whole or output.min() < 0 or output.max() > 255:
            if not np.isfinite(output).all():
                raise ValueError("The encoder's output contains NaN or infinity.")
            output = output > 0
    return check_codes(output, name="the encoder's output")


neighbor_recall_scorer = make_retrieval_scorer(neighbor_recall)
mean_average_precision_scorer = make_retrieval_scorer(mean_average_precision)
precision_at_k_scorer = make_retrieval_scorer(precision_at_k)
precision_at_radius_scorer = make_retrieval_scorer(precision_at_radius)
recall_at_k_scorer = make_retrieval_scorer(recall_at_k)
