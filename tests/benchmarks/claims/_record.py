"""What was measured for a claim: a JSON file that is whole after every run."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1]))  # for _harness
from _harness import environment
from _locks import held

RESULTS = Path(__file__).parents[3] / "docs" / "results" / "claims"
# Facts of a machine that every row of a day shares; the file keeps those of the last.
ROW_FACTS = ("date", "skhash", "torch", "processor")


@cache
def _machine() -> dict[str, Any]:
    return environment()


def now() -> dict[str, Any]:
    """Versions and machine, and today."""
    return {**_machine(), "date": date.today().isoformat()}


class Key(NamedTuple):
    """Which run it is."""

    claim: str
    set: str
    loss: str
    variant: str
    n_bits: int
    seed: int

    @property
    def slug(self) -> str:
        """A file name of its own."""
        return "-".join(str(part).replace(" ", "_").replace("/", "_") for part in self)


class Record:
    """Rows of one claim, each written as soon as it is there.

    Several processes may add to it: each reads what the file holds, and writes all of
    it, while it holds the folder.

    Parameters
    ----------
    claim : str
        Name of the claim, and of its file.
    folder : Path
        Where the files of all claims are.
    """

    def __init__(self, claim: str, folder: Path = RESULTS) -> None:
        self.claim, self.path = claim, folder / f"{claim}.json"
        self.rows: list[dict[str, Any]] = []
        self.comparisons: list[dict[str, Any]] = []
        self.read()

    def read(self) -> None:
        """Take what the file holds now: other processes may have written to it."""
        if self.path.exists():
            content = json.loads(self.path.read_text("utf-8"))
            self.rows = content["rows"]
            self.comparisons = content["comparisons"]

    def row(self, key: Key) -> dict[str, Any] | None:
        """The row of a run, or None if it has not been made."""
        found = (row for row in self.rows if identity(row) == key[1:])
        return next(found, None)

    def select(self, **wanted: Any) -> list[dict[str, Any]]:
        """Rows with these entries, in the order of sets, losses, variants and bits."""
        return [r for r in self.rows if all(r.get(k) == v for k, v in wanted.items())]

    def add(self, key: Key, **values: Any) -> None:
        """Add the row of a run to the file, in place of an older one.

        Comparisons of the older one go with it.
        """
        today = now()
        facts = {name: today[name] for name in ROW_FACTS}
        row = {**key._asdict(), **values, **facts}
        del row["claim"]
        with held(self.path.parent):
            self.read()
            if self.row(key) is not None:
                mine = list(key[1:])
                self.comparisons = [
                    c for c in self.comparisons if mine not in (c["a"], c["b"])
                ]
            self.rows = [row for row in self.rows if identity(row) != key[1:]]
            self.rows = sorted([*self.rows, row], key=identity)
            self._write()

    def comparison(self, a: Key, b: Key) -> dict[str, Any] | None:
        """The paired comparison of two runs, or None if it has not been made."""
        ends = (list(a[1:]), list(b[1:]))
        found = (c for c in self.comparisons if (c["a"], c["b"]) == ends)
        return next(found, None)

    def compare(self, a: Key, b: Key, **values: Any) -> None:
        """Add the comparison of two runs, b minus a, to the file."""
        new = {"a": list(a[1:]), "b": list(b[1:]), **values}
        with held(self.path.parent):
            self.read()
            made = [
                c for c in self.comparisons if (c["a"], c["b"]) != (new["a"], new["b"])
            ]
            by_ends = lambda c: [[str(part) for part in c[k]] for k in "ab"]
            self.comparisons = sorted([*made, new], key=by_ends)
            self._write()

    def _write(self) -> None:
        """Write beside the file and put it in its place: a kill leaves the old one."""
        facts = {
            "claim": self.claim,
            "command": f"python tests/benchmarks/claims/{self.claim}.py --data FOLDER",
            **now(),
        }
        entries = [f"{json.dumps(name)}: {json.dumps(v)}" for name, v in facts.items()]
        for name in ("rows", "comparisons"):
            lines = ",\n".join(f"  {json.dumps(row)}" for row in getattr(self, name))
            entries.append(f'"{name}": [\n{lines}\n ]')
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        part.write_text("{\n " + ",\n ".join(entries) + "\n}\n", "utf-8")
        part.replace(self.path)


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a row from the others of its claim."""
    return tuple(row[name] for name in Key._fields[1:])
