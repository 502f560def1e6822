"""Every public name says what it takes, returns and refuses, and shows it at work."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from functools import cache

import pytest

import skhash

ARRAYS = re.compile(r"\b(array-like|ndarray|sparse matrix|Tensor)\b")
HEADING = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", re.M)
ENTRY = re.compile(r"^(\*{0,2}\w[\w, *]*?)(?: : (.+(?:\n .*)*?))?$")
# "See `HashLoss.plan`." or "as :func:`skhash.hamming.nearest` does." say the rest.
ELSEWHERE = re.compile(r"\b(?:See|as)\s(?::\w+:)?`([\w.]+)`(?:\sdoes)?\.")
# "All else is as in :func:`precision_at_k` and :func:`average_precision`." stands for
# all sections and parameters that the docstring itself does not have.
LENT = r"All\selse\sis\sas\sin\s((?:(?::\w+:)?`[\w.]+`(?:,\s|\sand\s)?)+)"
ALL_ELSE = re.compile(LENT)

# Names that measure nothing themselves need no paper; the functions of
# `from_histograms` have those of the metrics that they mirror.
NO_REFERENCE = {
    "skhash.losses.HashLoss": "the contract",
    "skhash.losses.Stage": "a line of a plan",
    "skhash.losses.from_callable": "wraps a function",
    "skhash.metrics.Comparison": "what `compare` returns",
    "skhash.metrics.RetrievalCurve": "what the curves return",
    "skhash.metrics.RetrievalReport": "what `evaluate` returns",
    "skhash.metrics.find_duplicates": "compares items",
    "skhash.metrics.make_retrieval_scorer": "wraps a metric",
    "skhash.metrics.order_bits": "greedy search over a metric",
    "skhash.metrics.score_by_length": "a metric for each prefix",
}


@cache
def public_modules():
    """The front door and all packages whose names a user may rely on."""
    names = [
        module.name
        for module in pkgutil.walk_packages(skhash.__path__, "skhash.")
        if module.ispkg and "._" not in module.name
    ]
    return {name: importlib.import_module(name) for name in ["skhash", *names]}


@cache
def public_names():
    """Classes and functions of `public_modules` by their qualified names."""
    found = {}
    for name, module in public_modules().items():
        for member in module.__all__:
            value = getattr(module, member)
            home = inspect.getmodule(value)
            documented = inspect.isclass(value) or inspect.isroutine(value)
            if documented and home.__name__.startswith("skhash"):
                found.setdefault(value, f"{name}.{member}")
    return {name: value for value, name in found.items()}


def sections(doc):
    """Body of each numpydoc section; the text before the first one is under ''."""
    parts = HEADING.split(doc)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(body):
    """Name and type of each entry of a section such as Parameters."""
    joined = re.sub(r"\\\n\s*", "", body)
    found = {}
    for block in re.split(r"\n(?=\S)", joined.strip("\n")):
        head, _, text = block.partition("\n")
        match = ENTRY.match(head)
        if match:
            kind = match[2] or ("as there" if text.strip().startswith("As in") else "")
            for name in match[1].split(","):
                found[name.strip().lstrip("*")] = kind
    return found


def parameters(function):
    """Names of the parameters that a caller gives, apart from ``**options``."""
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
    ]


def raises(function):
    """Whether the body refuses something: raises, or calls a check."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if re.match(r"_?(check|validate)", name) and name != "check_is_fitted":
                return True
    return False


