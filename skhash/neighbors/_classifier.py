"""Classification by a vote of the nearest codes."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets

from skhash.hamming.labels import (
    accuracy,
    check_class_labels,
    check_labels,
    set_accuracy,
    warn_of_column,
)
from skhash.neighbors._changes import ChangingCodes
from skhash.neighbors._database import make_database
from skhash.neighbors._ids import check_ids
from skhash.neighbors._search import KNeighborsMixin
from skhash.neighbors._targets import Targets
from skhash.neighbors._validation import ALGORITHM, N_JOBS, N_NEIGHBORS, fit_codes


class HammingNeighborsClassifier(
    ChangingCodes, KNeighborsMixin, ClassifierMixin, BaseEstimator
):
    """Classifier that lets the nearest binary codes vote.

    It is :class:`~sklearn.neighbors.KNeighborsClassifier` for codes: distances are
    numbers of differing bits, the search is exact, neighbours at equal distance come
    in order of their index, and equal votes go to the class that sorts first.

    With several labels a code, each label is voted for on its own: it is predicted
    where its probability is above one half. Codes are added and removed at any time;
    a class whose codes are all gone stays in `classes_`.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours that vote.
    weights : {"uniform", "distance"} or callable, default="uniform"
        Weight of each vote: equal; the inverse of the distance, where neighbours at
        distance 0 outvote all others; or a function from an array of distances to an
        array of weights of the same shape, finite and 0 or more.
    algorithm : str, default="auto"
        How to search; see :class:`HammingNeighbors`.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.
    verbose : int, default=0
        1 shows how far a long search is, and how long an index takes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; column numbers for label sets.
    codes_ : ndarray of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes that vote.
    labels_ : ndarray of shape (`n_samples_fit_`,), bool ndarray or CSR array of shape \
            (`n_samples_fit_`, n_classes)
        Their labels; label sets as 0/1 in bool.
    ids_ : ndarray of shape (`n_samples_fit_`,) or None
        Their ids.
    n_samples_fit_ : int
        Number of codes.
    n_features_in_ : int
        Number of columns seen in `fit`: bytes of packed codes, or bits.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    See Also
    --------
    HammingNeighbors : The search without the vote.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.neighbors import HammingNeighborsClassifier
    >>> codes = np.array([[0b000], [0b001], [0b111]], dtype=np.uint8)
    >>> classifier = HammingNeighborsClassifier(n_neighbors=1)
    >>> classifier.fit(codes, ["cat", "cat", "dog"]).predict([[0b110], [0b000]])
    array(['dog', 'cat'], dtype='<U3')
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": N_NEIGHBORS,
        "weights": [StrOptions({"uniform", "distance"}), callable],
        "algorithm": ALGORITHM,
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_neighbors=5,
        *,
        weights="uniform",
        algorithm="auto",
        n_jobs=None,
        verbose=0,
    ):
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.algorithm = algorithm
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, ids=None):
        """Take the codes that vote, and their classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_bytes)
            Codes: packed uint8, or bool bits, or integers from 0 to 255.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels: numbers, strings or other values of one kind; or label sets as
            a 0/1 matrix, which may be sparse.
        ids : array-like of shape (n_samples,), default=None
            Unique names of the codes, as :class:`HammingNeighbors` takes them.

        Returns
        -------
        self : HammingNeighborsClassifier

        Raises
        ------
        ValueError
            If X does not hold codes, y no class labels, `ids` do not fit, or the
            lengths differ.
        """
        if y is None:
            self._labels_of(y, None)
        codes, seen = fit_codes(self, X)
        labels, ids = self._labels_of(y, codes), check_ids(ids, len(codes))
        targets = Targets.of(labels)
        database = make_database(
            codes, labels, ids, self.algorithm, self.n_jobs, self.verbose, targets
        )
        return self._take(database, seen)

    @property
    def classes_(self):
        """The class labels, sorted; column numbers for label sets."""
        return self._of_database("targets").classes

    def predict(self, X):
        """Predict the class with the most votes, or all labels likelier than not.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.

        Returns
        -------
        y : ndarray of shape (n_queries,), or of 0 and 1 of shape (n_queries, \
                n_classes), int64
            Class labels; the first in sorted order where votes are equal. Or label
            sets, of those labels whose probability is above one half.

        Raises
        ------
        ValueError
            If X does not hold codes of the fitted width, a function of `weights` gives
            anything but one finite weight of 0 or more for each distance, or all
            neighbours of a query have weight zero.
        """
        database, votes = self._votes(X)
        if database.targets.are_sets:
            return (votes > 0.5).astype(np.int64)
        return database.targets.classes[votes.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict each class's share of the votes.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.

        Returns
        -------
        probabilities : ndarray of shape (n_queries, n_classes), float64
            Columns in the order of `classes_`; each row sums to one. Of label sets,
            each label's share, with one more vote of average weight that goes by how
            frequent the label is, so that nothing is certain.

        Raises
        ------
        ValueError
            As :meth:`predict`.
        """
        database, votes = self._votes(X)
        if database.targets.are_sets:
            return votes
        return votes / votes.sum(axis=1, keepdims=True)

    def score(self, X, y, sample_weight=None):
        """Share of right predictions.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.
        y : array-like of shape (n_queries,) or (n_queries, n_classes)
            Their class labels. Of label sets, all labels have to be right.
        sample_weight : array-like of shape (n_queries,), default=None
            Weights of the queries.

        Returns
        -------
        accuracy : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If X does not hold codes of the fitted width, or y no labels of the fitted
            kind.
        """
        found, classes = self.predict(X), self.classes_
        if found.ndim == 2:
            packed = np.packbits(found.astype(bool), axis=1)
            return set_accuracy(y, packed, len(classes), sample_weight)
        return accuracy(check_class_labels(y), found, classes, sample_weight)

    def _votes(self, X):
        """The database that was asked, and its votes; of sets, their probabilities."""
        database = self._fitted()
        targets = database.targets
        distances, indices = self._nearest(database, X)
        weights = self._weights_of(distances)
        if not weights.any(axis=1).all():
            raise ValueError(
                "All neighbors of some sample are getting zero weights. Please modify "
                "'weights' to avoid this case if you are using a user-defined function."
            )
        if targets.are_sets:
            return database, targets.probabilities(indices, weights)
        n_queries, n_classes = len(indices), len(targets.classes)
        cells = np.arange(n_queries)[:, None] * n_classes + targets.values[indices]
        votes = np.bincount(
            cells.ravel(), weights.ravel(), minlength=n_queries * n_classes
        )
        return database, votes.reshape(n_queries, n_classes)

    def _labels_of(self, y, codes):
        """Checked classes of codes, or label sets."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
        warn_of_column(y)
        y = check_labels(y, name="y", n=len(codes))
        if y.dtype.kind == "f":
            assert_all_finite(y, input_name="y")
            check_classification_targets(y)
        return y

    def _weights_of(self, distances):
        if self.weights == "uniform":
            return np.ones(distances.shape)
        if self.weights != "distance":
            return check_weights(self.weights(distances), distances.shape)
        same = distances == 0
        inverse = 1.0 / np.where(same, 1, distances)
        return np.where(same.any(axis=1, keepdims=True), same, inverse)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        tags.classifier_tags.multi_label = True
        return tags


def check_weights(weights, shape):
    """One finite weight, 0 or more, for each distance."""
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != shape:
        raise ValueError(
            f"The function of weights must give an array of the distances' shape, "
            f"{shape}, got shape {weights.shape}."
        )
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"Weights must be finite and 0 or more, got {weights[wrong][0]}. If that "
            "is the inverse of distance 0: weights='distance' lets neighbours at "
            "distance 0 outvote all others."
        )
    return weights
