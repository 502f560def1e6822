"""What the benchmark scripts share: data, the machine, results as JSON."""

from __future__ import annotations

import json
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

PACKAGES = ("skhash", "torch", "scikit-learn", "skorch", "numpy", "numba")


def load(folder: Path, name: str) -> tuple[np.ndarray, ...]:
    """X_train, y_train, X_test, y_test of ``folder/name.npz``; of label sets, Y."""
    path = folder / f"{name}.npz"
    if not path.exists():
        raise SystemExit(
            f"{path} does not exist. --data FOLDER must hold {name}.npz with the "
            "arrays X_train, y_train, X_test and y_test."
        )
    with np.load(path) as arrays:
        y = "Y" if "Y_train" in arrays else "y"
        names = ("X_train", f"{y}_train", "X_test", f"{y}_test")
        return tuple(arrays[name] for name in names)


def processor() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def environment() -> dict[str, Any]:
    """Date, versions and machine of a run."""
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "processor": processor(),
        "cores": joblib.cpu_count(),
    }


def command() -> str:
    """What was typed, without the places of this machine."""
    script, *arguments = sys.argv
    words = ["python", f"tests/benchmarks/{Path(script).name}"]
    for before, word in zip(["", *arguments], arguments, strict=False):
        if "--results" not in (before, word):
            words.append("FOLDER" if before == "--data" else word)
    return " ".join(words)


class Results:
    """A JSON file of rows that is written after each one, so that runs can go on.

    Parameters
    ----------
    path : Path
        The file; rows it already holds are kept.
    keys : sequence of str
        Columns that identify a row.
    """

    def __init__(self, path: Path, keys: tuple[str, ...]) -> None:
        self.path = path
        self.keys = keys
        self.rows: list[dict[str, Any]] = []
        if path.exists():
            self.rows = json.loads(path.read_text())["rows"]

    def done(self, **identity: Any) -> bool:
        """Whether a row with this identity is there."""
        return any(all(row[k] == identity[k] for k in self.keys) for row in self.rows)

    def add(self, row: dict[str, Any]) -> None:
        """Append a row and write the file."""
        self.rows.append(row)
        self.rows.sort(key=lambda row: [str(row[key]) for key in self.keys])
        content = {"command": command(), **environment(), "rows": self.rows}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(content, indent=1) + "\n")


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Rows as a plain text table."""
    cells = [list(columns)]
    for row in rows:
        values = (row.get(column, "") for column in columns)
        cells.append([f"{v:.4f}" if isinstance(v, float) else str(v) for v in values])
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )
