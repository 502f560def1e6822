"""The page of the claims and its pictures, from nothing but the JSON of the runs.

::

    make claims
"""

from __future__ import annotations

import argparse
import textwrap
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import _published
from _all import CLAIMS
from _claim import Claim, Finding, Part, Table
from _findings import NOT_RUN
from _record import RESULTS, Record
from _sets import SETS

PAGE = Path(__file__).parents[3] / "docs" / "user_guide" / "claims.rst"
INTRODUCTION = """\
.. Written by `make claims` from docs/results/claims: change the scripts, not this page.

The papers' claims, measured
============================

What the six papers at the heart of skhash claim, and what becomes of it here: one small
network, trained from nothing on a processor, the same epochs for all losses of a table.
It is a test of the losses, not of the papers' networks; :doc:`/papers` says what of
each is exact.

What is learnt from is the database and test images are the queries, unless a table says
otherwise. mAP is tie-aware, over the whole ranking; mAP\\@1000 counts hits in the first
1000 over the lesser of 1000 and all relevant; precision within 2 is 0 where nothing is
that near. Brackets hold 95 % intervals over the queries, by bootstrap: of a score, or
of a difference, paired query by query. *Not paired* marks those made of the two scores'
own intervals, which are wider. Of several seeds they reach from the lowest end to the
highest; scores of several seeds have their range beside them.

Of a claim each part is judged by the rule that is given with it. The claim *holds* if
all of them do, *in part* if some do. A dash stands for what was not run.
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
        if records[claim.name].rows:
            findings[claim.name].draw(given.results / f"{claim.name}.png")
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
    """What is claimed, the sentence, the picture, the parts; all numbers folded."""
    blocks = [heading(claim.title), "", claim.says, sentence(record, found), ""]
    if not record.rows:
        return "\n".join(blocks)
    tables = [table for table in found.tables if was_run(table)]
    titles = dict.fromkeys(table.title for table in tables)
    path = f"../results/claims/{claim.name}.png"
    alt = f"{claim.title}: {'; '.join(titles)}"
    blocks += [f".. image:: {path}", f"   :alt: {alt}", ""]
    rows = [["what is asked", "here", "by how much"]]
    rows += [[part.statement, answer(part), part.figures] for part in found.parts]
    blocks.append(as_rst(Table("", rows)))
    within = "\n".join([as_rst(table) for table in (*tables, budget(record))])
    within = textwrap.indent(f"{within}\n{provenance(record)}\n", "   ")
    blocks += [".. dropdown:: All numbers, and what they cost", "", within]
    return "\n".join(blocks)


def sentence(record: Record, found: Finding) -> str:
    """The finding in one sentence: the word, on which data, in how many parts, by how
    much.
    """
    if not record.rows:
        return f"**{found.word.capitalize()}.**"
    names = list(dict.fromkeys(SETS[row["set"]].title for row in record.rows))
    data = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    ran = [part for part in found.parts if part.holds is not None]
    if not ran:
        return f"**Not run yet**: runs on {data} are here, but judge no part so far."
    count = f"in {sum(bool(part.holds) for part in ran)} of {len(ran)} parts"
    if left := len(found.parts) - len(ran):
        count += f", with {left} more to run"
    headline = "; ".join(filter(None, found.headline))
    ending = f": {headline}." if headline else "."
    word = found.word[0].upper() + found.word[1:]
    text = f"**{word}** on {data}, {count}{ending}"
    return textwrap.fill(text, 88, break_long_words=False, break_on_hyphens=False)


def was_run(table: Table) -> bool:
    """Whether any number of a table is there."""
    return any(cell and cell != NOT_RUN for row in table.rows[1:] for cell in row[1:])


def answer(part: Part) -> str:
    """Yes, no, or not run."""
    return {True: "yes", False: "no", None: NOT_RUN}[part.holds]


def budget(record: Record) -> Table:
    """What the numbers cost: of each set images, epochs, seconds of a training."""
    of_sets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in record.rows:
        if "epochs" in row:
            of_sets[row["set"]].append(row)
    rows = [["learnt from", "epochs", "trainings", "seconds", "of the processor"]]
    for name, trainings in of_sets.items():
        cpu = [row["cpu_seconds"] for row in trainings if row["cpu_seconds"]]
        wall = median(row["seconds"] for row in trainings)
        rows.append(
            [
                f"{SETS[name].title}: {SETS[name].says}",
                str(SETS[name].epochs),
                str(len(trainings)),
                f"{wall:.0f}",
                f"{median(cpu):.0f}" if cpu else NOT_RUN,
            ]
        )
    return Table("Budget, and median seconds of a training", rows)


def provenance(record: Record) -> str:
    """Where and when all of it was run, and where the numbers are."""
    hours = sum(row["cpu_seconds"] or row["seconds"] for row in record.rows) / 3600
    dates = sorted({row["date"] for row in record.rows})
    of = {
        name: ", ".join(sorted({str(row[name]) for row in record.rows}))
        for name in ("n_jobs", "skhash", "torch", "processor")
    }
    return textwrap.fill(
        f"In all {hours:.1f} hours of a processor, {of['processor']}, that others were "
        f"using, too; threads: {of['n_jobs']}; "
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}, skhash {of['skhash']}, "
        f"torch {of['torch']}. The numbers are in "
        f"``docs/results/claims/{record.claim}.json``.",
        85,
    )


def as_rst(table: Table) -> str:
    """A list-table, with a blank line after it."""
    head = f".. list-table:: {table.title}".rstrip()
    lines = [head, "   :header-rows: 1", "   :widths: auto", ""]
    for row in table.rows:
        lines += [f"   {'-' if i else '* -'} {c}" for i, c in enumerate(row)]
    text = "\n".join(lines).replace("\n   - ", "\n     - ")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def heading(title: str) -> str:
    """A title and its line."""
    return f"{title}\n{'-' * len(title)}"


if __name__ == "__main__":
    main()
