"""Imports of skhash point one way, and every file stays short.

The table is the architecture: a part may import what its line names, and itself.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skhash"
# The front door names every part on purpose; test_imports.py holds its rules.
SOURCES = sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py"})
MODULES = {file.relative_to(PACKAGE.parent).with_suffix("").parts for file in SOURCES}
# Lines of code in a file; blank lines, comments and docstrings are free.
LONGEST = 250

MAY_IMPORT = {
    "__main__": {"cli"},
    "cli": {"archive", "baselines", "datasets", "encoder", "export", "hamming"}
    | {"hints", "metrics", "neighbors", "persistence", "progress"},
    "documentation": set(),
    "hints": set(),
    "archive": set(),
    "charts": set(),
    "locks": set(),
    "progress": set(),
    "vectors": set(),
    "warn": set(),
    "networks": {"locks"},
    "hamming": {"warn"},
    "losses": {"baselines", "hints", "warn"},
    "datasets": {"hamming", "hints", "warn"},
    "metrics": {"charts", "hamming", "hints", "progress", "vectors", "warn"},
    "export": {"archive", "baselines", "encoder", "hamming", "neighbors", "warn"},
    "persistence": {"archive", "encoder", "neighbors", "warn"},
    "neighbors": {"baselines", "hamming", "metrics"}
    | {"documentation", "hints", "locks", "progress", "warn"},
    "plots": {"hamming", "metrics"},
    "distributed": {"archive", "hamming", "hints", "metrics", "neighbors"}
    | {"persistence", "warn"},
    "baselines": {"documentation", "hamming", "hints", "locks", "progress", "warn"},
    "encoder": {"archive", "baselines", "hamming", "losses", "metrics", "networks"}
    | {"documentation", "hints", "progress", "vectors", "warn"},
}
WITHOUT_TORCH = {"archive", "baselines", "hamming", "metrics", "neighbors", "vectors"}
WITHOUT_TORCH |= {"cli", "distributed", "persistence", "plots"}
# Files of those parts that load torch in a function, because their input is torch's:
# codes on a GPU, and a loss object, which takes nothing but tensors.
TORCH_IN_FUNCTIONS = {"hamming/indexes/torch.py", "plots/_loss_shape.py"}


def imports(
    tree: ast.AST, in_function: bool = False, for_types: bool = True
) -> Iterator[tuple[str, bool]]:
    """Names of what is imported, and whether a function body imports them.

    ``from a import b`` is ``a.b``, be it a module or a name of one. What a type checker
    alone imports counts, too, unless ``for_types`` is false.
    """
    for node in ast.iter_child_nodes(tree):
        if not for_types and ast.unparse(node).startswith("if TYPE_CHECKING:"):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((f"{start}.{a.name}", in_function) for a in node.names)
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports(node, in_function or function, for_types)


def violations(path: str, source: str) -> list[str]:
    """What the file ``path``, relative to the package, does against the rules."""
    part = part_of(path)
    found = []
    for name, in_function in imports(ast.parse(source)):
        top, *rest = name.split(".")
        if not top:
            found.append(f"imports {name!r} relatively")
        elif top == "skhash" and not (rest and rest[0] in MAY_IMPORT):
            found.append(f"imports {name}, which is no part of the table")
        elif top == "skhash" and rest[0] != part:
            if rest[0] not in MAY_IMPORT.get(part, set()):
                found.append(f"{part} may not import {rest[0]}")
            elif any(each.startswith("_") for each in rest):
                found.append(f"imports {name}, which is private to {rest[0]}")
        elif top == "torch" and part in WITHOUT_TORCH:
            if path not in TORCH_IN_FUNCTIONS or not in_function:
                found.append(f"{part} may not import torch")
        elif top in {"matplotlib", "mpl_toolkits"} and not in_function:
            found.append("imports matplotlib outside a function")
    if (length := code_lines(source)) > LONGEST:
        found.append(f"has {length} lines of code, more than {LONGEST}")
    return found


def part_of(path: str) -> str:
    """The part that a file belongs to: a folder, or a file at the top."""
    return path.split("/")[0].removesuffix(".py")


def code_lines(source: str) -> int:
    """Number of lines that hold code: no blank lines, comments and docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    silent |= {tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        holder = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if (
            isinstance(node, holder)
            and ast.get_docstring(node, clean=False) is not None
        ):
            text = node.body[0]
            lines.difference_update(range(text.lineno, (text.end_lineno or 0) + 1))
    return len(lines)


def without_free(needs: dict) -> dict:
    """What is left of a table of needs when all that has no open need is taken away."""
    left = dict(needs)
    while free := [each for each in left if not left[each] & left.keys()]:
        for each in free:
            del left[each]
    return left


@pytest.mark.parametrize(
    "file", SOURCES, ids=lambda file: file.relative_to(PACKAGE).as_posix()
)
def test_file_keeps_the_architecture(file):
    path = file.relative_to(PACKAGE).as_posix()
    assert violations(path, file.read_text(encoding="utf-8")) == []


def test_every_part_has_its_line_in_the_table_and_every_line_its_part():
    assert MAY_IMPORT.keys() == {
        part_of(file.relative_to(PACKAGE).as_posix()) for file in SOURCES
    }
    assert MAY_IMPORT.keys() >= WITHOUT_TORCH
    assert all(needs <= MAY_IMPORT.keys() for needs in MAY_IMPORT.values())
    assert all((PACKAGE / path).exists() for path in TORCH_IN_FUNCTIONS)


def test_table_has_no_cycle():
    assert without_free(MAY_IMPORT) == {}


@pytest.mark.slow
def test_files_import_one_way():
    needs = {}
    for file in SOURCES:
        own = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found = imports(ast.parse(file.read_text(encoding="utf-8")), for_types=False)
        needs[own] = {module_of(tuple(name.split("."))) for name, _ in found} - {own}
    left = without_free(needs)
    assert {"/".join(own): left[own] & left.keys() for own in left} == {}


def module_of(name: tuple[str, ...]) -> tuple[str, ...]:
    """The file that an imported name stands in."""
    for end in (name, name[:-1]):
        if end in MODULES:
            return end
        if (*end, "__init__") in MODULES:
            return (*end, "__init__")
    return name


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("hamming/_a.py", "from skhash.metrics import x"),
        ("hamming/_a.py", "import skhash.metrics.ranking"),
        ("hamming/_a.py", "def f():\n    from skhash.metrics import x"),
        ("losses/_a.py", "if True:\n    from skhash.networks import x"),
        ("losses/_a.py", "from skhash.hamming import pack"),
        ("hamming/_a.py", "from skhash import metrics"),
        ("encoder/_a.py", "from skhash import HammingNeighbors"),
        ("encoder/_a.py", "import skhash"),
        ("encoder/_a.py", "from skhash.hamming._codes import pack"),
        ("encoder/_a.py", "from skhash.hamming import _codes"),
        ("encoder/_a.py", "from skhash.hamming.codes import _pack"),
        ("encoder/_a.py", "import skhash.hamming._codes"),
        ("plots/_a.py", "from skhash.metrics.from_histograms._ranks import x"),
        ("hamming/_a.py", "from . import _codes"),
        ("hamming/_a.py", "from ._codes import pack"),
        ("metrics/_a.py", "import torch"),
        ("metrics/_a.py", "from torch import Tensor"),
        ("metrics/_a.py", "def f():\n    import torch.nn"),
        ("hamming/indexes/torch.py", "import torch"),
        ("plots/_a.py", "def f():\n    import torch"),
        ("plots/_loss_shape.py", "import torch"),
        ("plots/_loss_shape.py", "def f():\n    from skhash.losses import LOSSES"),
        ("plots/_a.py", "import matplotlib.pyplot as plt"),
        ("plots/_a.py", "class D:\n    from matplotlib import pyplot"),
        ("hamming/_a.py", "x = 1\n" * (LONGEST + 1)),
        ("hamming/_a.py", "x = '''\n" + "text\n" * LONGEST + "'''"),
        ("nowhere.py", "from skhash.hamming import pack"),
    ],
)
def test_checker_finds_a_violation(path, source):
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("hamming/_a.py", "import numpy\nfrom skhash.hamming._codes import pack"),
        ("metrics/_a.py", "from skhash.hamming import pack"),
        ("metrics/_a.py", "from skhash.hamming.labels import check_labels"),
        ("hamming/indexes/torch.py", "def f():\n    import torch"),
        ("plots/_a.py", "def plot():\n    import matplotlib.pyplot as plt"),
        ("losses/_a.py", "import torch\nfrom torch import nn"),
        ("encoder/_a.py", "from skhash import metrics"),
        ("encoder/_a.py", "from skhash.encoder._fit import fit"),
        ("hamming/_a.py", '"""A\n\nb."""\n\n# c\n' + "x = 1\n\n" * LONGEST),
    ],
)
def test_checker_allows(path, source):
    assert violations(path, source) == []


def test_imports_for_types_can_be_left_out():
    source = (
        "import a\nif TYPE_CHECKING:\n    from b import c\ndef f():\n    import d\n"
    )
    tree = ast.parse(source)
    assert list(imports(tree)) == [("a", False), ("b.c", False), ("d", True)]
    assert list(imports(tree, for_types=False)) == [("a", False), ("d", True)]


def test_code_lines_are_counted_by_hand():
    source = '"""Doc."""\n\nimport a  # why\n\n\nclass B:\n    """Doc."""\n\n'
    source += "    def f(self):\n        '''Doc\n\n        more.\n        '''\n"
    source += "        return (\n            1\n        )\n"
    assert code_lines(source) == 6
