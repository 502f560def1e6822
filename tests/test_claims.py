"""The harness of the papers' claims: runs that go on, rules, and the page from JSON."""

import json
import shutil
import subprocess
import sys
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from skorch.callbacks import Callback

REPOSITORY = Path(__file__).parents[1]
CLAIMS = REPOSITORY / "tests" / "benchmarks" / "claims"


@pytest.fixture(scope="module")
def scripts():
    """The scripts by name, imported as they import one another."""
    before, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(CLAIMS), str(CLAIMS.parent)]
    import _all
    import _main
    import plan
    import report

    yield {**sys.modules, **{m.__name__: m for m in (_all, _main, plan, report)}}
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

# A process of the queue: twelve runs that only tell that they were begun and done, and
# a thirteenth that waits for the first. The one that is to hang does at the second.
WORKER = """
import os, sys, time
from pathlib import Path
from typing import NamedTuple

claims, folder, hangs = sys.argv[1:]
sys.path[:0] = [claims]
from _turns import in_turn
from _record import Key, Record

class Run(NamedTuple):
    key: Key
    after: Key | None = None

keys = [Key("dhn", "set", "dhn", "paper", bits, 0) for bits in range(13)]
runs = [Run(key) for key in keys[1:]]
runs.insert(0, Run(keys[0], keys[1]))
record = Record("dhn", Path(folder))
mark = Path(folder, f"began-{os.getpid()}")
for run in in_turn(runs, {"dhn": record}, Path(folder, "kept"), pause=0.05):
    with mark.open("a") as file:
        file.write(f"{run.key.n_bits}\\n")
    while hangs == "hang" and run.key.n_bits == 2:
        time.sleep(0.05)
    time.sleep(0.02)
    record.add(run.key, mAP=0.5, by=os.getpid())
    record.compare(keys[1], run.key, mAP=[0.0, 0.0, 0.0, 1.0])
"""


@pytest.mark.slow
def test_two_processes_make_every_run_once_and_take_that_of_one_that_was_killed(
    scripts, tmp_path
):
    typed = [sys.executable, "-c", WORKER, str(CLAIMS), str(tmp_path)]
    hanging = subprocess.Popen([*typed, "hang"])
    try:
        until(lambda: "2\n" in began(tmp_path, hanging.pid))
        others = [subprocess.Popen([*typed, "on"]) for _ in range(2)]
        second = scripts["_record"].Key("dhn", "set", "dhn", "paper", 2, 0)
        file = tmp_path / "kept" / f"{second.slug}.run"
        assert file.read_text() == f"{hanging.pid}\n"
        # They do all the rest, and wait for the one that hangs.
        record = scripts["_record"].Record("dhn", tmp_path)
        until(lambda: record.read() or len(record.rows) == 12)
        assert [other.poll() for other in others] == [None, None]
    finally:
        hanging.kill()
        hanging.wait()
    assert [other.wait(30) for other in others] == [0, 0]
    record.read()
    assert [row["n_bits"] for row in record.rows] == list(range(13))
    assert len(record.comparisons) == 13
    by = {row["n_bits"]: row["by"] for row in record.rows}
    assert by[1] == hanging.pid != by[2]
    begun = [began(tmp_path, process.pid) for process in (hanging, *others)]
    assert begun[0] == ["1\n", "0\n", "2\n"]
    assert sorted(map(int, begun[1] + begun[2])) == list(range(2, 13))


def began(folder, pid):
    """What a process of the queue has begun."""
    file = folder / f"began-{pid}"
    return file.read_text().splitlines(keepends=True) if file.exists() else []


