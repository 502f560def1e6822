"""README.md: its examples run as they stand, its figures are the measured ones."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from skhash.cli import main

README = Path(__file__).parents[1] / "README.md"
RESULTS = README.parent / "docs" / "results" / "families-fashion_mnist.json"
TEXT = README.read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)


@pytest.fixture(scope="module")
def names():
    """What the examples leave behind that run one after the other."""
    left = {}
    for example in EXAMPLES:
        exec(compile(example, README.name, "exec"), left)
    return left


@pytest.mark.slow
def test_readme_examples_give_what_they_say(names):
    assert names["distances"].shape == names["indices"].shape == (300, 5)
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


@pytest.mark.parametrize("page", ["README.md", "docs/index.rst"])
def test_first_sentences_are_those_of_the_results(page):
    words = " ".join((README.parent / page).read_text("utf-8").split())
    families = json.loads(RESULTS.read_text("utf-8"))["rows"]
    best = max(row["mAP"] for row in families if row["n_bits"] == 48)
    assert f"6 bytes an image reach a mean average precision of {best:.3f}" in words
    goals = json.loads((RESULTS.parent / "search-goals.json").read_text("utf-8"))
    measured = {row["regime"]: row for row in goals["regimes"]}
    search = measured["batch of 256, k=10, 64 bits"]
    ours, theirs = search["us a query"], search["us a query, faiss"]
    assert f"{ours:.0f} microseconds a query, {theirs / ours:.0f} times" in words
    if page == "README.md":
        assert f"faiss-cpu {goals['faiss-cpu']} takes {theirs:.0f}" in words


@pytest.mark.slow
def test_report_that_is_shown_is_the_one_of_the_example(names):
    lines = str(names["report"]).splitlines()
    for page in ("README.md", "docs/index.rst", "docs/user_guide/quick_start.rst"):
        text = (README.parent / page).read_text("utf-8")
        shown = re.search(
            r"Retrieval report\n(.*?)(```|\n\nThese|\n\nIts)", text, re.S
        )[1]
        rows = [line.strip() for line in shown.splitlines()]
        rows = [row for row in rows if row and row != "..."]
        assert len(rows) >= 8
        unknown = [row for row in rows if not any(like(row, line) for line in lines)]
        assert unknown == []


def like(row, line):
    """Whether two lines of a report say the same, but for the last digits."""
    number = r"\d+\.\d+"
    alike = re.sub(number, "", row).split() == re.sub(number, "", line).split()
    pairs = zip(re.findall(number, row), re.findall(number, line), strict=False)
    return alike and all(
        float(a) == pytest.approx(float(b), 0.05, 0.03) for a, b in pairs
    )


def extras():
    """The optional packages by the names that pip knows them by."""
    project = tomllib.loads((README.parent / "pyproject.toml").read_text("utf-8"))
    return project["project"]["optional-dependencies"]


@pytest.mark.parametrize("page", ["README.md", "docs/install.rst"])
def test_every_extra_for_users_is_named(page):
    text = (README.parent / page).read_text("utf-8")
    named = set(re.findall(r'pip install "\.\[(\w+)\]"', text))
    assert named == extras().keys() - {"docs", "test"}


def test_the_commands_of_the_readme_have_what_they_read_by():
    before = TEXT[: TEXT.index("$ skhash ")]
    assert 'pip install ".[cli]"' in before
    packages = {re.match(r"[\w-]+", each)[0] for each in extras()["cli"]}
    assert packages == {"pillow", "pyarrow"}  # photos, and .parquet


@pytest.mark.slow
def test_readme_commands_run(tmp_path, monkeypatch, capsys):
    Image = pytest.importorskip("PIL.Image")
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    photo = Image.fromarray(rng.integers(0, 255, (9, 9, 3), np.uint8)).resize((90, 90))
    photo.save(tmp_path / "photos" / "a.png")
    photo.resize((45, 45)).save(tmp_path / "photos" / "b.jpg")
    X, ids = rng.normal(size=(40, 8)).astype(np.float32), [f"n{i}" for i in range(40)]
    table = pyarrow.table({"id": ids, "embedding": list(X)})
    parquet.write_table(table, tmp_path / "embeddings.parquet")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ skhash (.*)$", TEXT, re.M)
    assert len(commands) == 4
    shown = []
    for command in commands:
        assert main(command.split()) == 0, capsys.readouterr().err
        shown.append(capsys.readouterr().out)
    assert shown[0].split() == ["group", "id", "1", "a.png", "1", "b.jpg"]
    assert shown[1].startswith("left,right,distance\na.png,b.jpg,")
    written = parquet.read_table("codes.parquet")
    assert written.column("id").to_pylist() == ids
    assert len(written.column("code")[0].as_py()) == 4


def test_readme_links_and_pictures_exist():
    found = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert [path for path in found if not (README.parent / path).is_file()] == []
    picture = README.parent / found[0]
    assert picture.suffix == ".png"
    assert picture.stat().st_size < 150_000
