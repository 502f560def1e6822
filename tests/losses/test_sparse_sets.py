"""Label sets in sparse CSR tensors mean what the same dense matrix means."""

import numpy as np
import pytest
import torch

from skhash.losses import LOSSES, HashLoss, HashNet
from skhash.losses import _pair_counts as counts
from skhash.losses._base import MOST_COLUMNS

N_BITS = 6
OF_LABELS = [key for key, loss in LOSSES.items() if loss.supervision == "labels"]
COMPARING = {
    *("dch", "dhn", "dpsh", "dsh", "dtsh", "dual_hinge", "exponentiated", "hashnet")
}
# Converting to CSR, torch says that the layout is new and its checks are optional.
pytestmark = pytest.mark.filterwarnings("ignore:(Sparse|With targets):UserWarning")


class Seen(HashLoss):
    """Remembers the labels that reach `forward`."""

    def forward(self, z, y):
        self.seen = y
        return z.sum()


class Comparing(Seen):
    needs_columns = False


def spread(label_sets, n_columns=40):
    """The same sets among many columns, most of which never occur."""
    wide = label_sets.new_zeros(len(label_sets), n_columns)
    wide[:, [3, 17, 38]] = label_sets
    return wide


def value_and_gradient(loss, z, y, *weight):
    z = z.clone().requires_grad_()
    value = loss(z, y, *weight)
    value.backward()
    return value.detach(), z.grad


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 5), slice(5, 6), slice(0, 0)])
def test_batches_cost_the_same(make, z, label_sets, weight, rows, weighted):
    y = spread(label_sets)
    weights = (weight[rows],) if weighted else ()
    dense, sparse = make(y), make(y.to_sparse_csr())
    expected = value_and_gradient(dense, z[rows], y[rows], *weights)
    found = value_and_gradient(sparse, z[rows], y[rows].to_sparse_csr(), *weights)
    for a, b in zip(expected, found, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("weighted", [False, True])
def test_centres_move_to_the_same_means(make, z, label_sets, weight, weighted):
    weights = (weight,) if weighted else ()
    y = label_sets
    dense, sparse = make(y), make(y.to_sparse_csr())
    for loss, labels in ((dense, y), (sparse, y.to_sparse_csr())):
        loss.refresh(z, labels, *weights)
    for name, expected in dense.state_dict().items():
        torch.testing.assert_close(sparse.state_dict()[name], expected)


def test_sums_of_classes_are_made_in_chunks(z, label_sets, monkeypatch):
    from skhash.losses import _centers

    monkeypatch.setattr(_centers, "CHUNK_SIZE", 2)
    sums, masses = _centers.sum_by_class(z, label_sets.to_sparse_csr(), 3)
    for c in range(3):
        items = [i for i in range(len(z)) if label_sets[i, c]]
        assert masses[c] == len(items)
        expected = sum(z[i] for i in items)
        torch.testing.assert_close(sums[c], expected)


def test_forward_gets_the_columns_that_occur(z, label_sets):
    y = spread(label_sets)
    rows = [0, 3, 4]  # "a", "c", "ac"
    for loss, expected in ((Comparing(), y[rows][:, [3, 38]]), (Seen(), y[rows])):
        loss.setup(N_BITS, y.to_sparse_csr())
        loss(z[rows].float(), y[rows].to_sparse_csr())
        assert torch.equal(loss.seen, expected.float())
        assert loss.seen.layout == torch.strided
    with pytest.raises(ValueError, match="y has 3 columns, but setup saw y with 40"):
        loss(z[rows].float(), label_sets[rows].to_sparse_csr())


def test_families_say_whether_they_need_columns():
    found = {key for key, loss in LOSSES.items() if not loss().needs_columns}
    assert found == COMPARING
    assert LOSSES["exponentiated"](pretrain=0.3).needs_columns


def empty_sets(n_columns):
    places = torch.zeros(3, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    return torch.sparse_csr_tensor(*places, torch.zeros(0), (2, n_columns))


@pytest.mark.parametrize("key", OF_LABELS)
def test_too_many_columns_for_centres_are_refused(key):
    loss = LOSSES[key]()
    many = empty_sets(MOST_COLUMNS + 1)
    if key in COMPARING:
        loss.setup(N_BITS, many)
        return
    with pytest.raises(ValueError, match=f"y has {MOST_COLUMNS + 1} columns") as error:
        loss.setup(N_BITS, many)
    assert all(LOSSES[key].__name__ in str(error.value) for key in COMPARING)
    with pytest.raises(ValueError, match="columns"):
        loss.setup(N_BITS, torch.zeros(1, MOST_COLUMNS + 1))


def test_pre_training_needs_columns():
    with pytest.raises(ValueError, match="Exponentiated"):
        LOSSES["exponentiated"](pretrain=0.5).setup(N_BITS, empty_sets(20_000))


def test_what_is_no_set_is_refused(label_sets):
    with pytest.raises(ValueError, match="holds 0 and 1 only, but y holds 2"):
        HashNet().setup(N_BITS, (2 * label_sets).to_sparse_csr())


# How common similar pairs are


@pytest.fixture
def many_sets(rng):
    """600 sets of 30 labels, a few of them common, and weights."""
    chances = 0.2 / np.arange(1, 31)
    return (
        torch.from_numpy(rng.random((600, 30)) < chances).float(),
        torch.from_numpy(rng.random(600)),
    )


def ratio_by_definition(sets, weight):
    """Over all ordered pairs of different items, one by one."""
    names = [set(np.flatnonzero(row).tolist()) for row in sets.numpy()]
    w = weight.tolist()
    pairs = similar = 0.0
    for i, each in enumerate(names):
        for j, other in enumerate(names):
            if i != j:
                pairs += w[i] * w[j]
                similar += w[i] * w[j] * bool(each & other)
    return pairs / similar


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", ["dense", "sparse", "drawn", "drawn of sparse"])
def test_pairs_are_weighted_by_their_number(many_sets, form, weighted, monkeypatch):
    sets, weight = many_sets
    weight = weight if weighted else torch.ones(len(sets), dtype=torch.float64)
    expected = ratio_by_definition(sets, weight)
    if "drawn" in form:
        monkeypatch.setattr(counts, "EXACT_WORK", 0)
        monkeypatch.setattr(counts, "DENSE_VALUES", 0)
    y = sets.to_sparse_csr() if "sparse" in form else sets
    loss = HashNet(weighting="dataset")
    loss.setup(N_BITS, y, sample_weight=weight if weighted else None)
    # A million pairs, of which some 5 % are similar, err by less than 1 %.
    tolerance = 0.02 if "drawn" in form else 1e-6
    assert loss.positive_weight_ == pytest.approx(expected, rel=tolerance)
    assert ("drawn" in form) == (
        loss.positive_weight_ != pytest.approx(expected, rel=1e-9)
    )


def test_drawn_pairs_are_those_of_the_generator(many_sets, monkeypatch, new_generator):
    monkeypatch.setattr(counts, "EXACT_WORK", 0)
    monkeypatch.setattr(counts, "DENSE_VALUES", 0)
    sets, _ = many_sets

    def weight(seed, y):
        loss = HashNet(weighting="dataset")
        return loss.setup(N_BITS, y, generator=new_generator(seed)).positive_weight_

    assert weight(0, sets) == weight(0, sets.to_sparse_csr()) != weight(1, sets)
