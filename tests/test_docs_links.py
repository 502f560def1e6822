"""The "?" in an estimator's HTML repr opens its page of the documentation."""

import re
import tomllib
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skhash
from skhash.documentation import ROOT

REPOSITORY = Path(__file__).parents[1]
ESTIMATORS = [
    name
    for name in skhash.__all__
    if isinstance(getattr(skhash, name), type)
    and issubclass(getattr(skhash, name), BaseEstimator)
]


def documented(index):
    """Pages that the front door's table of an API index makes."""
    table = re.search(
        r"currentmodule:: skhash\n.*?:toctree: (\w+)\n\n(.*?)\n\n", index, re.S
    )
    return {f"api/{table[1]}/skhash.{name}.html" for name in table[2].split()}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_repr_links_to_a_page_that_exists(name):
    html = getattr(skhash, name)()._repr_html_()
    link = re.search(rf'href="{re.escape(ROOT)}([^"]*)"', html)[1]
    index = REPOSITORY / "docs" / "api" / "index.rst"
    assert link == f"api/generated/skhash.{name}.html"
    assert link in documented(index.read_text("utf-8"))


def test_subclass_of_a_user_links_nowhere():
    class Mine(skhash.HammingNeighbors):
        pass

    assert ROOT not in Mine()._repr_html_()


def test_package_names_the_same_documentation():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    assert ROOT.startswith(project["project"]["urls"]["Documentation"])
