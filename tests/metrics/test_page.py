"""The page of a report: whole, well formed, with the report's own numbers."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from skhash.charts import HEIGHT, WIDTH, Axes, Drawings, Line
from skhash.metrics import (
    evaluate,
    precision_recall_by_radius,
    precision_recall_by_rank,
)

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks that tags close in order, and keeps them, their attributes and texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def sides():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=90)
    codes = (labels * 80 + rng.integers(4, size=90)).astype(np.uint8).reshape(-1, 1)
    return codes[:30], codes[30:], labels[:30], labels[30:]


@pytest.fixture(scope="module")
def report(sides):
    return evaluate(*sides, k=5)


def test_page_holds_every_number_of_the_report(report):
    page = Page(report.to_html())
    for name, score in report.scores.items():
        at = page.texts.index(name, page.texts.index("metric"))
        assert page.texts[at + 1] == f"{score.mean:.4f}"
        assert page.texts[at + 2] == f"{score.low:.4f} \u2013 {score.high:.4f}"
    for text in report.conventions.values():
        assert text in page.texts
    assert set(report.checks) <= set(page.texts)
    assert f"{report.code_health['max_correlation']:.4f}" in page.texts
    assert "30 queries against 60 items, codes of 1 byte" in page.texts


def test_page_loads_nothing_and_its_pictures_have_words(report):
    text = report.to_html()
    page = Page(text)
    assert not re.search(r"\b(src|href|url\()|@import|https?:|<script", text)
    pictures = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(pictures) == 4
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids)) == 8
    assert {i for svg in pictures for i in svg["aria-labelledby"].split()} == set(ids)
    others = [svg for svg in page.all("svg") if svg.get("role") != "img"]
    assert all(svg["aria-hidden"] == "true" for svg in others)
    assert page.all("html") == [{"lang": "en"}]


def test_text_from_outside_is_escaped(report):
    title = "<script>alert('&')</script>"
    page = Page(report.to_html(title=title))
    assert not page.all("script")
    assert page.texts.count(title) == 2  # the title and the heading


def test_curves_are_those_of_the_functions(report, sides):
    wanted = precision_recall_by_radius(*sides)
    for ours, theirs in zip(report.curves["by radius"], wanted, strict=True):
        np.testing.assert_allclose(ours, theirs)
    ranks = report.curves["by rank"].cutoffs
    assert ranks[0] == 1
    assert ranks[-1] == 60
    wanted = precision_recall_by_rank(*sides, ranks=ranks)
    for ours, theirs in zip(report.curves["by rank"], wanted, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_curves_weigh_queries_and_leave_out_those_without_answer(sides):
    queries, database, y, y_database = sides
    y = y.copy()
    y[0] = 9
    weight = np.arange(30) % 3
    report = evaluate(queries, database, y, y_database, sample_weight=weight)
    wanted = precision_recall_by_radius(
        queries[1:], database, y[1:], y_database, sample_weight=weight[1:]
    )
    for ours, theirs in zip(report.curves["by radius"], wanted, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_page_of_no_answers_shows_dashes(sides):
    queries, database, y, y_database = sides
    report = evaluate(queries, database, y + 10, y_database)
    page = Page(report.to_html())
    assert "nan" not in report.to_html().lower()
    assert page.texts.count("\u2013 \u2013 \u2013") >= 11


def test_page_does_not_say_that_precision_falls_where_it_rises():
    # The first ranks are wrong, and all that are relevant come last.
    labels = np.repeat([0, 1], 6)
    database = np.where(labels == 0, 0, 255).astype(np.uint8).reshape(-1, 1)
    text = evaluate(database[:6], database, 1 - labels[:6], labels).to_html()
    assert "Precision goes from 0.000 at rank 1 to 0.500 as recall" in text
    assert "falls" not in text


def test_points_stand_where_their_values_are():
    axes = Axes("x", "y", 1, 100, log=True)
    line = Line("a", "first", np.array([1, 10, 100]), np.array([0, np.nan, 1]))
    picture = Drawings().lines("t", axes, [line], "about")
    dots = re.findall(r'<circle class="first" cx="([\d.]+)" cy="([\d.]+)"', picture)
    assert len(dots) == 2
    (left, bottom), (right, top) = [tuple(map(float, dot)) for dot in dots]
    assert 0 < left < right < WIDTH
    assert 0 < top < bottom < HEIGHT
    assert left + (right - left) / 2 == pytest.approx(axes.x(10), abs=0.1)
    assert [text for _, text in axes.ticks()] == ["1", "10", "100"]
    assert [text for _, text in Axes("x", "y", 0, 24).ticks()] == [
        *("0", "5", "10", "15", "20")
    ]


def test_histogram_has_the_shares():
    values = np.array([0.0, 0.01, 0.52, 1.0])
    picture = Drawings().histogram("t", values, "value", "about")
    bars = re.findall(r'height="([\d.]+)"><title>([\d.]+) to .*?: (\d) q', picture)
    assert [(left, n) for _, left, n in bars] == [
        *(("0.00", "2"), ("0.50", "1"), ("0.95", "1"))
    ]
    heights = [float(height) for height, _, _ in bars]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
