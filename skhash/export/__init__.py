"""Trained models for programs that have no skhash: ONNX files and torch programs.

Public names are imported on first use, and so are the packages that they need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skhash.export._onnx import to_onnx
    from skhash.export._torch import to_torch

_HOME = {
    "to_onnx": "skhash.export._onnx",
    "to_torch": "skhash.export._torch",
}

__all__ = [
    "to_onnx",
    "to_torch",
]


if not TYPE_CHECKING:  # a type checker that saw it would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value  # the next look-up does not come here
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
