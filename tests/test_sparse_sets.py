"""Label sets in CSR train, stop, weigh and score as the same sets in a dense matrix."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from skhash import DeepHashEncoder, metrics
from skhash.hamming import histograms, pack
from skhash.losses import LOSSES

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:With targets"
)
N, N_TAGS = 90, 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6)).astype(np.float32)
# Most tags are rare, some items have none, and the last tags never occur.
TAGS = RNG.random((N, N_TAGS)) < 0.6 / np.arange(1, N_TAGS + 1)
TAGS[:, 50:] = False
CSR = sparse.csr_array(TAGS * 1.0)
WEIGHT = RNG.integers(0, 3, N).astype(float)
COMPARING = sorted(key for key, loss in LOSSES.items() if not loss().needs_columns)
CENTERED = sorted(
    key
    for key, loss in LOSSES.items()
    if loss.supervision == "labels" and key not in COMPARING
)


class Items(torch.utils.data.Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        return X[i], 0


def trained(y, X=X, *, weight=None, **parameters):
    defaults = {"n_bits": 8, "max_epochs": 2, "batch_size": 16, "random_state": 0}
    model = DeepHashEncoder(**defaults | parameters).fit(X, y, sample_weight=weight)
    return model.embed(X), [row["train_loss"] for row in model.history_], model


def assert_same(first, second):
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


WAYS = {
    "plain": {},
    "shuffled": {"balanced_batches": False},
    "balanced": {"balanced_batches": 3},
    "early stopping": {"early_stopping": True, "max_epochs": 4},
    "weights": {"weight": WEIGHT},
}


@pytest.mark.parametrize("loss", COMPARING)
@pytest.mark.parametrize("way", WAYS)
def test_training_is_the_same_bit_for_bit(loss, way):
    dense, csr = (trained(y, loss=loss, **WAYS[way]) for y in (TAGS, CSR))
    assert_same(dense, csr)
    assert csr[2].multilabel_
    assert csr[2].classes_.tolist() == list(range(N_TAGS))
    if way == "early stopping":
        scores = [[row["valid_score"] for row in m[2].history_] for m in (dense, csr)]
        assert scores[0] == scores[1]


@pytest.mark.parametrize(
    "loss",
    [
        LOSSES["hashnet"](weighting="dataset", similarity="jaccard"),
        LOSSES["exponentiated"](pretrain=0.5),
        LOSSES["dual_hinge"](similarity="jaccard"),
    ],
    ids=repr,
)
def test_so_it_is_with_options_of_the_loss(loss):
    assert_same(*(trained(y, loss=loss, weight=WEIGHT) for y in (TAGS, CSR)))


@pytest.mark.slow
@pytest.mark.parametrize("loss", CENTERED)
def test_losses_with_centres_get_all_columns(loss):
    """Centres are sums in another order: equal up to rounding."""
    dense, csr = (trained(y, loss=loss, max_epochs=10) for y in (TAGS, CSR))
    np.testing.assert_allclose(csr[1], dense[1], rtol=1e-3)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("loss", ["hashnet", "csq"])
def test_a_data_set_trains_on_sparse_sets(loss, weight):
    ways = (trained(y, Items(), loss=loss, weight=weight) for y in (TAGS, CSR))
    assert_same(*ways)


def test_partial_fit_goes_on_with_either_form():
    models = [DeepHashEncoder(8, loss="dhn", random_state=0) for _ in range(2)]
    for first, second in ((TAGS, CSR), (CSR, TAGS)):
        models[0].partial_fit(X, first)
        models[1].partial_fit(X, second)
    np.testing.assert_array_equal(*(model.embed(X) for model in models))


@pytest.mark.slow
def test_torch_has_nothing_to_say_about_its_tensors():
    """In a process of its own: torch speaks once."""
    code = (
        "import warnings; warnings.simplefilter('error');"
        "import numpy as np; from scipy import sparse; from skhash import *;"
        "y = sparse.csr_array(np.eye(40, 30)); X = np.eye(40, dtype=np.float32);"
        "DeepHashEncoder(4, loss='dhn', max_epochs=1, random_state=0).fit(X, y)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_rows_without_any_contrast_are_refused():
    for y in (np.ones((N, 3)), np.zeros((N, 3))):
        with pytest.raises(ValueError, match="all rows of y have the same labels"):
            trained(sparse.csr_array(y))


@pytest.mark.slow
@pytest.mark.parametrize("loss", [*CENTERED, LOSSES["exponentiated"](pretrain=0.5)])
@pytest.mark.parametrize("form", [sparse.csr_array, lambda Y: Y.toarray()])
def test_too_many_columns_are_refused_before_any_work(loss, form):
    wide = sparse.csr_array((TAGS[TAGS], TAGS.nonzero()), shape=(N, 10_001))

    def network(*args):
        raise AssertionError("the network was built")

    with pytest.raises(ValueError, match=r"y has 10001 columns.*DHN.*HashNet"):
        trained(form(wide), loss=loss, network=network)
    assert len(trained(form(wide), loss="dhn", max_epochs=1)[0]) == N


# Metrics


CODES = pack(X > 0)
HALF = slice(0, N // 2), slice(N // 2, N)
QUERIES = CODES[HALF[0]], CODES[HALF[1]]
CALLS = {
    "average_precision": {},
    "mean_average_precision": {"ties": "index", "k": 7},
    "mean_average_precision_at_r": {},
    "precision_at_k": {"k": 5, "average": "macro_class"},
    "recall_at_k": {"k": 5},
    "r_precision": {"average": "macro_class", "sample_weight": WEIGHT[HALF[0]] + 0.3},
    "ndcg": {"k": 9},
    "precision_at_radius": {"radius": 2},
}
MIXES = [(CSR, CSR), (CSR, TAGS), (TAGS, CSR)]


@pytest.mark.filterwarnings("ignore:.*no relevant item")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("mix", range(3))
@pytest.mark.parametrize("alone", [False, True], ids=["apart", "exclude_self"])
def test_metrics_are_the_same_floats(name, mix, alone):
    first, second = MIXES[mix]
    metric, rows = getattr(metrics, name), (HALF[0], HALF[0] if alone else HALF[1])
    codes = CODES[rows[0]], CODES[rows[1]]
    options = {"exclude_self": alone, **CALLS[name]}
    expected = metric(*codes, TAGS[rows[0]], TAGS[rows[1]], **options)
    found = metric(*codes, first[rows[0]], second[rows[1]], **options)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("n_bytes", [1, 4, 8, 16, 40])
def test_histograms_count_pairs_that_share_a_tag(monkeypatch, engine, n_jobs, n_bytes):
    monkeypatch.setenv("SKHASH_ENGINE", engine)
    codes = np.random.default_rng(1).integers(0, 256, (N, n_bytes), np.uint8)
    n_total, n_relevant = histograms(
        codes[HALF[0]], codes, CSR[HALF[0]], CSR, n_jobs=n_jobs
    )
    sets = [set(np.flatnonzero(row).tolist()) for row in TAGS]
    for q in range(N // 2):
        counts = np.zeros((2, 8 * n_bytes + 1), int)
        for i in range(N):
            distance = sum(
                int(a ^ b).bit_count()
                for a, b in zip(codes[q].tolist(), codes[i].tolist(), strict=True)
            )
            counts[0, distance] += 1
            counts[1, distance] += bool(sets[q] & sets[i])
        np.testing.assert_array_equal((n_total[q], n_relevant[q]), counts)


def test_gains_of_wide_sets_are_finite():
    """2 ** n_classes would be infinite; no pair shares that many."""
    wide = np.zeros((N, 2000), bool)
    wide[:, :N_TAGS] = TAGS
    expected = metrics.ndcg(*QUERIES, TAGS[HALF[0]], TAGS[HALF[1]], zero_relevant=0)
    for form in (np.asarray, sparse.csr_array):
        labels = form(wide[HALF[0]]), form(wide[HALF[1]])
        assert metrics.ndcg(*QUERIES, *labels, zero_relevant=0) == expected


# Memory

SCRIPT = """
import sys, threading
import numpy as np, scipy.sparse as sp
from skhash import DeepHashEncoder
from skhash.metrics import evaluate, mean_average_precision

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def work(n):
    rng = np.random.default_rng(0)
    tags = (50_000 * rng.random((n, 5)) ** 4).astype(np.int32)
    indptr = np.arange(0, 5 * n + 1, 5)
    Y = sp.csr_array((np.ones(5 * n, np.int8), tags.ravel(), indptr), (n, 50_000))
    Y.sum_duplicates()
    Y.data[:] = 1
    X = rng.normal(size=(n, 16)).astype(np.float32)
    encoder = DeepHashEncoder(
        16, loss="hashnet", max_epochs=1, early_stopping=True, n_jobs=1, random_state=0
    )
    codes = encoder.fit(X, Y).transform(X)
    mean_average_precision(codes, codes, Y, Y, exclude_self=True, n_jobs=1)
    few = slice(0, 200)
    evaluate(codes[few], codes, Y[few], Y, n_resamples=2, n_jobs=1)

work(1000)  # what is loaded and built once
before = peak = resident()
done = threading.Event()

def watch():
    global peak
    while not done.wait(0.001):
        peak = max(peak, resident())

watcher = threading.Thread(target=watch)
watcher.start()
work(20_000)
done.set()
watcher.join()
print((peak - before) / 1e6)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads Linux's own count"
)
def test_many_tags_are_never_dense():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
    )
    # One byte a tag of an item would be 1000. Histograms and pairs take up to 200.
    assert float(done.stdout) < 400
