"""Files that are there, and are text."""

from os import PathLike
from pathlib import Path


def check_file(path: str | PathLike[str]) -> None:
    """Refuse a path that is no file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")


def read_text(path: str | PathLike[str]) -> str:
    """The text of a UTF-8 file."""
    check_file(path)
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text: {error}") from error
