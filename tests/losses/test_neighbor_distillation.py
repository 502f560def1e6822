"""Neighbour distillation against double loops, and what a loss of vectors promises."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skhash.baselines import ITQ
from skhash.losses import LOSSES, HashLoss, NeighborDistillation

N, D, N_BITS = 9, 5, 6


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def z():
    return torch.randn(N, N_BITS, generator=generator(), dtype=torch.float64)


@pytest.fixture
def x():
    return torch.randn(N, D, generator=generator(1), dtype=torch.float64)


def cosine(a, b):
    lengths = math.sqrt(np.dot(a, a)) * math.sqrt(np.dot(b, b))
    return float(np.dot(a, b)) / lengths if lengths else 0.0


def slow_loss(loss, z, x, weight=None):
    """The formula of the docstring, pair by pair."""
    z, x, n = z.numpy(), x.numpy(), len(z)
    weight = np.ones(n) if weight is None else weight.numpy()
    mean, directions = loss.mean_.double().numpy(), loss.directions_.double().numpy()
    unit = [v / (math.sqrt(np.dot(v, v)) or 1.0) for v in x]
    total = 0.0
    for i in range(n):
        logits = {"p": {}, "q": {}}
        for j in set(range(n)) - {i}:
            smooth = [directions @ (unit[k] - mean) for k in (i, j)]
            c = (1 - loss.smoothing) * cosine(x[i], x[j])
            c += loss.smoothing * cosine(*smooth)
            signs = [1.0 if value > 0 else -1.0 for value in z[j]]
            s = np.dot(z[i], signs) / math.sqrt(np.dot(z[i], z[i]) * z.shape[1])
            logits["p"][j] = weight[j] * math.exp(c / loss.teacher_temperature_)
            logits["q"][j] = weight[j] * math.exp(s / loss.student_temperature_)
        sums = {name: sum(values.values()) for name, values in logits.items()}
        for j, value in logits["p"].items():
            p, q = value / sums["p"], logits["q"][j] / sums["q"]
            total += weight[i] * (p * math.log(p / q) if p else 0.0)
    return total / weight.sum()


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_the_double_loop(z, x, smoothing, weighted):
    x[4] = 0  # is as near to all
    loss = NeighborDistillation(smoothing=smoothing).setup(N_BITS, x)
    weight = torch.arange(N, dtype=torch.float64) if weighted else None
    value = loss(z, x, sample_weight=weight)
    assert value.item() == pytest.approx(slow_loss(loss, z, x, weight), rel=1e-5)
    assert loss.terms_.keys() == {"neighbors"}


@given(seed=st.integers(0, 99), n=st.integers(2, 12), n_bits=st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_loss_is_a_divergence(seed, n, n_bits):
    z = torch.randn(n, n_bits, generator=generator(seed), dtype=torch.float64)
    x = torch.randn(n, 3, generator=generator(seed + 1), dtype=torch.float64)
    loss = NeighborDistillation().setup(n_bits, x)
    value = loss(z, x).item()
    assert value == pytest.approx(slow_loss(loss, z, x), rel=1e-5, abs=1e-9)
    assert value > -1e-12


def test_gradient_passes_through_the_signs_as_through_tanh(z, x):
    """With the signs fixed in value, the slope is that of tanh in their place."""
    loss = NeighborDistillation(student_temperature=0.5).setup(N_BITS, x)
    z.requires_grad_()
    (found,) = torch.autograd.grad(loss(z, x), z)
    free = [z.detach().clone().requires_grad_() for _ in range(2)]
    signs = torch.where(z > 0, 1.0, -1.0).detach() + free[1].tanh()
    signs = signs - free[1].tanh().detach()
    u = free[0] / free[0].norm(dim=1, keepdim=True)
    log_q = (u @ signs.T / math.sqrt(N_BITS) / 0.5).fill_diagonal_(-1e9).log_softmax(1)
    c = loss._similarity(x) / loss.teacher_temperature_
    p = c.fill_diagonal_(-1e9).softmax(1)
    grads = torch.autograd.grad(-(p * log_q).sum() / N, free)
    torch.testing.assert_close(found, sum(grads), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("n_bits", [8, 64, 128])
@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_auto_temperatures_follow_bits_and_spread(x, n_bits, smoothing):
    loss = NeighborDistillation(smoothing=smoothing).setup(n_bits, x)
    near = loss._similarity(x).numpy()
    pairs = [near[i, j] for i in range(N) for j in range(N) if i != j]
    assert loss.teacher_temperature_ == pytest.approx(0.3 * np.std(pairs), rel=1e-5)
    assert loss.student_temperature_ == pytest.approx(0.8 / math.sqrt(n_bits))
    given = NeighborDistillation("X", 0.2, 0.3).setup(n_bits, x)
    assert (given.teacher_temperature_, given.student_temperature_) == (0.2, 0.3)


def test_smoothing_is_along_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)) * [0.1, 3.0, 2.0, 0.1] + [0, 0, 0, 30.0]
    loss = NeighborDistillation().setup(4, torch.from_numpy(x))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    vectors = np.linalg.eigh(np.cov(unit.T))[1]
    plane = vectors[:, -2:] @ vectors[:, -2:].T
    found = loss.directions_.double().numpy()
    np.testing.assert_allclose(found.T @ found, plane, atol=1e-5)
    np.testing.assert_allclose(loss.mean_, unit.mean(axis=0), atol=1e-6)


def weighted(x, weight, smoothing=0.3):
    return NeighborDistillation(smoothing=smoothing).setup(
        4, x, sample_weight=torch.tensor(weight, dtype=torch.float32)
    )


def test_a_weight_of_zero_is_absence_and_that_of_two_counts_twice(x):
    weight = [1, 1, 0, 1, 2, 1, 1, 0, 1]
    found = weighted(x, weight)
    kept = [i for i in range(N) if weight[i]]
    alone = weighted(x[kept], [weight[i] for i in kept])
    twice = NeighborDistillation().setup(4, x[[*kept, 4]])
    for other in (alone, twice):
        torch.testing.assert_close(found.mean_, other.mean_)
        planes = [loss.directions_.T @ loss.directions_ for loss in (found, other)]
        torch.testing.assert_close(*planes, rtol=1e-4, atol=1e-5)
    temperatures = [loss.teacher_temperature_ for loss in (found, alone)]
    assert temperatures[0] == pytest.approx(temperatures[1], rel=1e-6)
    near = found._similarity(x).numpy()
    pairs = [(i, j) for i in kept for j in kept if i != j]
    values = [near[pair] for pair in pairs]
    weights = [weight[i] * weight[j] for i, j in pairs]
    mean = np.average(values, weights=weights)
    spread = np.average((values - mean) ** 2, weights=weights) ** 0.5
    assert temperatures[0] == pytest.approx(0.3 * spread, rel=1e-5)


def test_equal_weights_say_nothing(x):
    plain = NeighborDistillation().setup(4, x)
    found = weighted(x, [3.0] * N)
    torch.testing.assert_close(found.mean_, plain.mean_)
    assert found.teacher_temperature_ == pytest.approx(plain.teacher_temperature_)


def test_bits_and_items_can_be_permuted_and_bits_flipped(z, x):
    loss = NeighborDistillation().setup(N_BITS, x)
    value = loss(z, x)
    flips = torch.tensor([1, -1, 1, 1, -1, -1])
    order = torch.randperm(N, generator=generator(2))
    torch.testing.assert_close(loss(z * flips, x), value)
    torch.testing.assert_close(loss(z[:, [3, 1, 0, 2, 5, 4]], x), value)
    torch.testing.assert_close(loss(z[order], x[order]), value)
    torch.testing.assert_close(loss(3 * z, x), value)  # a query is a direction
    torch.testing.assert_close(loss(z, 5 * x), value)


def test_weights_count_items(z, x):
    loss = NeighborDistillation().setup(N_BITS, x)
    weight = torch.ones(N)
    weight[3] = 0
    others = [i for i in range(N) if i != 3]
    torch.testing.assert_close(loss(z, x, weight), loss(z[others], x[others]))
    torch.testing.assert_close(loss(z, x, 7 * torch.ones(N)), loss(z, x))


@pytest.mark.parametrize("weight", [None, torch.zeros(1), torch.ones(1)])
def test_an_item_alone_costs_nothing(z, x, weight):
    loss = NeighborDistillation().setup(N_BITS, x)
    z = z[:1].requires_grad_()
    value = loss(z, x[:1], weight)
    value.backward()
    assert value == 0
    assert not z.grad.any()
    assert loss(z[:0], x[:0]) == 0


def test_extreme_numbers_stay_finite(x):
    loss = NeighborDistillation().setup(N_BITS, x)
    for scale in (0.0, 1e-30, 1e30):
        z = (scale * torch.randn(N, N_BITS, generator=generator())).requires_grad_()
        value = loss(z, (x * 1e30).float())
        value.backward()
        assert value.isfinite()
        assert z.grad.isfinite().all()
    same = torch.ones(N, D)
    assert NeighborDistillation().setup(4, same)(torch.ones(N, 4), same).isfinite()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_vectors_of_every_dtype_are_taken(z, x, dtype):
    x = (4 * x).round()
    loss = NeighborDistillation().setup(N_BITS, x.to(dtype))
    torch.testing.assert_close(loss(z, x.to(dtype)), loss(z, x), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.zeros(N), r"shape \(n, d\)"),
        (torch.zeros(N, 0), r"d >= 1"),
        (torch.zeros(N, 2, 2), r"shape \(9, 2, 2\)"),
        (torch.zeros(N, 2, dtype=torch.complex64), "complex64"),
        (torch.zeros(N, 2).to_sparse(), "real vector"),
        (torch.full((N, 2), math.nan), "NaN"),
        (torch.full((N, 2), 1e200, dtype=torch.float64), "too large for float32"),
    ],
)
def test_setup_refuses_what_are_no_vectors(wrong, message):
    with pytest.raises(ValueError, match=message):
        NeighborDistillation().setup(4, wrong)


def test_batches_that_do_not_fit_are_refused(z, x):
    loss = NeighborDistillation().setup(N_BITS, x)
    with pytest.raises(ValueError, match="y has 4 columns, but setup saw y with 5"):
        loss(z, x[:, :4])
    with pytest.raises(ValueError, match="z has 9 items, but y has 8"):
        loss(z, x[:8])
    with pytest.raises(ValueError, match="real vector for each item"):
        loss(z, torch.arange(N))
    with pytest.raises(NotFittedError, match="setup"):
        NeighborDistillation()(z, x)


@pytest.mark.parametrize(
    "params",
    [
        {"teacher": "Z"},
        {"teacher_temperature": 0},
        {"student_temperature": "cold"},
        {"smoothing": 1.5},
    ],
)
def test_wrong_parameters_are_refused(x, params):
    (name,) = params
    with pytest.raises(InvalidParameterError, match=name):
        NeighborDistillation(**params).setup(4, x)


def test_copies_and_clones(z, x):
    loss = NeighborDistillation(smoothing=0.2).setup(N_BITS, x)
    assert copy.deepcopy(loss)(z, x) == loss(z, x)
    fresh = clone(loss)
    assert fresh.get_params() == loss.get_params()
    assert not hasattr(fresh, "mean_")
    again = fresh.setup(N_BITS, x)
    again.load_state_dict(loss.state_dict())
    assert again(z, x) == loss(z, x)
    assert loss.setup(4, x[:, :2])(z[:, :4], x[:, :2]).isfinite()


def test_starts_at_iterative_quantisation():
    X = torch.randn(300, 8, generator=generator(3))
    loss = NeighborDistillation().setup(5, X)
    weight, bias = loss.start(X, 5, generator())
    seed = int(torch.randint(2**31 - 1, (), generator=generator()))
    itq = ITQ(5, random_state=seed).fit(X.double().numpy())
    torch.testing.assert_close(
        X @ weight.T + bias,
        torch.from_numpy(itq.embed(X.numpy())),
        atol=1e-5,
        rtol=1e-4,
    )
    assert loss.start(X, 9, generator()) is None
    X[:, 4:] = X[:, :4]  # four directions vary
    assert loss.start(X, 5, generator()) is None
    assert loss.start(X[:, :1], 1, generator()) is not None


def test_hints_to_the_encoder():
    loss = LOSSES["neighbor_distillation"]()
    assert loss.supervision == "vectors"
    assert (loss.teacher, loss.batch_size, loss.network) == ("X", 1024, "residual")
    assert loss.steps > HashLoss().steps == 1000
    assert loss.normalize_z is True
    assert HashLoss().supervision == "labels"
    assert HashLoss().batch_size == 128
    assert HashLoss().start(torch.zeros(3, 2), 1, generator()) is None
