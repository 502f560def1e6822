"""The one error of files that cannot be loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class LoadError(ValueError):
    """A file cannot be loaded: it is damaged, of another kind, or from the future.

    Parameters
    ----------
    message : str
        It names the file and the member, and says what to do.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash.persistence import LoadError, load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.skhash"
    ...     _ = path.write_bytes(b"something else")
    ...     try:
    ...         load(path)
    ...     except LoadError as error:
    ...         print(str(error).partition(": ")[2])
    it has not the end of a file by skhash.save: it is another file, or cut short. ...
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)


@contextlib.contextmanager
def refused(what: str) -> Iterator[None]:
    """Turn any error of the body into a `LoadError`, since a file has caused it.

    A manifest that fits its checksums may still say what no estimator says. What comes
    of it, in code that trusts its arguments, is not to be foreseen.
    """
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        told = str(error).splitlines()[0] if str(error) else ""
        raise LoadError(
            f"{what} holds what this version of skhash does not understand "
            f"({type(error).__name__}: {told}). Save it again with the version that "
            "is installed here."
        ) from error
