"""What a mistyped option was probably meant to be, for the errors that refuse it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from sklearn.utils._param_validation import InvalidParameterError, StrOptions


def hint(value: Any, options: Iterable[Any]) -> str:
    """A sentence that names the option most like `value`; empty if none is like it."""
    if not isinstance(value, str):
        return ""
    # Names of classes, and names written with hyphens, are meant as options, too.
    given = value.strip().lower().replace("-", "_").replace(" ", "_")
    known = {option.lower(): option for option in options if isinstance(option, str)}
    close = difflib.get_close_matches(given, known, n=1)
    return f" Did you mean {known[close[0]]!r}?" if close else ""


class OptionErrors:
    """Mixin of estimators: errors list string options in order, and name the likely."""

    def _validate_params(self) -> None:
        try:
            super()._validate_params()  # type: ignore[misc]
        except InvalidParameterError as error:
            raise InvalidParameterError(_with_hint(self, str(error))) from None


def _with_hint(estimator: Any, message: str) -> str:
    """scikit-learn's message, which lists options in the random order of a set."""
    named = re.match(r"The '(\w+)' parameter", message)
    if named is None:
        return message
    name, options = named[1], []
    for constraint in estimator._parameter_constraints[name]:
        if isinstance(constraint, StrOptions):
            ordered = sorted(constraint.options)
            listed = ", ".join(repr(option) for option in ordered)
            message = message.replace(str(constraint), f"a str among {{{listed}}}")
            options += ordered
    return message + hint(getattr(estimator, name), options)
