"""Training on pairs of similar items: batches of whole pairs, and what they teach."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale
from sklearn.utils import check_array
from torch.utils.data import TensorDataset

from skhash import DeepHashEncoder
from skhash.datasets import label_sets_from_pairs
from skhash.encoder._data.pairs import PairSampler, partners
from skhash.encoder._data.samplers import BalancedSampler, ShuffledSampler
from skhash.hamming import Labels
from skhash.metrics import mean_average_precision


@st.composite
def pair_sets(draw):
    n = draw(st.integers(3, 30))
    some = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    pairs = draw(st.lists(some.filter(lambda p: p[0] != p[1]), min_size=1, max_size=60))
    pairs = np.unique(np.sort([*pairs, (0, 1), (1, 2)], axis=1), axis=0)
    return n, pairs


def sampler_of(n, pairs, batch_size=8, seed=0):
    return PairSampler(Labels.of(label_sets_from_pairs(pairs, n)), batch_size, seed)


@pytest.mark.slow
@settings(deadline=None)
@given(pair_sets())
def test_partners_are_those_of_the_pairs(drawn):
    n, pairs = drawn
    found = partners(Labels.of(label_sets_from_pairs(pairs, n))).toarray()
    expected = np.zeros((n, n), dtype=bool)
    for a, b in pairs:
        expected[a, b] = expected[b, a] = True
    assert np.array_equal(found, expected)


@pytest.mark.slow
@settings(deadline=None)
@given(pair_sets(), st.integers(2, 20), st.integers(0, 99))
def test_batches_hold_whole_pairs(drawn, batch_size, seed):
    n, pairs = drawn
    sampler = sampler_of(n, pairs, batch_size, seed)
    has_partner = set(np.unique(pairs).tolist())
    similar = {tuple(pair) for pair in pairs.tolist()}
    most = min(max(batch_size, 3), n)
    batches = [batch.tolist() for _ in range(3) for batch in sampler]
    assert len(batches) == 3 * len(sampler) == 3 * -(-n // most)
    for batch in batches:
        assert 2 <= len(set(batch)) == len(batch) <= most
        for item in has_partner.intersection(batch):
            assert any(tuple(sorted((item, other))) in similar for other in batch)


def test_every_item_and_every_pair_comes():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 40, size=(60, 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    sampler = sampler_of(50, pairs)  # 10 items and more are of no pair
    seen = np.zeros((50, 50), dtype=bool)
    counts = np.zeros(50, dtype=int)
    for _ in range(60):
        for batch in sampler:
            seen[np.ix_(batch, batch)] = True
            counts[batch] += 1
    assert seen[pairs[:, 0], pairs[:, 1]].all()
    # In turn: what no pair brings along comes as often as any other.
    alone = counts[np.setdiff1d(np.arange(50), pairs)]
    assert alone.min() >= alone.max() - 1 > 0
    assert counts.min() >= alone.max() - 1


def epoch(sampler):
    return [batch.tolist() for batch in sampler]


def test_same_seed_same_batches_and_state_goes_on():
    pairs = [(i, i + 1) for i in range(30)]
    one, other = sampler_of(40, pairs), sampler_of(40, pairs)
    first = epoch(one)
    assert epoch(other) == first
    assert epoch(sampler_of(40, pairs, seed=1)) != first
    later = sampler_of(40, pairs, seed=5)
    later.state = one.state
    assert epoch(later) == epoch(one)


X, y = load_digits(return_X_y=True)
X = scale(X).astype(np.float32)
rng = np.random.default_rng(0)
CLOSE = [(i, rng.choice(np.flatnonzero(y[:1000] == y[i]))) for i in range(1000)] * 2
CLOSE = [(a, b) for a, b in CLOSE if a != b]
PAIRS = label_sets_from_pairs(CLOSE, 1000)


def encoder(**params):
    return DeepHashEncoder(16, max_epochs=8, random_state=0, **params)


def short():
    return DeepHashEncoder(
        8, network="linear", max_epochs=2, balanced_batches=False, random_state=0
    )


def sampler_in(monkeypatch, y, **params):
    """The sampler of a training of one epoch."""
    found = []
    from skhash.encoder import _fit

    plain = _fit.set_sampler

    def spied(net, *rest):
        plain(net, *rest)
        found.append(net.sampler)

    monkeypatch.setattr(_fit, "set_sampler", spied)
    encoder(**params).set_params(max_epochs=1).fit(X[:1000], y)
    return type(found[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("labels", "params", "expected"),
    [
        (PAIRS, {}, PairSampler),
        (PAIRS, {"loss": "hashnet"}, PairSampler),
        (PAIRS, {"balanced_batches": False}, ShuffledSampler),
        (PAIRS, {"balanced_batches": 2}, BalancedSampler),
        (PAIRS.toarray()[:, :100], {"balanced_batches": False}, ShuffledSampler),
        (sp.csr_array(np.eye(10)[y[:1000]]), {}, ShuffledSampler),
    ],
)
def test_which_labels_and_parameters_draw_pairs(monkeypatch, labels, params, expected):
    assert sampler_in(monkeypatch, labels, **params) is expected


def test_the_type_tells_pairs_and_nothing_else():
    assert Labels.of(PAIRS).are_pairs
    assert Labels.of(PAIRS).subset(slice(0, 700)).are_pairs
    # The same numbers, as anybody's label sets.
    assert not Labels.of(sp.csr_array(PAIRS)).are_pairs
    assert not Labels.of(PAIRS.toarray()[:, :50]).are_pairs
    assert not Labels.of(y).are_pairs


@pytest.mark.parametrize(
    "taken",
    [
        lambda pairs: pairs[:700],  # some pairs are cut
        lambda pairs: pairs[np.arange(0, 1000, 3)],
        lambda pairs: pairs[np.arange(1000) < 300],
        lambda pairs: train_test_split(pairs, random_state=0)[0],
        lambda pairs: check_array(pairs, accept_sparse="csr"),
        lambda pairs: pairs.copy(),
        lambda pairs: pickle.loads(pickle.dumps(pairs)),
        copy.deepcopy,
    ],
)
def test_rows_and_copies_stay_pairs(taken):
    assert Labels.of(taken(PAIRS)).are_pairs


@pytest.mark.slow
def test_pairs_teach_the_classes_that_they_come_from():
    fitted = encoder().fit(X[:1000], PAIRS)
    codes = fitted.transform(X)
    labelled = encoder().fit(X[:1000], y[:1000]).transform(X)

    def score(codes):
        return mean_average_precision(codes[1000:], codes[:1000], y[1000:], y[:1000])

    assert score(codes) > 0.9 * score(labelled) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "decision_function", "score"]
)
def test_pairs_have_no_classes_to_predict(method):
    assert hasattr(encoder(), method)
    some = X[:200], label_sets_from_pairs([p for p in CLOSE if max(p) < 200], 200)
    for fitted in (short().fit(*some), short().partial_fit(*some)):
        assert not hasattr(fitted, method)
        with pytest.raises(AttributeError, match=f"{method}.*fitted with pairs.*Hamm"):
            getattr(fitted, method)
        assert fitted._class_sums is None  # a row for each pair would take much memory
    # Other label sets of the same numbers have classes, as those of an array have.
    assert hasattr(short().fit(some[0], sp.csr_array(some[1])), method)


@pytest.mark.slow
# Of some held-out items, no partner is among the others.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_pairs_with_early_stopping_weights_and_checkpoint(tmp_path):
    weight = np.arange(1000) % 3
    path = tmp_path / "training.ckpt"
    whole = encoder(early_stopping=True).fit(X[:1000], PAIRS, sample_weight=weight)
    kept = encoder(early_stopping=True, checkpoint=path)
    kept.fit(X[:1000], PAIRS, sample_weight=weight)
    assert np.array_equal(whole.transform(X), kept.transform(X))
    assert 0 <= whole.history_[-1]["valid_score"] <= 1


@pytest.mark.slow
def test_partial_fit_of_pairs():
    model = encoder()
    for start in (0, 500, 0):
        rows = slice(start, start + 500)
        model.partial_fit(X[rows], PAIRS[rows])
    assert model.transform(X).shape == (1797, 2)


def test_label_sets_that_look_like_pairs_have_classes():
    # Of 40 items, no rare tag has three.
    tags = sp.csr_array(rng.random((400, 60)) < 0.01)
    model = encoder()
    for start in range(0, 400, 40):
        rows = slice(start, start + 40)
        model.partial_fit(X[rows], tags[rows])
    assert model.predict_proba(X[:5]).shape == (5, 60)


@pytest.mark.slow
def test_pairs_stay_pairs_in_partial_fit():
    model = encoder().fit(X[:1000], PAIRS)
    model.partial_fit(X[:1000], PAIRS)
    with pytest.raises(AttributeError, match="fitted with pairs"):
        model.predict(X)


def test_a_data_set_says_that_it_breaks_pairs():
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(40, 6)).astype(np.float32))
    sets = label_sets_from_pairs([(i, i + 1) for i in range(0, 40, 2)], 40)
    model = DeepHashEncoder(8, max_epochs=1, batch_size=16, random_state=0)
    with pytest.warns(UserWarning, match="few pairs come as a whole"):
        model.fit(TensorDataset(X), sets)
    model.set_params(batch_size=64).fit(TensorDataset(X), sets)
