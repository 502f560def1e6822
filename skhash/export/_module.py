"""A fitted model as one torch module: all that ONNX and torch.export are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skhash.encoder import DeepHashEncoder
from skhash.export._steps import HASHERS, TRANSFORMERS

# The dtypes of X. Others can be cast to one of these with little or no loss.
DTYPES = {name: getattr(torch, name) for name in ("float32", "float64", "uint8")}


class Codes(nn.Module):
    """Items to packed codes, and to z where that is wanted.

    Parameters
    ----------
    layers : sequence of nn.Module
        From items to z.
    embedding : bool
        Whether to return z, too.
    """

    weights: Tensor

    def __init__(self, layers: Iterable[nn.Module], *, embedding: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.embedding = embedding
        weights = 1 << torch.arange(7, -1, -1, dtype=torch.int32)
        self.register_buffer("weights", weights)

    def forward(self, X: Tensor) -> Any:
        """Codes, uint8 (n, n_bytes); or (codes, z), z of float32 (n, n_bits)."""
        z = self.layers(X).float()
        bits = nn.functional.pad((z > 0).int(), (0, -z.shape[1] % 8))
        bits = bits.reshape(z.shape[0], bits.shape[1] // 8, 8)
        codes = (bits * self.weights).sum(2).to(torch.uint8)
        return (codes, z) if self.embedding else codes


class Model(NamedTuple):
    """A model to export.

    Attributes
    ----------
    module : Codes
        What it computes.
    steps : list of estimators
        What it was made of, the maker of codes last.
    shape : tuple of int
        Shape of an item.
    n_bits : int
        Length of its codes.
    """

    module: Codes
    steps: list[Any]
    shape: tuple[int, ...]
    n_bits: int

    @classmethod
    def of(cls, estimator: Any, *, embedding: bool) -> Model:
        """The model of a fitted estimator.

        Raises
        ------
        TypeError
            If a step is of a class that is not known here.
        NotFittedError
            If one is not fitted.
        """
        named = list(_steps(estimator, type(estimator).__name__))
        _check(named)
        steps = [step for _, step in named]
        first = steps[0]
        shape = (first.n_features_in_,)
        if type(first) is DeepHashEncoder:  # which knows what an image looks like
            shape = tuple(first.input_shape_)
        makers = {**TRANSFORMERS, **HASHERS}
        layers = [layer for step in steps for layer in makers[type(step)](step)]
        module = Codes(layers, embedding=embedding).eval().requires_grad_(False)
        n_bits = module.layers(torch.zeros(2, *shape)).shape[1]
        return cls(module, steps, shape, n_bits)

    @property
    def classes(self) -> list[str]:
        """Names of the classes of the steps."""
        return [type(step).__name__ for step in self.steps]

    def example(self, dtype: str) -> Tensor:
        """Two items of zeros."""
        return torch.zeros(2, *self.shape, dtype=DTYPES[dtype])


def check_dtype(dtype: Any) -> None:
    """Refuse what X cannot be."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype={dtype!r} is not one of {list(DTYPES)}.")


def _steps(estimator: Any, name: str) -> Iterator[tuple[str, Any]]:
    """All estimators that an item goes through, and what to call them."""
    if type(estimator) is Pipeline:
        for own, step in estimator.steps:
            if step not in (None, "passthrough"):
                yield from _steps(step, f"{type(step).__name__} (the step {own!r})")
    elif type(estimator) is FrozenEstimator:
        yield from _steps(estimator.estimator, name)
    else:
        yield name, estimator


def _check(steps: list[tuple[str, Any]]) -> None:
    """Refuse, by name, a step that is unknown, in the wrong place or not fitted."""
    before, last = _names(TRANSFORMERS), _names(HASHERS)
    rule = f"A model that can be ends in {last}; before that may stand {before}."
    if not steps:
        raise TypeError(f"A pipeline without steps cannot be exported. {rule}")
    for i, (name, step) in enumerate(steps):
        # The exact class: a subclass may compute something else.
        if type(step) not in (HASHERS if i == len(steps) - 1 else TRANSFORMERS):
            raise TypeError(
                f"{name} cannot be exported here. {rule} Export the part of the "
                "pipeline that can be, such as pipeline[1:] or pipeline[:-1], and "
                "give it what the steps before it return."
            )
    for _, step in steps:
        check_is_fitted(step)


def _names(classes: Iterable[type]) -> str:
    """Names of classes, as one says them."""
    *most, last = sorted(kind.__name__ for kind in classes)
    return f"{', '.join(most)} or {last}"
