"""What the pages say of a loss family, taken from its class and from measurements."""

import inspect
import json
import re
from statistics import mean

import torch
from docutils import nodes
from results_table import RESULTS
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from skhash.losses import LOSSES

# Sizes for which parameters that are "auto" are worked out.
N_BITS, N_CLASSES = 32, 10


class LossFormulas(SphinxDirective):
    """Summary and formula of each family, from its docstring, one section each."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for name, family in sorted(LOSSES.items(), key=lambda item: item[1].__name__):
            title = family.__name__
            lines += [title, "~" * len(title), ""]
            lines += [f":class:`~skhash.losses.{title}`, ``loss={name!r}``.", ""]
            lines += [formula(inspect.getdoc(family)), ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class PaperValues(SphinxDirective):
    """Parameters of a family: the paper's values, as typed, beside our defaults.

    ``.. paper-values:: dhn`` with one ``parameter: value`` a line.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        family = LOSSES[self.arguments[0]]
        defaults = inspect.signature(family).parameters
        rows = [("parameter", "paper, or its program", "default here")]
        for line in self.content:
            name, _, value = line.partition(": ")
            if name in defaults:
                ours = default(family, name, defaults[name].default)
            elif name == "normalize_z":
                ours = f"``{family.normalize_z}``"
            else:
                raise self.error(f"{family.__name__} has no parameter {name}.")
            rows.append((f"``{name}``", value, ours))
        return self.parse_text_to_nodes(table(rows))


class FamilyResults(SphinxDirective):
    """mAP of a family on each measured data set: ``.. family-results:: dhn``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        loss = self.arguments[0]
        found, notes = {}, []
        for path in sorted(RESULTS.glob("families-*.json")):
            self.env.note_dependency(str(path))
            content = json.loads(path.read_text("utf-8"))
            title = path.stem.removeprefix("families-").replace("_", "-")
            for row in content["rows"]:
                if row["loss"] == loss:
                    cell = found.setdefault(f"{title}, {row['epochs']} epochs", {})
                    cell.setdefault(row["n_bits"], []).append(row["mAP"])
            notes.append(f"{title}: {content['date']}, skhash {content['skhash']}")
        lengths = sorted({n_bits for cells in found.values() for n_bits in cells})
        rows = [("mAP", *(f"{n_bits} bits" for n_bits in lengths))]
        rows += [
            (title, *(score(cells.get(n_bits)) for n_bits in lengths))
            for title, cells in found.items()
        ]
        caption = f"{'; '.join(notes)}. Settings: :doc:`/user_guide/results`."
        return self.parse_text_to_nodes(f"{table(rows)}\n\n{caption}")


def formula(doc: str) -> str:
    """The paragraphs of a docstring before it says how faithful they are."""
    text = doc.split("\nParameters\n---")[0]
    kept = re.split(r"\n\n(?=Exact|\*\*Derived|\*\*Partly)", text)[0]
    return re.sub(r"\s*\[\d\]_", "", kept)


def default(family: type, name: str, value: object) -> str:
    """A default as code; what "auto" comes to is worked out."""
    if value != "auto":
        shown = f'"{value}"' if isinstance(value, str) else value
        return f"``{shown}``"
    generator = torch.Generator().manual_seed(0)
    loss = family().setup(N_BITS, torch.arange(N_CLASSES), generator=generator)
    worked_out = getattr(loss, f"{name}_")
    return f'``"auto"``: {worked_out:.3g} for {N_BITS} bits, {N_CLASSES} classes'


def score(values: list[float] | None) -> str:
    """Mean over seeds, and how many there are."""
    if not values:
        return ""
    seeds = f" ({len(values)} seeds)" if len(values) > 1 else ""
    return f"{mean(values):.4f}{seeds}"


def table(rows: list[tuple[str, ...]]) -> str:
    """A list-table with a header row."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines)


def setup(app: Sphinx) -> dict:
    app.add_directive("loss-formulas", LossFormulas)
    app.add_directive("paper-values", PaperValues)
    app.add_directive("family-results", FamilyResults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
