"""Warnings that point to the user's own line, however deep in skhash they arise."""

from __future__ import annotations

import sys
import warnings

# Frames that a warning does not point to: ours, and those of who calls us.
_LIBRARIES = ("skhash", "sklearn", "skorch", "joblib", "contextlib", "functools")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line, outside skhash and libraries around it, that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and _is_library(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_library(module: str) -> bool:
    return module.split(".")[0] in _LIBRARIES
