"""Where commands write: checked before any work is done."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

# Arguments of commands that name what is read.
_READ = ("file", "model", "items", "database", "queries", "labels", "database_labels")


def inputs_of(args: argparse.Namespace) -> list[str]:
    """Every path that a command reads, as its arguments name them."""
    return [path for name in _READ if (path := getattr(args, name, None))]


def check_target(path: str, inputs: Iterable[str]) -> Path:
    """A file that can be written; none of those that are read."""
    target = Path(path)
    if target.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file.")
    if not target.parent.is_dir():
        raise ValueError(f"There is no folder {target.parent} to write into.")
    for each in inputs:
        if _is_same(target, Path(each)):
            raise ValueError(f"{path} is read and cannot be written, too.")
    return target


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths name one file, also by links, and if it is yet to be made."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def model_file(path: str, inputs: Iterable[str]) -> Path:
    """A .skhash file to write."""
    if Path(path).suffix.lower() != ".skhash":
        raise ValueError(f"Models are written into .skhash files, not {path}.")
    return check_target(path, inputs)
