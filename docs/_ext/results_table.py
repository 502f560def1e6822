"""Tables of docs/results/*.json, so that the page shows what was measured last."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

RESULTS = Path(__file__).parents[1] / "results"
PLAIN = ("", "auto")  # defaults, not worth a word


class ResultsTable(SphinxDirective):
    """Means over seeds of one value of a results file, as rows and columns.

    ``.. results-table:: families-mnist.json`` with the options ``rows`` and ``columns``
    (names of the file's entries), ``value`` (default: mAP) and ``digits`` (4).
    """

    required_arguments = 1
    option_spec = {  # noqa: RUF012 (as docutils has it)
        "rows": directives.unchanged_required,
        "columns": directives.unchanged_required,
        "value": directives.unchanged,
        "digits": directives.nonnegative_int,
    }

    def run(self) -> list[nodes.Node]:
        path = RESULTS / self.arguments[0]
        self.env.note_dependency(str(path))
        content = json.loads(path.read_text())
        by, across = self.options["rows"].split(), self.options["columns"]
        cells = defaultdict(list)
        for row in content["rows"]:
            name = ", ".join(
                _word(key, row[key]) for key in by if row[key] not in PLAIN
            )
            cells[name, row[across]].append(row[self.options.get("value", "mAP")])
        # In the order of the file.
        names = list(dict.fromkeys(name for name, _ in cells))
        columns = list(dict.fromkeys(column for _, column in cells))
        if all(isinstance(column, int) for column in columns):
            columns.sort()
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for line in [["", *columns], *([n, *columns] for n in names)]:
            head, *rest = line
            if head:
                found = [cells.get((head, column)) for column in rest]
                rest = [
                    _cell(values, int(self.options.get("digits", 4)))
                    for values in found
                ]
                head = head if " " in head else f"``{head}``"
            lines += [
                f"   {'* -' if i == 0 else '  -'} {c}"
                for i, c in enumerate([head, *rest])
            ]
        return self.parse_text_to_nodes("\n".join([*lines, "", _caption(content)]))


def _caption(content: dict) -> str:
    return (
        f"{content['date']}, skhash {content['skhash']}, torch {content['torch']}, "
        f"{content['processor']}. ``{content['command']}``"
    )


def _word(key: str, value: object) -> str:
    return str(value) if key not in ("normalize_z", "n_bits") else f"{key}={value}"


def _cell(values: list[float] | None, digits: int) -> str:
    if not values:
        return ""
    text = f"{mean(values):.{digits}f}"
    if len(values) == 1:
        return text
    low, high = (f"{end(values):.{digits}f}" for end in (min, max))
    return f"{text} ({len(values)} seeds, {low} to {high})"


def setup(app: Sphinx) -> dict:
    app.add_directive("results-table", ResultsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
