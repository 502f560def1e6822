"""Reading files that must exist, fit in memory and, some of them, be text."""

from os import PathLike
from pathlib import Path

# Axes that numpy allows an array.
MOST_AXES = 64
# Bytes that deflate, the compression of gzip and zip files, can pack into one.
MOST_INFLATED = 1032


def check_file(path: str | PathLike[str]) -> None:
    """Refuse a path that is not a file: a pipe or a device may never end."""
    path = Path(path)
    if path.is_file():
        return
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"{path} is not a regular file but a pipe, a socket or a device."
        )
    raise FileNotFoundError(f"There is no file {path}.")


def read_bytes(path: str | PathLike[str]) -> bytes:
    """All bytes of a file."""
    check_file(path)
    try:
        return Path(path).read_bytes()
    # Files with holes can be larger than any memory.
    except (MemoryError, OverflowError) as error:
        size = Path(path).stat().st_size
        raise ValueError(f"{path} does not fit in memory: {size} bytes.") from error


def read_text(path: str | PathLike[str]) -> str:
    """The text of a UTF-8 file, without the byte order mark that Windows writes."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def describe_size(n_bytes: int) -> str:
    """A number of bytes for a message; a file may claim one of thousands of digits."""
    return f"{n_bytes} bytes" if n_bytes < 2**63 else "2**63 bytes or more"
