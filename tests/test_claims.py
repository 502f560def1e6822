"""The harness of the papers' claims: runs that go on, rules, and the page from JSON."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
CLAIMS = REPOSITORY / "tests" / "benchmarks" / "claims"


@pytest.fixture(scope="module")
def scripts():
    """The scripts by name, imported as they import one another."""
    before, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(CLAIMS), str(CLAIMS.parent)]
    import _all
    import _main
    import report

    yield {**sys.modules, "_all": _all, "_main": _main, "report": report}
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if Path(file).is_relative_to(CLAIMS.parent):
            del sys.modules[name]


@pytest.fixture
def a_key(scripts):
    """Makes keys that differ in one thing or another."""
    return lambda **changes: scripts["_record"].Key(
        **{
            "claim": "dhn",
            "set": "fashion_mnist-10000",
            "loss": "dhn",
            "variant": "paper",
            "n_bits": 12,
            "seed": 0,
            **changes,
        }
    )


def test_rows_are_kept_one_by_one_and_found_again(scripts, a_key, tmp_path):
    record = scripts["_record"].Record("dhn", tmp_path)
    record.add(a_key(), mAP=0.5)
    record.add(a_key(n_bits=24), mAP=0.6)
    record.add(a_key(), mAP=0.7)  # in place of the first
    record.compare(a_key(), a_key(n_bits=24), mAP=[0.1, 0.0, 0.2, 0.04])
    again = scripts["_record"].Record("dhn", tmp_path)
    assert [row["mAP"] for row in again.rows] == [0.7, 0.6]
    assert again.row(a_key(seed=1)) is None
    assert again.comparison(a_key(), a_key(n_bits=24))["mAP"][0] == 0.1
    assert again.comparison(a_key(n_bits=24), a_key()) is None
    assert [file.name for file in tmp_path.iterdir()] == ["dhn.json"]


def test_file_is_whole_after_a_write_that_was_cut(
    scripts, a_key, tmp_path, monkeypatch
):
    record = scripts["_record"].Record("dhn", tmp_path)
    record.add(a_key(), mAP=0.5)

    def cut(self, text, encoding):
        self.write_bytes(text[: len(text) // 2].encode(encoding))
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(KeyboardInterrupt):
        record.add(a_key(n_bits=24), mAP=0.6)
    again = scripts["_record"].Record("dhn", tmp_path)
    assert [row["n_bits"] for row in again.rows] == [12]


def test_runs_are_made_in_order_once_and_failures_left_for_the_next_call(
    scripts, a_key, tmp_path, monkeypatch
):
    made, fail = [], {24}

    def work(key, bench):
        if key.n_bits in fail:
            raise ValueError("no luck")
        made.append(key.n_bits)
        return {"mAP": 0.5}

    run = scripts["_training"].Run
    runs = [run(a_key(n_bits=n), work, 1.0, order) for n, order in PLACES.items()]
    claim = scripts["_claim"].Claim("dhn", "", "", runs, [], None)
    typed = ["run.py", "--data", "nowhere", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", typed)
    scripts["_main"].main(claim, description="")
    assert made == [48, 12]
    fail.clear()
    scripts["_main"].main(claim, description="")
    assert made == [48, 12, 24]
    a_minute_ago = datetime.now() - timedelta(minutes=1)
    assert scripts["_main"].next_time(f"{a_minute_ago:%H:%M}") > datetime.now()


PLACES = {12: 3, 24: 2, 48: 1}


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        ([True, True], "holds"),
        ([True, False], "holds in part"),
        ([False, False], "does not hold here"),
        ([None, None], "not run yet"),
        ([True, None], "holds, as far as it was run"),
        ([False, None], "does not hold here, as far as it was run"),
    ],
)
def test_parts_are_judged_by_the_stated_rule(scripts, verdicts, word):
    parts = [scripts["_claim"].Part("", holds) for holds in verdicts]
    assert scripts["_claim"].judge(parts) == word


def test_differences_are_judged_by_their_intervals(scripts, a_key, tmp_path):
    record = scripts["_record"].Record("dhn", tmp_path)
    a, b = a_key(), a_key(n_bits=24)
    difference = scripts["_findings"].Difference
    assert difference(record, a, b).above is None
    record.compare(a, b, mAP=[0.1, 0.05, 0.15, 0.0])
    assert difference(record, a, b).above
    record.compare(
        a._replace(seed=1), b._replace(seed=1), mAP=[-0.02, -0.04, 0.01, 0.3]
    )
    both = difference(record, a, b)
    assert (both.above, both.not_below, both.n_seeds) == (False, True, 2)
    assert str(both) == "+0.040 [-0.040, +0.150, 2 seeds]"


def test_real_ranking_equals_scikit_learn(scripts):
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(60, 4)), rng.integers(3, size=60)
    queries, labels = rng.normal(size=(7, 4)), rng.integers(3, size=7)
    precision, first = scripts["_real_ranking"].ranked(queries, z, labels, y)
    for i, (query, label) in enumerate(zip(queries, labels, strict=True)):
        scores = z @ query
        expected = average_precision_score(y == label, scores)
        assert precision[i] == pytest.approx(expected)
        assert first[i] == (y[scores.argmax()] == label)


def test_every_family_gets_equally_many_different_trials(scripts):
    for loss in scripts["_findings"].SIX:
        drawn = scripts["_search"].trials(loss, 24)
        assert drawn[0] == {}
        assert len({json.dumps(trial, sort_keys=True) for trial in drawn}) == 12
        for trial in drawn:
            scripts["skhash"].DeepHashEncoder(24, loss=loss).set_params(**trial)


def test_plan_has_every_run_once_and_none_is_long(scripts):
    runs = [run for claim in scripts["_all"].CLAIMS for run in claim.runs]
    keys = [run.key for run in runs]
    assert len(set(keys)) == len(keys)
    assert max(run.minutes for run in runs) <= 15
    assert sum(run.minutes for run in runs) <= 12 * 60
    for claim in scripts["_all"].CLAIMS:
        own = {run.key for run in claim.runs}
        assert all(run.key.claim == claim.name for run in claim.runs)
        # What is compared is run, but for seeds that a set has no time for.
        seeds = {key._replace(seed=0) for key in own}
        assert all(
            {a._replace(seed=0), b._replace(seed=0)} <= seeds for a, b in claim.pairs
        )


def test_page_says_what_was_not_run(scripts, tmp_path, monkeypatch):
    page = tmp_path / "claims.rst"
    typed = ["report.py", "--results", str(tmp_path / "none"), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", typed)
    scripts["report"].main()
    text = page.read_text("utf-8")
    assert text.count("**Not run yet.**") == len(scripts["_all"].CLAIMS)
    assert list((tmp_path / "none").iterdir()) == []


def test_page_is_what_the_results_say(scripts, tmp_path, monkeypatch):
    import shutil

    results = tmp_path / "results"
    shutil.copytree(scripts["_record"].RESULTS, results)
    page = tmp_path / "claims.rst"
    typed = ["report.py", "--results", str(results), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", typed)
    scripts["report"].main()
    committed = REPOSITORY / "docs" / "user_guide" / "claims.rst"
    same = page.read_text("utf-8") == committed.read_text("utf-8")
    assert same, "run make claims"
    for image in results.glob("*.png"):
        assert (scripts["_record"].RESULTS / image.name).exists(), "run make claims"
