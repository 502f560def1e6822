"""Where commands write: checked before any work is done."""

from __future__ import annotations

from pathlib import Path


def check_target(path: str, *inputs: str) -> Path:
    """A file that can be written; none of those that are read."""
    target = Path(path)
    if target.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file.")
    if not target.parent.is_dir():
        raise ValueError(f"There is no folder {target.parent} to write into.")
    for each in inputs:
        if target.exists() and Path(each).exists() and target.samefile(each):
            raise ValueError(f"{path} is read and cannot be written, too.")
    return target


def model_file(path: str, *inputs: str) -> Path:
    """A .skhash file to write."""
    if Path(path).suffix.lower() != ".skhash":
        raise ValueError(f"Models are written into .skhash files, not {path}.")
    return check_target(path, *inputs)
