"""A directive that lists all loss families, so that the page never lags behind."""

import inspect

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from skhash.losses import LOSSES


class LossTable(SphinxDirective):
    """Name, class and first line of the docstring of each family in `LOSSES`."""

    def run(self) -> list[nodes.Node]:
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            "   :widths: 22 78",
            "",
            "   * - ``loss=``",
            "     - family",
        ]
        for name, family in sorted(LOSSES.items()):
            summary = inspect.getdoc(family).splitlines()[0]
            link = f":class:`~skhash.losses.{family.__name__}`"
            lines += [f"   * - ``{name!r}``", f"     - {link}: {summary}"]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict:
    app.add_directive("loss-table", LossTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
