"""Networks and losses from outside skhash, which the caller passes in by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skhash.archive import LoadError


class CustomObjects:
    """Looks up, by its name in a file, what the caller has passed.

    Parameters
    ----------
    given : mapping of str to object
        What `load` was given.
    file : str
        The file, for messages.
    """

    def __init__(self, given: Mapping[str, Any] | None, file: str) -> None:
        self.given = dict(given or {})
        self.file = file

    def __call__(self, name: Any, what: str) -> Any:
        """What was passed under a name.

        Raises
        ------
        LoadError
            If nothing was.
        """
        short = str(name).rpartition(".")[2]
        for key in (name, short):
            if key in self.given:
                return self.given[key]
        raise LoadError(
            f"{self.file}: {what} is {name!r}, which is not of skhash, and a file "
            f"holds no code. Pass it, load(..., custom_objects={{{short!r}: "
            f"{short if short.isidentifier() else '...'}}})."
        )