def returns(function):
    """Whether the body returns a value, or yields one."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    return any(
        (isinstance(node, ast.Return) and node.value is not None)
        or isinstance(node, ast.Yield | ast.YieldFrom)
        for node in ast.walk(tree)
    )


def complaints_of_text(doc, function):
    """What misses in summary and parameters."""
    parts = sections(doc)
    wanted = parameters(function)
    summary = doc.strip().split("\n\n")[0]
    if not summary.endswith((".", "?", ":")):
        yield "no summary that ends in a full stop"
    documented = entries(parts.get("Parameters", ""))
    results = entries(parts.get("Attributes", "")) if not documented else {}
    lent = lent_parameters(doc, function)
    for name in [n for n in wanted if n not in results]:  # a record has only those
        if name in lent and name not in documented:
            if lent[name] == "as there":
                yield f"parameter {name} is two steps away"
        elif name not in documented:
            yield f"parameter {name} is not documented"
        elif not documented[name]:
            yield f"parameter {name} has no type"
    for name in documented.keys() - set(wanted):
        if name not in inspect.signature(function).parameters:
            yield f"{name} is documented but is no parameter"
    for section in ("Parameters", "Returns", "Yields", "Attributes"):
        for name, kind in entries(parts.get(section, "")).items():
            if ARRAYS.search(kind or name) and "shape" not in kind + name:
                yield f"{section}: {name} is an array without a shape"


def lenders(doc, function):
    """What "All else is as in ..." names, and what of those names does not exist."""
    names = re.findall(r"`([\w.]+)`", "".join(ALL_ELSE.findall(doc)))
    package = inspect.getmodule(function).__name__.split("._")[0]
    values = {n: resolve(f"{package}.{n}") or resolve(n) for n in names}
    missing = [name for name in names if values[name] is None]
    return [value for value in values.values() if value is not None], missing


def lent_parameters(doc, function):
    """Parameters of the lenders and their types, spelt out where one of them does."""
    found = {}
    for lender in lenders(doc, function)[0]:
        body = sections(inspect.getdoc(lender)).get("Parameters", "")
        for name, kind in entries(body).items():
            if found.get(name, "as there") == "as there":
                found[name] = kind
    return found


def all_sections(doc, function):
    """Headings of the docstring and of those that it names for all else."""
    lent = (sections(inspect.getdoc(lender)) for lender in lenders(doc, function)[0])
    return sections(doc).keys() | {heading for parts in lent for heading in parts}


def complaints_of_function(function):
    """What the docstring of a function or method lacks."""
    doc = inspect.getdoc(function) or ""
    if elsewhere := ELSEWHERE.search(doc.strip()):
        if resolve(elsewhere[1]) is None:
            yield f"refers to {elsewhere[1]}, which does not exist"
        return
    for name in lenders(doc, function)[1]:
        yield f"refers to {name}, which does not exist"
    yield from complaints_of_text(doc, function)
    headings = all_sections(doc, function)
    if returns(function) and not {"Returns", "Yields"} & headings:
        yield "no section Returns"
    if raises(function) and "Raises" not in headings:
        yield "no section Raises"


def resolve(name):
    """What `HashLoss.setup` or `skhash.hamming.pack` stands for, if anything."""
    for qualified, value in public_names().items():
        short = qualified.rpartition(".")[2]
        if name in (qualified, short):
            return value
        if name.startswith(f"{short}."):
            return getattr(value, name.removeprefix(f"{short}."), None)
    return None


def methods(cls):
    """Public methods that the class has from skhash, itself or by inheritance."""
    for name, value in inspect.getmembers(cls, inspect.isroutine):
        home = inspect.getmodule(inspect.unwrap(value))
        ours = home is not None and home.__name__.startswith("skhash")
        if ours and not name.startswith("_"):
            yield name, value


def complaints(name, value):
    """All that the docstring of a public name lacks."""
    doc = inspect.getdoc(value) or ""
    if ">>>" not in doc:
        yield "no example"
    family = name.split(".")[1]
    cited = "References" in all_sections(doc, value) or "]_" in doc
    cited |= ".from_histograms." in name
    if family in ("losses", "metrics") and name not in NO_REFERENCE and not cited:
        yield "no reference"
    if not inspect.isclass(value):
        yield from complaints_of_function(value)
        return
    yield from complaints_of_text(doc, value)
    fitted = re.findall(r"\bself\.([a-z]\w*_)\b[^=\n(]*=[^=]", inspect.getsource(value))
    for attribute in set(fitted) - entries(sections(doc).get("Attributes", "")).keys():
        yield f"attribute {attribute} is not documented"
    for method, function in methods(value):
        for complaint in complaints_of_function(function):
            yield f"{method}(): {complaint}"


@pytest.mark.parametrize("name", sorted(public_names()))
def test_docstring_is_complete(name):
    assert list(complaints(name, public_names()[name])) == []


@pytest.mark.parametrize("name", sorted(public_names()))
def test_signature_can_be_read(name):
    """``help`` shows ArrayLike by its name, not by all that it stands for."""
    assert "numpy._typing" not in str(inspect.signature(public_names()[name]))


def test_names_without_reference_exist():
    assert NO_REFERENCE.keys() <= public_names().keys()


@pytest.mark.parametrize("module", public_modules().values(), ids=public_modules())
def test_module_names_what_has_no_docstring(module):
    """Tables and ready-made objects stand in the docstring of their module."""
    others = {
        name
        for name in set(module.__all__) - {"__version__"}
        if getattr(module, name) not in public_names().values()
    }
    assert others <= set(re.findall(r"\w+", module.__doc__))


def undocumented(x):
    if x < 0:
        raise ValueError(x)
    return x


def half_documented(x, y):
    """Add

    Parameters
    ----------
    x : array-like
        First.
    z : int
        There is none.

    Returns
    -------
    sum : int
    """
    return x + y


def borrowed(queries, code, ranks):
    """Take all from elsewhere, or nearly.

    All else is as in :func:`recall_at_k` and :func:`skhash.hamming.unknown`.
    """
    return queries


def test_checker_finds_what_misses():
    assert list(complaints_of_function(borrowed)) == [
        "refers to skhash.hamming.unknown, which does not exist",
        "parameter queries is not documented",
        "parameter code is not documented",
        "parameter ranks is not documented",
        "no section Returns",
    ]
    assert list(complaints_of_function(undocumented)) == [
        "no summary that ends in a full stop",
        "parameter x is not documented",
        "no section Returns",
        "no section Raises",
    ]
    assert list(complaints_of_function(half_documented)) == [
        "no summary that ends in a full stop",
        "parameter y is not documented",
        "z is documented but is no parameter",
        "Parameters: x is an array without a shape",
    ]
