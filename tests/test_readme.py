"""README.md: its examples run as they stand, its figures are the measured ones."""

import json
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
RESULTS = README.parent / "docs" / "results" / "families-fashion_mnist.json"
TEXT = README.read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)


@pytest.mark.slow
def test_readme_examples_run_one_after_the_other():
    names = {}
    for example in EXAMPLES:
        exec(compile(example, README.name, "exec"), names)
    assert names["distances"].shape == names["indices"].shape == (450, 5)
    assert names["database"].score(names["queries"], names["y_queries"]) > 0.9
    assert names["search"].get_params()["estimator__loss"] == "dual_hinge"


def test_readme_table_is_that_of_the_results():
    """What was measured again must be shown again."""
    results = json.loads(RESULTS.read_text("utf-8"))
    measured = {
        (row["loss"], row["n_bits"]): f"{row['mAP']:.3f}"
        for row in results["rows"]
        if row["seed"] == 0
    }
    lines = re.findall(r"^\| `(\w+)` \|(( \d\.\d+ \|)+)$", TEXT, re.M)
    lengths = [int(n_bits) for n_bits in re.findall(r"\| (\d+) bits", TEXT)]
    shown = {
        (loss, n_bits): cell
        for loss, cells, _ in lines
        for n_bits, cell in zip(lengths, re.findall(r"[\d.]+", cells), strict=True)
    }
    assert len(shown) == 18
    assert shown == {key: measured[key] for key in shown}
    words = " ".join(TEXT.split())
    command = results["command"].removeprefix("python ")
    settings = [results["date"], f"torch {results['torch']}", command]
    assert [setting for setting in settings if setting not in words] == []


def test_readme_links_and_pictures_exist():
    found = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert [path for path in found if not (README.parent / path).is_file()] == []
    picture = README.parent / found[0]
    assert picture.suffix == ".png"
    assert picture.stat().st_size < 150_000
