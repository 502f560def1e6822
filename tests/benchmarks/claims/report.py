"""The page of the claims and its pictures, from nothing but the JSON of the runs.

::

    make claims
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import _published
from _all import CLAIMS
from _claim import Claim, Finding, Part, Table
from _record import RESULTS, Record
from _sets import SETS

NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}
PAGE = Path(__file__).parents[3] / "docs" / "user_guide" / "claims.rst"
INTRODUCTION = """\
.. Written by `make claims` from docs/results/claims: change the scripts, not this page.

The papers' claims, measured
============================

What the six papers at the heart of skhash claim, and what becomes of it here: one small
network, trained from nothing on a processor, the same epochs for all losses of a table.
It is a test of the losses, not of the papers' networks; :doc:`/papers` says what of
each is exact.

Images to learn from are the database and test images the queries, unless a table says
otherwise. mAP is tie-aware, over the whole ranking; mAP\\@1000 counts hits in the first
1000 over the lesser of 1000 and all relevant; precision within 2 is 0 where nothing is
that near. Brackets hold 95 % intervals over the queries, by bootstrap; differences are
paired, query by query. A claim *holds* if all of its parts do, *in part* if some do;
each says its rule.
"""


def main() -> None:
    """Write page and pictures, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    given.results.mkdir(parents=True, exist_ok=True)
    records = {claim.name: Record(claim.name, given.results) for claim in CLAIMS}
    findings = {claim.name: claim.finding(records) for claim in CLAIMS}
    for claim in CLAIMS:
        draw = findings[claim.name].draw
        if draw is not None and records[claim.name].rows:
            draw(given.results / f"{claim.name}.png")
        print(f"{claim.title}: {findings[claim.name].word}")
    given.page.write_text(page(records, findings), "utf-8")


def page(records: dict[str, Record], findings: dict[str, Finding]) -> str:
    """The whole page as RST."""
    overview = [["claim of", "here", "parts that hold"]]
    for claim in CLAIMS:
        parts = findings[claim.name].parts
        ran = [part for part in parts if part.holds is not None]
        count = f"{sum(bool(p.holds) for p in ran)} of {len(ran)}" if ran else ""
        left = len(parts) - len(ran)
        count += f", {left} not run yet" if left and ran else ""
        overview.append([f"`{claim.title}`_", findings[claim.name].word, count])
    sections = [
        section(claim, records[claim.name], findings[claim.name]) for claim in CLAIMS
    ]
    published = _published.table()
    last = f"{heading(published.title)}\n\n{_published.SAYS}\n{as_rst(published)}"
    blocks = [INTRODUCTION, as_rst(Table("", overview)), *sections, last]
    return "\n".join(blocks).rstrip() + "\n"


def section(claim: Claim, record: Record, found: Finding) -> str:
    """What is claimed, the sentence, its parts, tables and picture."""
    blocks = [heading(claim.title), "", claim.says, sentence(record, found), ""]
    if record.rows:
        rows = [["part", "holds", "figures"]]
        rows += [[part.statement, answer(part), part.figures] for part in found.parts]
        blocks.append(as_rst(Table("Parts", rows)))
    if record.rows and found.draw is not None:
        titles = dict.fromkeys(table.title for table in found.tables)
        alt = f"{claim.title}: {'; '.join(titles)}"
        path = f"../results/claims/{claim.name}.png"
        blocks += [f".. image:: {path}", f"   :alt: {alt}", ""]
    if record.rows:
        blocks += [as_rst(table) for table in found.tables]
        blocks += [budget(record), ""]
    return "\n".join(blocks)


def sentence(record: Record, found: Finding) -> str:
    """The finding in one sentence: the word, on which images, in how many parts."""
    if not record.rows:
        return f"**{found.word.capitalize()}.**"
    names = dict.fromkeys(NAMES[SETS[row["set"]].file] for row in record.rows)
    ran = [part for part in found.parts if part.holds is not None]
    yes = sum(bool(part.holds) for part in ran)
    left = len(found.parts) - len(ran)
    return (
        f"**{found.word.capitalize()}**: on {' and '.join(names)}, in {yes} of "
        f"{len(ran)} parts" + (f"; {left} have not been run." if left else ".")
    )


def answer(part: Part) -> str:
    """Yes, no, or not run yet."""
    return {True: "yes", False: "no", None: "not run yet"}[part.holds]


def budget(record: Record) -> str:
    """What the numbers cost: images, epochs, seconds of a training, dates."""
    of_sets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in record.rows:
        of_sets[row["set"]].append(row)
    texts = []
    for name, rows in of_sets.items():
        trainings = [row for row in rows if "epochs" in row]
        cpu = [row["cpu_seconds"] for row in trainings if row["cpu_seconds"]]
        wall = median(row["seconds"] for row in trainings)
        texts.append(
            f"*{name}*: {SETS[name].says}, {SETS[name].epochs} epochs, "
            f"{len(trainings)} trainings of {wall:.0f} s"
            + (f" ({median(cpu):.0f} s of processor time)" if cpu else "")
        )
    hours = sum(row["cpu_seconds"] or row["seconds"] for row in record.rows) / 3600
    dates = sorted({row["date"] for row in record.rows})
    row = record.rows[-1]
    texts.append(
        f"in all {hours:.1f} hours of processor time, two threads on a machine with "
        f"other tenants, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, skhash "
        f"{row['skhash']}, torch {row['torch']}, {row['processor']}; "
        f"``docs/results/claims/{record.claim}.json``"
    )
    return f"Budget: {'; '.join(texts)}."


def as_rst(table: Table) -> str:
    """A list-table, with a blank line after it."""
    head = f".. list-table:: {table.title}".rstrip()
    lines = [head, "   :header-rows: 1", ""]
    for row in table.rows:
        lines += [f"   {'-' if i else '* -'} {c}" for i, c in enumerate(row)]
    text = "\n".join(lines).replace("\n   - ", "\n     - ")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def heading(title: str) -> str:
    """A title and its line."""
    return f"{title}\n{'-' * len(title)}"


if __name__ == "__main__":
    main()