def until(true, seconds=60):
    """Wait for something that other processes do."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_second_process_waits_for_a_search_that_the_first_is_at(
    scripts, a_key, tmp_path
):
    search, best, other = (a_key(variant=v) for v in ("search", "best", "other"))
    run = scripts["_training"].Run
    runs = [run(search, None, 1.0, 1), run(best, None, 1.0, 1, search)]
    runs.append(run(other, None, 1.0, 1))
    records = [{"dhn": scripts["_record"].Record("dhn", tmp_path)} for _ in range(2)]
    queues = [scripts["_turns"].in_turn(runs, r, tmp_path, 0.0) for r in records]
    assert next(queues[0]).key == search
    assert next(queues[1]).key == other  # which gets no row, and is not tried again
    records[0]["dhn"].add(search, best={})
    assert next(queues[1]).key == best
    assert next(queues[0]).key == other
    records[1]["dhn"].add(best, mAP=0.5)
    assert [list(queue) for queue in queues] == [[], []]


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


def test_differences_without_kept_queries_take_both_intervals_as_independent(
    scripts, a_key, tmp_path
):
    record = scripts["_record"].Record("dhn", tmp_path)
    a, b = a_key(), a_key(n_bits=24)
    record.add(a, mAP=0.5, mAP_interval=[0.46, 0.53])
    assert not scripts["_findings"].Difference(record, a, b)
    record.add(b, mAP=0.6, mAP_interval=[0.56, 0.64])
    found = scripts["_findings"].Difference(record, a, b)
    # The root of the sum of the squares of half the intervals that face one another.
    assert (found.mean, found.low, found.high) == pytest.approx(
        (0.1, 0.1 - 0.05, 0.1 + np.hypot(0.04, 0.04))
    )
    assert str(found) == "+0.100 [+0.050, +0.157, not paired]"
    record.compare(a, b, mAP=[0.1, 0.09, 0.11, 0.0])
    assert scripts["_findings"].Difference(record, a, b).low == 0.09
    # Pairs of queries that go together never give the wider interval.
    rng = np.random.default_rng(0)
    hard = rng.normal(size=1000)
    x, y = hard + rng.normal(size=1000), hard + rng.normal(size=1000)
    for each, per_query in ((a, x), (b, y)):
        record.add(each, **scripts["_intervals"].with_interval("mAP", per_query))
    paired = scripts["_intervals"].with_interval("d", y - x)["d_interval"]
    record.comparisons.clear()
    wide = scripts["_findings"].Difference(record, a, b)
    assert wide.high - wide.low > paired[1] - paired[0]


def test_real_ranking_equals_scikit_learn(scripts):
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
    own_keys = set(keys)
    # A quarter of an hour, and twelve hours, of two cores.
    assert max(run.minutes for run in runs) <= 2 * 15
    assert sum(run.minutes for run in runs) <= 2 * scripts["plan"].BUDGET * 60
    assert all(run.after in own_keys for run in runs if run.after)
    for claim in scripts["_all"].CLAIMS:
        own = {run.key for run in claim.runs}
        assert all(run.key.claim == claim.name for run in claim.runs)
        # What is compared is run, but for seeds that a set has no time for.
        seeds = {key._replace(seed=0) for key in own}
        assert all(
            {a._replace(seed=0), b._replace(seed=0)} <= seeds for a, b in claim.pairs
        )


@pytest.fixture
def bench(scripts, tmp_path, monkeypatch):
    """A set of digits, and where its runs are kept."""
    X, y = load_digits(return_X_y=True)
    parts = {"X_train": X[:300], "y_train": y[:300], "X_test": X[300:400]}
    np.savez(tmp_path / "digits.npz", **parts, y_test=y[300:400])
    sets = scripts["_sets"]
    monkeypatch.setitem(sets.SETS, "digits", sets.Set("digits", 300, 12, sets.first))
    record = scripts["_record"].Record("dhn", tmp_path / "results")
    return scripts["_training"].Bench(tmp_path, record, 1, tmp_path / "kept")


@pytest.mark.slow
def test_trainings_are_measured_and_compared_query_by_query(scripts, bench, a_key):
    training = scripts["_training"]
    keys = [a_key(set="digits", variant=v) for v in ("paper", "alpha 1", "alpha 9")]
    params = [{}, {"loss__alpha": 1.0}, {"loss__alpha": 9.0}]
    for each, changed in zip(keys, params, strict=True):
        work = training.training(changed, training.pair_distances)
        bench.record.add(each, **work(each, bench))
    first = bench.record.row(keys[0])
    assert (first["epochs"], first["n_images"]) == (12, 300)
    low, high = first["mAP_interval"]
    assert low < first["mAP"] < high
    assert sum(first["similar_at"]) == pytest.approx(1, abs=1e-4)
    assert training.compare_runs(bench, [(keys[0], keys[1]), (keys[0], keys[2])]) == 2
    assert bench.record.comparison(*keys[:2])["mAP"] == [0.0, 0.0, 0.0, 1.0]
    difference = bench.record.comparison(keys[0], keys[2])["mAP"][0]
    scores = [bench.record.row(key)["mAP"] for key in keys]
    assert difference == pytest.approx(scores[2] - scores[0], abs=2e-5)
    assert difference != 0
    assert training.compare_runs(bench, [(keys[0], keys[1])]) == 0


@pytest.mark.slow
def test_training_that_was_cut_goes_on_to_the_same_scores(
    scripts, bench, a_key, monkeypatch
):
    key, training = a_key(set="digits"), scripts["_training"]
    whole = training.training()(key, bench)

    class Cut(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 7:
                raise RuntimeError("the end of the machine's time")

    new = training.new_encoder
    with monkeypatch.context() as patch:
        with_cut = partial(new, callbacks=[Cut()])
        patch.setattr(training, "new_encoder", with_cut)
        with pytest.raises(RuntimeError, match="machine's time"):
            training.training()(key, bench)
    (kept,) = bench.kept.glob("*.ckpt")
    again = training.training()(key, bench)
    assert not kept.exists()
    assert again["mAP"] == whole["mAP"]
    assert again["cpu_seconds"] is None
    assert again["seconds"] > 0


@pytest.mark.slow
def test_search_tries_twelve_and_hands_on_the_best(scripts, bench, a_key):
    search, loss = scripts["_search"], "exponentiated"
    key = a_key(set="digits", loss=loss, variant="search")
    with pytest.raises(LookupError, match="search of exponentiated"):
        search.with_best()(key._replace(variant="best"), bench)
    row = search.searching()(key, bench)
    bench.record.add(key, **row)
    rounds = [trial["epochs"] for trial in row["trials"]]
    assert (rounds.count(4), rounds.count(12)) == (12, 4)
    last = [trial for trial in row["trials"] if trial["epochs"] == 12]
    best = max(last, key=lambda trial: trial["mAP"])
    assert row["best"] == best["params"]
    final = search.with_best()(key._replace(variant="best"), bench)
    assert final["params"] == best["params"]


# How high a run ranks if all is as the papers say; what is not named is 0.
RANKS = {
    "exponentiated": {"pre-trained": 2, "defaults": 1},
    "dual_hinge": {"dual_hinge": 2, "hashnet": 1},
    "hashnet": {
        "continuation": 1,
        "paper's scale, continuation": 1,
        "weights of the batch": 1,
    },
    "dhn": {"paper": 1, "z as it is": 1, "alpha 12/bits": 1},
    "dcwh": {"dcwh": 1},
    "von_mises_fisher": {"rule": 1},
    "unseen_classes": {"dcwh": 1, "von_mises_fisher": 1},
    "label_sets": {"overlap": 2, "dual_hinge": 3, "hashnet": 1},
    "cifar10": {},
}
PAIRS = ("dhn", "dual_hinge", "exponentiated", "hashnet")


def rank_of(key):
    """How high a run ranks if all is as the paper says."""
    ranks = RANKS[key.claim]
    if key.claim == "dcwh" and key.variant not in ("defaults", "two steps"):
        return 0
    return ranks.get(key.variant, ranks.get(key.loss, 0))


def made_up(key, right):
    """A row of a run as the paper has it, or its contrary."""
    rank = rank_of(key)
    score = 0.992 + 0.001 * rank if right else 0.7 - 0.02 * rank
    score += (1e-6 if right else -1e-6) * key.n_bits
    epochs = {loss: [2.0] for loss in PAIRS} | {"von_mises_fisher": [1.0]}
    epochs["dcwh"] = [3.0 - 2 * right, 9.0]
    shares = [1.0] + [0.0] * key.n_bits
    names = ("mAP", "mAP@1000", "within_2", "ndcg", "real_mAP", "recall_at_1")
    scores = dict.fromkeys((*names, "accuracy"), score)
    scores |= dict.fromkeys(("gap", "unseen_at_all"), 1 - score)
    return {
        **scores,
        **{f"{name}_interval": [s - 1e-7, s + 1e-7] for name, s in scores.items()},
        "epochs": 12,
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "trials": [{"params": {}, "epochs": 12, "mAP": score}],
        "best": {},
        "epoch_cpu_seconds": epochs,
        "similar_at": shares,
        "dissimilar_at": shares[::-1],
    }


def filled(scripts, folder, right, every=1):
    """Records of all claims, runs and comparisons made up, of all or of some runs."""
    records = {}
    for claim in scripts["_all"].CLAIMS:
        record = records[claim.name] = scripts["_record"].Record(claim.name, folder)
        made = claim.runs[::every]
        rows = [(run.key, made_up(run.key, right)) for run in made]
        facts = {**scripts["_record"].now(), "n_jobs": 2}
        record.rows = [{**key._asdict(), **row, **facts} for key, row in rows]
        scores = {key: row["mAP"] for key, row in rows}
        for a, b in claim.pairs:
            if {a, b} <= scores.keys():
                mean = scores[b] - scores[a]
                numbers = [mean, mean - 1e-7, mean + 1e-7, 0.0]
                record.comparisons.append(
                    {"a": list(a[1:]), "b": list(b[1:]), "mAP": numbers}
                )
        record._write()
    return records


@pytest.mark.parametrize(
    ("right", "word"), [(True, "holds"), (False, "does not hold here")]
)
def test_findings_follow_the_numbers(scripts, tmp_path, right, word):
    records = filled(scripts, tmp_path, right)
    for claim in scripts["_all"].CLAIMS:
        found = claim.finding(records)
        assert found.word == word, [p for p in found.parts if p.holds is not right]


@pytest.mark.slow
def test_page_shows_every_claim_with_its_picture(scripts, tmp_path, monkeypatch):
    records = filled(scripts, tmp_path, True)
    page = tmp_path / "claims.rst"
    typed = ["report.py", "--results", str(tmp_path), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", typed)
    scripts["report"].main()
    text = page.read_text("utf-8")
    assert text.count("**Holds** on") == len(records)
    assert "not run yet" not in text
    pictures = {file.stem: file.read_bytes() for file in tmp_path.glob("*.png")}
    assert pictures.keys() == records.keys()
    scripts["report"].main()  # equal numbers, equal files
    assert all(
        (tmp_path / f"{name}.png").read_bytes() == bytes_
        for name, bytes_ in pictures.items()
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
