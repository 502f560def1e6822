"""What a trained encoder gives: codes, real outputs, classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch.utils.data import Dataset

from skhash.encoder._auto import choose_rows
from skhash.encoder._class_models import class_model, pieces
from skhash.encoder._data.arrays import check_item_array, check_range, fitted_layout
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._data.items import check_data_set
from skhash.encoder._outputs import Outputs
from skhash.encoder._supervision import has_classes, of_classes
from skhash.encoder._threads import run, torch_threads
from skhash.hamming.codes import MADE_OF_Z
from skhash.hamming.labels import accuracy, check_class_labels, set_accuracy
from skhash.losses import HashLoss
from skhash.networks import NETWORKS
from skhash.progress import followed


class OfLabels:
    """An attribute that fits from labels set; without it an error says why."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, encoder: Any, owner: type) -> Any:
        if encoder is None:
            return self
        if self.name in vars(encoder):
            return vars(encoder)[self.name]
        has_classes(encoder)
        raise AttributeError(
            f"{owner.__name__!r} object has no attribute {self.name!r}"
        )

    def __set__(self, encoder: Any, value: Any) -> None:
        vars(encoder)[self.name] = value

    def __delete__(self, encoder: Any) -> None:
        del vars(encoder)[self.name]


class Encoding(TransformerMixin, ClassifierMixin):
    """The half of `DeepHashEncoder` that needs no training."""

    classes_ = OfLabels()
    multilabel_ = OfLabels()

    @property
    def loss_(self) -> HashLoss:
        """The loss with its learnt state."""
        check_is_fitted(self)
        return self.net_.criterion_

    @property
    def class_codes_(self) -> np.ndarray:
        """Mean sign of each bit in each class, shape (n_classes, n_bits)."""
        check_is_fitted(self)
        has_classes(self)
        if self.multilabel_:
            raise AttributeError("class_codes_ needs one label an item.")
        sums = self._class_sums
        return sums[:, :-1] / np.maximum(sums[:, -1:], np.finfo(float).tiny)

    def transform(self, X):
        """The codes of items.

        Parameters
        ----------
        X : as in `fit`
            Items of the shape seen in `fit`; images with their channels first or last.

        Returns
        -------
        codes : ndarray of shape (n, ceil(n_bits / 8)) or (n, n_bits)
            By `output`: packed codes (uint8, most significant bit first, zero padded);
            or, with one column a bit, bool, int8 (-1, +1) or float32 (the embedding z).
            int8 is for storing: sums beyond 127 wrap, so that products of signs take a
            wider dtype, ``signs = signs.astype(np.float32)`` and ``signs @ signs.T``.

        Raises
        ------
        NotFittedError
            If the encoder is not fitted.
        ValueError
            If the items are not of the shape seen in `fit`, or one has no finite
            output, as with a value that float32 does not hold.

        Warns
        -----
        UserWarning
            If 32 items or more are plainly unlike those of the fit: the spread of most
            features (of most channels, for images) is 20 times smaller or greater, or
            their mean is 5 spreads away. Or if all get one code that speaks for that.
        ConvergenceWarning
            If the outputs are not finite because the training diverged.
        """
        if not isinstance(self.output, str) or self.output not in MADE_OF_Z:
            self._validate_params()  # names the outputs there are
        return self._outputs(X, MADE_OF_Z[self.output])

    def embed(self, X):
        """The real outputs z of the network; a bit is ``z > 0``.

        Parameters
        ----------
        X : as in `fit`
            Items of the shape seen in `fit`.

        Returns
        -------
        z : float32 ndarray of shape (n, n_bits)
        """
        return self._outputs(X, MADE_OF_Z["embedding"])

    @of_classes
    def decision_function(self, X):
        """Score of each class: the loss's own where it models classes, else nearness.

        Parameters
        ----------
        X : as in `fit`
            Items.

        Returns
        -------
        scores : ndarray of shape (n, n_classes), or (n,) for two classes
            Greater is nearer; for two classes that of ``classes_[1]`` minus that of
            ``classes_[0]``. Fitted with several labels an item, the log-odds of each.
        """
        model = self._class_model()
        decide = lambda z: model.decisions(model.scores(z), self._temperature)
        return self._outputs(X, decide)

    @of_classes
    def predict(self, X):
        """The label of the nearest class; or all labels likelier than not.

        Parameters
        ----------
        X : as in `fit`
            Items.

        Returns
        -------
        labels : ndarray of shape (n,), or of 0 and 1 of shape (n, n_classes), int64
            The class of the greatest probability; or, fitted with several labels an
            item, those of a probability above one half.
        """
        model = self._class_model()
        if self.multilabel_:
            return self._outputs(X, lambda z: self._sets(model, z).astype(np.int64))
        scores = self._outputs(X, model.scores)
        return self.classes_[scores.argmax(axis=1)]

    @of_classes
    def predict_proba(self, X):
        """Probability of each class.

        It is the softmax of the scores of `decision_function` over a temperature. With
        several labels an item, each label has a probability of its own: the sigmoid of
        its log-odds among the training items and, over a temperature, what a linear
        discriminant of the bits adds.

        The temperature has the least log loss on validation items: those of ``X_val``,
        or those that ``early_stopping=True`` holds out. Without any, on points halfway
        between some of the training items and those nearest to them, which stand for
        new items. Probabilities that matter are better with held-out items.

        Parameters
        ----------
        X : as in `fit`
            Items.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), float64
            Columns in the order of `classes_`. Rows sum to one, but not with several
            labels an item. All the same after a training that diverged.
        """
        model = self._class_model()
        find = lambda z: model.probabilities(model.scores(z), self._temperature)
        return self._outputs(X, find)

    @of_classes
    def score(self, X, y, sample_weight=None):
        """Accuracy of `predict`; for retrieval see `skhash.metrics`.

        Parameters
        ----------
        X : as in `fit`
            Items.
        y : array-like of shape (n,) or (n, n_classes)
            Their labels. Of several labels an item, all have to be right.
        sample_weight : array-like of shape (n,), default=None
            Weights of the items.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            If X does not fit, or y holds no class labels.
        """
        check_is_fitted(self)
        if not self.multilabel_:
            y = check_class_labels(y)
            return accuracy(y, self.predict(X), self.classes_, sample_weight)
        model = self._class_model()
        found = self._outputs(X, lambda z: np.packbits(self._sets(model, z), axis=1))
        return set_accuracy(y, found, len(self.classes_), sample_weight)

    def _class_model(self) -> Any:
        """What gives scores and probabilities of classes."""
        check_is_fitted(self)
        return class_model(self.net_, self._class_sums, self.multilabel_)

    def _sets(self, model: Any, z: np.ndarray) -> np.ndarray:
        """Which labels are likelier than not, as bool."""
        chosen = np.empty((len(z), model.n_classes), dtype=bool)
        for rows in pieces(len(z), model.n_classes):
            scores = model.scores(z[rows])
            chosen[rows] = model.decisions(scores, self._temperature) > 0
        return chosen

    def _outputs(self, X: Any, make: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """What `make` makes of the outputs z, which are never all held at once."""
        check_is_fitted(self)
        network, n_bits = self.net_.module_, self.net_.criterion_.n_bits_
        rows = choose_rows(network, self.n_features_in_, n_bits)
        with torch_threads(1):
            items = self._items(X)
            outputs = Outputs(self, items)
            batches = map(make, outputs.checked(self.net_.encode(items, rows)))
            if self.verbose and hasattr(items, "__len__"):
                batches = followed(batches, "encoding", len(items))
            made = run(self._n_threads, lambda: list(batches))
            outputs.warn_if_unlike()
        return made[0] if len(made) == 1 else np.concatenate(made)

    def _items(self, X: Any) -> Any:
        """Items to encode, checked, in the layout of the fit."""
        if isinstance(X, Dataset):
            return check_data_set(X, fitted_layout(self), self)
        array, _, axes = check_item_array(self, X, layout=fitted_layout(self))
        if self.net_.module_.origin not in ("auto", *NETWORKS):
            check_range(array)  # where infinity may end in a finite z, by tanh, say
        return ArrayDataset(array, **axes)

    @property
    def _n_features_out(self):
        n_bits = self.loss_.n_bits_
        return -(-n_bits // 8) if self.output == "packed" else n_bits
