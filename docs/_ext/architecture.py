"""The parts of the package in layers, drawn from the table that a test holds."""

import ast
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

REPOSITORY = Path(__file__).parents[2]
TEST = REPOSITORY / "tests" / "test_architecture.py"
PACKAGE = REPOSITORY / "skhash"
WIDTH, HEIGHT, GAP, SIDE = 800, 34, 18, 8


class Architecture(SphinxDirective):
    """A picture of the layers, and a table of what each part is and may import.

    Its files and their lines are counted when the page is built.
    """

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(TEST))
        table = allowed("MAY_IMPORT")
        rows = ["   * - part", "     - what it is", "     - files", "     - lines"]
        rows.append("     - may import")
        for part in sorted(table, key=lambda part: (layer(part, table), part)):
            needs = ", ".join(sorted(table[part] & table.keys())) or "nothing"
            counts = [path.read_text("utf-8").count("\n") for path in sources(part)]
            rows += [f"   * - ``{part}``", f"     - {summary(part)}"]
            rows += [
                f"     - {len(counts)}",
                f"     - {sum(counts)}",
                f"     - {needs}",
            ]
            for path in sources(part):
                self.env.note_dependency(str(path))
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            "   :widths: 16 42 7 8 27",
            "",
        ]
        lines += rows
        svg = drawing(table, allowed("WITHOUT_TORCH"))
        picture = nodes.raw("", svg, format="html")
        return [picture, *self.parse_text_to_nodes("\n".join(lines))]


def allowed(name: str) -> dict[str, set[str]]:
    """A table of the test, without importing what the test needs."""
    for node in ast.parse(TEST.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return eval(compile(ast.Expression(node.value), TEST, "eval"), {"set": set})
    raise ValueError(f"{TEST} has no table {name}.")


def source(part: str) -> Path:
    folder = PACKAGE / part / "__init__.py"
    return folder if folder.exists() else PACKAGE / f"{part}.py"


def sources(part: str) -> list[Path]:
    """All files of a part."""
    home = source(part)
    return sorted(home.parent.rglob("*.py")) if home.stem == "__init__" else [home]


def summary(part: str) -> str:
    """First line of the docstring of a part."""
    doc = ast.get_docstring(ast.parse(source(part).read_text("utf-8"))) or ""
    return doc.split("\n\n")[0].replace("\n", " ")


def layer(part: str, table: dict[str, set[str]]) -> int:
    """0 for a part that imports no other, else one above the highest it imports."""
    needs = table[part] & table.keys()
    return 1 + max((layer(need, table) for need in needs), default=-1)


def drawing(table: dict[str, set[str]], without_torch: set[str]) -> str:
    """Boxes in rows, the lowest layer at the bottom; colours are those of the theme."""
    levels = {part: layer(part, table) for part in table}
    top = max(levels.values())
    boxes = []
    for level in range(top + 1):
        row = sorted(part for part in table if levels[part] == level)
        width = min((WIDTH - SIDE * (len(row) - 1)) / len(row), 180)
        left = (WIDTH - len(row) * width - SIDE * (len(row) - 1)) / 2
        for i, part in enumerate(row):
            x, y = left + i * (width + SIDE), (top - level) * (HEIGHT + GAP)
            kind = "part light" if part in without_torch else "part"
            needs = ", ".join(sorted(table[part] & table.keys())) or "nothing"
            label = escape(f"{part} may import {needs}")
            place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}"'
            middle = f'x="{x + width / 2:.1f}" y="{y + HEIGHT / 2 + 4}"'
            boxes.append(
                f'<g class="{kind}"><title>{label}</title><rect {place} rx="4"/>'
                f"<text {middle}>{part}</text></g>"
            )
    height = (top + 1) * HEIGHT + top * GAP
    return (
        '<div class="architecture"><svg role="img" aria-label="Parts in layers" '
        f'viewBox="-1 -1 {WIDTH + 2} {height + 2}">{"".join(boxes)}</svg></div>'
    )


def setup(app: Sphinx) -> dict:
    app.add_directive("architecture", Architecture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
