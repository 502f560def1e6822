"""A file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` at the end of the body.

    It stands beside it until then, under another name. A process that is killed leaves
    the old file, and perhaps a part of the new one, as ``*.part``; an error leaves the
    old file alone. What was renamed is on the disk: a power cut does not undo it.

    Raises
    ------
    FileNotFoundError
        If the folder is missing. It is the caller's to make: a slip in a path would
        make folders that nobody looks into.
    """
    path = path.resolve()  # through a link, to what it leads to
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {path.parent} to write {path.name} into: make it "
            "first."
        )
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            with contextlib.suppress(FileNotFoundError):  # as open as the old one
                part.chmod(stat.S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
