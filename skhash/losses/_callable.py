"""Any function of outputs and labels as a loss family."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isclass
from typing import Any

from torch import Tensor

from skhash.losses._base import HashLoss


class CallableLoss(HashLoss):
    """What `from_callable` returns: it hands each batch to a function."""

    def __init__(self, function: Callable[..., Tensor], miner: Any = None) -> None:
        super().__init__()
        self.function = function
        self.miner = miner

    # Without weights, which a function would not know what to do with.
    def forward(self, z: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        """The scalar that the function returns."""
        mined = () if self.miner is None else (self.miner(z, y),)
        loss = self.function(z, y, *mined)
        if not isinstance(loss, Tensor) or loss.ndim:
            shape = f"of shape {tuple(loss.shape)}" if hasattr(loss, "shape") else ""
            raise ValueError(
                f"{_name(self.function)} must return a scalar tensor, but returned a "
                f"{type(loss).__name__} {shape}".rstrip()
                + ": give the mean over "
                "items or pairs, computed by torch from z."
            )
        return loss


def from_callable(function: Callable[..., Tensor], *, miner: Any = None) -> HashLoss:
    """Make a loss of any function of the network's outputs and the labels.

    The losses of other libraries are used this way, such as those of
    pytorch-metric-learning with its miners. If `function` is a torch module with
    parameters of its own (proxies, class weights), they are trained with the network.

    Parameters
    ----------
    function : callable
        Called as ``function(z, y)`` with the outputs of a batch, a Tensor of shape
        (n, n_bits), and its labels: int64 class numbers of shape (n,), or a 0/1 matrix
        of shape (n, n_classes). It returns the loss, a Tensor of shape ().
    miner : callable, default=None
        Called as ``miner(z, y)`` before each call of `function`, which then receives
        what it returns, such as the indices of hard pairs, as its third argument.

    Returns
    -------
    loss : HashLoss
        For ``DeepHashEncoder(loss=...)``. A fit trains a copy of the two, so the ones
        given here stay as they are. Sample weights are refused.

    Raises
    ------
    TypeError
        If `function` or `miner` cannot be called, or is a class.

    See Also
    --------
    HashLoss : The contract of a loss with hyper-parameters, state or stages.

    Notes
    -----
    What is drawn from torch's global generator follows the encoder's `random_state`;
    draws from numpy's do not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skhash import DeepHashEncoder
    >>> from skhash.losses import from_callable
    >>> def contrast(z, y):
    ...     h = z.tanh()
    ...     same = (y[:, None] == y[None, :]).to(z.dtype)
    ...     return (h @ h.T / z.shape[1] - same).square().mean()
    >>> X, y = load_iris(return_X_y=True)
    >>> loss = from_callable(contrast)
    >>> encoder = DeepHashEncoder(8, loss=loss, max_epochs=20, random_state=0)
    >>> encoder.fit_transform(X, y).shape
    (150, 1)
    """
    for name, value in {"function": function, "miner": miner}.items():
        if isclass(value):
            raise TypeError(
                f"{name} is the class {value.__name__}, but what is called for each "
                f"batch must be an object or a function: give {value.__name__}()."
            )
        if not callable(value) and not (name == "miner" and value is None):
            raise TypeError(
                f"{name} must be callable as {name}(z, y), got {value!r} of type "
                f"{type(value).__name__}."
            )
    return CallableLoss(function, miner)


def _name(function: Any) -> str:
    """What people call a function, or the class of an object."""
    return getattr(function, "__qualname__", type(function).__qualname__)
