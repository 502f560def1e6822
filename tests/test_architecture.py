"""Imports of skhash point one way, and every file stays short.

The table is the architecture: a part may import what its line names, and itself.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skhash"
# The front door names every part on purpose; test_imports.py holds its rules.
SOURCES = sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py"})
LONGEST = 400

MAY_IMPORT = {
    "hamming": {"warn"},
    "losses": {"warn"},
    "networks": set(),
    "batches": set(),
    "optimizers": set(),
    "datasets": {"hamming", "warn"},
    "documentation": set(),
    "warn": set(),
    "metrics": {"hamming", "warn"},
    "distributed": {"hamming"},
    "neighbors": {"hamming", "metrics", "documentation", "warn"},
    "baselines": {"hamming", "metrics", "documentation"},
    "layouts": set(),
    "containers": set(),
    "items": {"batches", "containers", "layouts", "networks"},
    "arrays": {"containers", "layouts"},
    "inputs": {
        *("arrays", "batches", "containers", "items", "layouts"),
        *("networks", "hamming", "warn"),
    },
    "outputs": {"batches", "containers", "items", "warn"},
    "choices": {"losses", "networks"},
    "stopping": set(),
    "restoring": set(),
    "threads": set(),
    "training": {
        *("losses", "networks", "batches", "optimizers"),
        *("choices", "stopping"),
    },
    "callbacks": {"training", "losses", "stopping"},
    "sklearn_callbacks": {"training"},
    "encoding": {
        *("training", "threads", "arrays", "items", "outputs", "networks"),
        *("losses", "batches", "hamming", "warn"),
    },
    "assembly": {
        *("training", "arrays", "inputs", "choices"),
        *("losses", "networks", "batches", "optimizers"),
    },
    "fitting": {
        *("assembly", "training", "callbacks", "sklearn_callbacks"),
        *("inputs", "choices", "threads", "callback_checks"),
        *("losses", "networks", "batches", "hamming", "metrics", "warn"),
    },
    "parameters": {"choices", "callback_checks"},
    "callback_checks": set(),
    "encoder": {
        *("parameters", "documentation", "restoring", "threads"),
        *("fitting", "encoding", "sklearn_callbacks", "inputs"),
        *("losses", "networks", "optimizers"),
    },
    "plots": {"metrics", "hamming"},
    "export": {"hamming"},
    "persistence": {"encoder", "neighbors", "baselines"},
}
ANYTHING = {"cli", "__main__"}
WITHOUT_TORCH = {"hamming", "metrics", "neighbors", "baselines", "plots"}
# Files of those parts that load torch in a function, because their input is torch's:
# codes on a GPU, and a loss object, which takes nothing but tensors.
TORCH_IN_FUNCTIONS = {"hamming/_torch.py", "plots/_loss_shape.py"}


def imports(tree: ast.AST, in_function: bool = False) -> Iterator[tuple[str, bool]]:
    """Names of the imported modules, and whether a function body imports them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or ""), in_function
            elif node.module == "skhash":  # a part, or a name of the front door
                yield from ((f"skhash.{a.name}", in_function) for a in node.names)
            else:
                yield node.module, in_function
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports(node, in_function or function)


def violations(path: str, source: str) -> list[str]:
    """What the file ``path``, relative to the package, does against the rules."""
    part = path.split("/")[0].removesuffix(".py")
    found = []
    for module, in_function in imports(ast.parse(source)):
        top, *rest = module.split(".")
        if not top:
            found.append(f"imports {module!r} relatively")
        elif top == "skhash" and not (rest and rest[0] in MAY_IMPORT):
            found.append(f"imports {module}, which is no part of the table")
        elif top == "skhash" and part not in ANYTHING:
            if rest[0] not in MAY_IMPORT.get(part, set()) | {part}:
                found.append(f"{part} may not import {rest[0]}")
        elif top == "torch" and part in WITHOUT_TORCH:
            if path not in TORCH_IN_FUNCTIONS or not in_function:
                found.append(f"{part} may not import torch")
        elif top in {"matplotlib", "mpl_toolkits"} and not in_function:
            found.append("imports matplotlib outside a function")
    if source.count("\n") > LONGEST:
        found.append(f"has more than {LONGEST} lines")
    return found


@pytest.mark.parametrize(
    "file", SOURCES, ids=lambda file: file.relative_to(PACKAGE).as_posix()
)
def test_file_keeps_the_architecture(file):
    path = file.relative_to(PACKAGE).as_posix()
    assert violations(path, file.read_text(encoding="utf-8")) == []


def test_every_part_has_its_line_in_the_table():
    parts = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in SOURCES}
    assert parts <= MAY_IMPORT.keys() | ANYTHING


def test_table_has_no_cycle():
    left = dict(MAY_IMPORT)
    while free := [part for part, needs in left.items() if not needs & left.keys()]:
        for part in free:
            del left[part]
    assert left == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("hamming/_a.py", "from skhash.metrics import x"),
        ("hamming/_a.py", "import skhash.metrics._ranking"),
        ("hamming/_a.py", "def f():\n    from skhash.metrics import x"),
        ("losses/_a.py", "if True:\n    from skhash.networks import x"),
        ("training.py", "from skhash.hamming import pack"),
        ("hamming/_a.py", "from skhash import metrics"),
        ("encoder.py", "from skhash import HammingNeighbors"),
        ("encoder.py", "import skhash"),
        ("cli.py", "from skhash import DeepHashEncoder"),
        ("hamming/_a.py", "from . import _codes"),
        ("hamming/_a.py", "from ._codes import pack"),
        ("metrics/_a.py", "import torch"),
        ("metrics/_a.py", "def f():\n    import torch.nn"),
        ("hamming/_torch.py", "import torch"),
        ("plots/_a.py", "def f():\n    import torch"),
        ("plots/_loss_shape.py", "import torch"),
        ("plots/_loss_shape.py", "def f():\n    from skhash.losses import LOSSES"),
        ("plots/_a.py", "import matplotlib.pyplot as plt"),
        ("plots/_a.py", "class D:\n    from matplotlib import pyplot"),
        ("hamming/_a.py", "x = 1\n" * (LONGEST + 1)),
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
        ("hamming/_torch.py", "def f():\n    import torch"),
        ("plots/_a.py", "def plot():\n    import matplotlib.pyplot as plt"),
        ("losses/_a.py", "import torch\nfrom torch import nn"),
        ("encoder.py", "from skhash import fitting"),
        ("cli.py", "from skhash.encoder import DeepHashEncoder"),
        ("hamming/_a.py", "x = 1\n" * LONGEST),
    ],
)
def test_checker_allows(path, source):
    assert violations(path, source) == []
