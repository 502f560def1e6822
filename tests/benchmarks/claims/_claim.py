"""What a claim is: its runs, and what they say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from _record import Key, Record
from _training import Run

Records = Mapping[str, Record]


class Part(NamedTuple):
    """A statement of a claim, whether it holds (None: not run yet), and by how much."""

    statement: str
    holds: bool | None
    figures: str = ""


class Table(NamedTuple):
    """A title, a header, and lines of cells."""

    title: str
    rows: list[list[str]]


class Finding(NamedTuple):
    """What was found: parts that are judged, tables, a picture, and the main figures.

    `headline` holds what the sentence of the claim says after its verdict; what was not
    run is an empty string.
    """

    parts: list[Part]
    tables: list[Table]
    draw: Callable[[Path], None]
    headline: list[str]

    @property
    def word(self) -> str:
        """The parts in a word, by the rule of `judge`."""
        return judge(self.parts)


class Claim(NamedTuple):
    """A paper's claim, the runs that measure it, and how they are read.

    Parameters
    ----------
    name : str
        Name of its script and file.
    title, says : str
        Heading, and what the paper claims and how it is measured here, as RST.
    runs : list of Run
        All its runs.
    pairs : list of (Key, Key)
        Runs whose queries are compared in pairs, b minus a.
    finding : callable
        ``finding(records) -> Finding``, from the records of all claims.
    """

    name: str
    title: str
    says: str
    runs: list[Run]
    pairs: list[tuple[Key, Key]]
    finding: Callable[[Records], Finding]


def judge(parts: list[Part]) -> str:
    """Holds if every part does, does not hold here if none does, else in part.

    Parts that were not run have no say, but then the word is preliminary.
    """
    known = [part.holds for part in parts if part.holds is not None]
    if not known:
        return "not run yet"
    if all(known):
        word = "holds"
    else:
        word = "holds in part" if any(known) else "does not hold here"
    return word if len(known) == len(parts) else f"{word}, as far as it was run"
