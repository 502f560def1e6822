"""The contract of a loss family: one required method, the rest with defaults."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from skhash.hints import OptionErrors
from skhash.losses._batches import (
    as_labels,
    as_vectors,
    check_batch,
    check_columns,
    check_labels,
    check_outputs,
    check_vectors,
    detached,
    full_precision,
    is_sparse,
    occurring_columns,
    precise,
    zero_of,
)
from skhash.losses._plan import Stage

# Beyond it, centres of columns take more memory and time than the network.
MOST_COLUMNS = 10_000


class HashLoss(OptionErrors, BaseEstimator, nn.Module):
    """Base class of all losses: hyper-parameters of scikit-learn, state of torch.

    A subclass stores its hyper-parameters in ``__init__`` (after
    ``super().__init__()``), creates its state in `setup` (names with a trailing
    underscore) and computes a scalar in `forward`, the only method it must have.
    Families are final: they share functions, they do not inherit from one another.

    Call the loss itself, ``loss(z, y)``, not its `forward`: the call brings every batch
    to one form, for your own losses, too. `forward` gets z of shape (n, n_bits)
    with at least one item, in float32 or float64 (other dtypes become float32, also
    under autocast), and labels as int64 class numbers or a 0/1 matrix of the dtype of
    z. Of label sets in a sparse CSR tensor, `forward` gets a dense matrix: all columns
    if the family `needs_columns`, else those that occur in the batch, which items share
    labels by just the same. A batch without items costs 0, with zero gradient.

    A family whose `supervision` is "vectors" gets, in place of labels, a real vector
    for each item: a dense matrix of shape (n, d), in the dtype of z.

    Attributes
    ----------
    supervision : {"labels", "vectors"}
        What `forward` learns from. It is a fact of the class: nothing is guessed from
        the values of y.
    teacher : {"X", "y"}
        Where the vectors come from, for families of vectors: the items themselves, so
        that `fit` ignores y, or y, which `fit` then requires.
    batch_size : int
        Most items in a batch, obeyed by ``DeepHashEncoder(batch_size="auto")``.
    steps : int
        Optimisation steps that the family gains from, obeyed by
        ``DeepHashEncoder(max_epochs="auto")`` where they take up to 50 epochs.
    network : str
        What ``DeepHashEncoder(network="auto")`` builds for rows of features.
    normalize_z : bool
        Whether the family learns better when the outputs of the hash layer are
        batch-normalised (no scale, no shift). Obeyed by
        ``DeepHashEncoder(normalize_z="auto")``.
    balanced_batches : bool
        Whether the family wants class-balanced batches when there are many classes.
        Obeyed by ``DeepHashEncoder(balanced_batches="auto")``.
    needs_columns : bool
        Whether a column of label sets means the same in every batch to the family, as
        where it keeps a centre for each; at most 10 000 columns are accepted then.
        False for families that only ask which labels items share, so that sparse sets
        may have any number of columns.
    n_bits_ : int
        Number of bits given to `setup`.
    input_ : {"z", "features"}
        What `forward` currently receives; set at the beginning of each `Stage`.
    terms_ : dict of str to Tensor of shape ()
        The parts of the last loss, detached, if `forward` returns `total`.

    Examples
    --------
    A loss of your own need not be registered:

    >>> import torch
    >>> from skhash.losses import HashLoss
    >>> class CosineLoss(HashLoss):
    ...     def __init__(self, margin=0.0):
    ...         super().__init__()
    ...         self.margin = margin
    ...     def forward(self, z, y):
    ...         h = torch.nn.functional.normalize(z.tanh())
    ...         same = (y[:, None] == y[None, :]).to(z.dtype)
    ...         return (h @ h.T - same).sub(self.margin).square().mean()
    >>> loss = CosineLoss(margin=0.1).setup(4, torch.tensor([0, 1]))
    >>> loss
    CosineLoss(margin=0.1)
    >>> loss.plan(5)
    [Stage(epochs=5)]
    >>> loss(torch.eye(2, 4), torch.tensor([0, 1])).shape
    torch.Size([])
    """

    supervision: Literal["labels", "vectors"] = "labels"
    teacher: Literal["X", "y"] = "y"
    batch_size: int = 128
    steps: int = 1000
    network: str = "mlp"
    normalize_z: bool = True
    balanced_batches: bool = True
    needs_columns: bool = True
    input_: Literal["z", "features"] = "z"
    terms_: dict[str, Tensor]
    _n_columns: int | None = None  # of the label matrix that `setup` saw
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def __init__(self) -> None:
        # Without a signature of its own, a loss without parameters has torch's
        # ``*args``, which scikit-learn refuses to clone.
        super().__init__()

    def setup(
        self,
        n_bits: int,
        y: Tensor,
        *,
        sample_weight: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Self:
        """Check the hyper-parameters and create the state, given all labels once.

        Parameters
        ----------
        n_bits : int
            Length of the codes.
        y : Tensor of shape (n,) or (n, n_classes), or (n, d)
            All training labels: class numbers, or a 0/1 matrix (multi-label), which
            may be a sparse CSR tensor. Of vectors, up to 10 000, evenly spaced.
        sample_weight : Tensor of shape (n,), default=None
            Weights of the training items.
        generator : torch.Generator, default=None
            Source of every random number that the state needs.

        Returns
        -------
        self : HashLoss

        Raises
        ------
        InvalidParameterError
            If a hyper-parameter is out of its range.
        ValueError
            If `n_bits` is less than 1, or `y` holds no labels: numbers that are
            negative or not integers, or a matrix of anything but 0 and 1; or if it has
            more columns than a family that `needs_columns` takes. Or if the family
            learns from vectors, and `y` holds none, or some that are not finite.
        """
        self._validate_params()
        if n_bits < 1:
            raise ValueError(f"n_bits must be at least 1, got {n_bits}.")
        if self.supervision == "vectors":
            y = as_vectors(y)
            check_vectors(y)
        else:
            y = as_labels(y)
            if y.ndim == 2:
                self.check_width(y.shape[1])
            check_labels(y)
        self.n_bits_ = int(n_bits)
        self._n_columns = y.shape[1] if y.ndim == 2 else None
        return self

    def check_width(self, n_columns: int) -> None:
        """Refuse label sets of more columns than the family can keep state for.

        Parameters
        ----------
        n_columns : int
            Number of columns of the label matrix.

        Raises
        ------
        ValueError
            If the family `needs_columns` and there are more than 10 000.
        """
        if not self.needs_columns or n_columns <= MOST_COLUMNS:
            return
        ours = [c for c in HashLoss.__subclasses__() if c.__module__[:7] == "skhash."]
        # For some it depends on their parameters, by default they need none.
        others = [c.__name__ for c in ours if c.needs_columns is not True]
        raise ValueError(
            f"y has {n_columns} columns, but {self!r} keeps state for each column, and "
            f"at most {MOST_COLUMNS} are accepted. Losses that compare items take any "
            f"number: {', '.join(sorted(others))}. For a loss of your own that does, "
            "set needs_columns = False."
        )

    def plan(self, n_epochs: int) -> list[Stage]:
        """The stages of a training of `n_epochs` epochs; their lengths add up to it.

        Parameters
        ----------
        n_epochs : int
            Length of the training in epochs.

        Returns
        -------
        stages : list of Stage
        """
        return [Stage(n_epochs)]

    def start(
        self, features: Tensor, n_bits: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor] | None:
        """Weights of a linear hash layer to start from, where the family knows some.

        Parameters
        ----------
        features : Tensor of shape (n, n_features)
            What the layer gets of up to 10 000 training items, evenly spaced.
        n_bits : int
            Length of the codes.
        generator : torch.Generator
            Source of every random number.

        Returns
        -------
        weight, bias : Tensor of shape (n_bits, n_features) and (n_bits,), or None
            None leaves the layer as it was drawn.
        """
        return None

    def refresh(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Update the state in closed form from all training data, without gradient.

        Parameters
        ----------
        z : Tensor of shape (n, n_bits)
            Outputs of the network in evaluation mode.
        y : Tensor of shape (n,) or (n, n_classes)
            Their labels.
        sample_weight : Tensor of shape (n,), default=None
            Their weights.
        """

    def class_scores(self, z: Tensor) -> Tensor | None:
        """Scores of the classes where the family models them, else None.

        Parameters
        ----------
        z : Tensor of shape (n, n_bits)
            Outputs of the network.

        Returns
        -------
        scores : Tensor of shape (n, n_classes) or None
            Log-posterior of each class, greater is nearer.
        """
        return None

    def __call__(self, z: Tensor, y: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """`forward` of a batch that is checked and brought to one form."""
        self._check_outputs(z)
        z = precise(z)
        vectors = self.supervision == "vectors"
        y = as_vectors(y, z.dtype) if vectors else as_labels(y, z.dtype)
        check_batch(z, y, args[0] if args else kwargs.get("sample_weight"))
        check_columns(y, self._n_columns)
        if is_sparse(y):
            y = y.to_dense() if self.needs_columns else occurring_columns(y)
        if not len(z):
            self.terms_ = {}
            return zero_of(z, self.parameters())
        with full_precision(z.device.type):
            return super().__call__(z, y, *args, **kwargs)

    def _check_outputs(self, z: Tensor) -> None:
        """Refuse z that is not as wide as the codes; features may have any width."""
        if self.input_ == "z":
            check_outputs(z, getattr(self, "n_bits_", None), type(self).__name__)

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """The loss of a batch.

        A family without weights may leave `sample_weight` out; fitting it with weights
        is then refused.

        Parameters
        ----------
        z : Tensor of shape (n, n_bits)
            Real outputs of the network for the batch; a bit is ``z > 0``.
        y : Tensor of shape (n,) or (n, n_classes)
            Labels: int64 class numbers, or a 0/1 matrix (multi-label).
        sample_weight : Tensor of shape (n,), default=None
            Non-negative weights of the items; None weighs all alike.

        Returns
        -------
        loss : Tensor of shape ()

        Raises
        ------
        TypeError
            If the family does not define it.
        """
        raise TypeError(
            f"{type(self).__name__} must define forward(z, y, sample_weight=None)."
        )

    def total(self, **terms: Tensor) -> Tensor:
        """The sum of `terms`, each remembered (detached) for the training history.

        Parameters
        ----------
        **terms : Tensor of shape ()
            Named parts of the loss, their weights already applied.

        Returns
        -------
        loss : Tensor of shape ()
        """
        self.terms_ = {name: detached(term) for name, term in terms.items()}
        return torch.stack(list(terms.values())).sum()

    def state(self, name: str) -> Any:
        """State made by `setup`, or an error that says to call it first.

        Parameters
        ----------
        name : str
            Name of the attribute.

        Returns
        -------
        value : object

        Raises
        ------
        NotFittedError
            If the state does not exist yet.
        """
        try:
            return getattr(self, name)
        except AttributeError:
            raise NotFittedError(
                f"This {type(self).__name__} has no {name!r} yet: call "
                "setup(n_bits, y) before using it."
            ) from None
