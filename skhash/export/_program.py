"""A model traced by torch.export, with any number of items."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import torch
from torch.export import Dim, ExportedProgram

from skhash.export._module import Model

# Torch's errors go on for pages.
_MOST_TOLD = 300


def traced(model: Model, dtype: str) -> ExportedProgram:
    """The model as a program.

    Raises
    ------
    ValueError
        If torch cannot trace its network.
    """
    arguments = (model.example(dtype),)
    shapes = {"X": {0: Dim("n")}}
    errors: list[Exception] = []
    # The strict way compiles Python, and follows some that the other does not, such as
    # len(x); the other is the one that torch now prefers.
    for strict in (False, True):
        try:
            with quiet(), torch.no_grad():
                return torch.export.export(
                    model.module, arguments, dynamic_shapes=shapes, strict=strict
                )
        except Exception as error:
            errors.append(error)
    raise ValueError(
        f"torch.export cannot trace this {model.classes[-1]}, whose network may do "
        "what depends on values, or on a number of items that is fixed: "
        f"{told(errors[0])}"
    ) from errors[0]


def told(error: BaseException) -> str:
    """What the error at the root of an error says, in short."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split())
    text = text if len(text) <= _MOST_TOLD else text[:_MOST_TOLD] + "..."
    return f"{type(error).__name__}: {text}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what torch's exporters tell those who develop them."""
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
