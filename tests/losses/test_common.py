"""What every loss promises, for every entry of `LOSSES` and every option."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError
from torch import nn

from skhash.losses import LOSSES, GreedyHash, HashLoss, Stage

N_BITS = 6
OF_LABELS = [key for key, loss in LOSSES.items() if loss.supervision == "labels"]


def gradients(loss, z, labels, weight=None):
    """Value, gradient of z and of each parameter."""
    z = z.clone().requires_grad_()
    value = loss(z, labels, weight)
    value.backward()
    return value, z.grad, {name: p.grad for name, p in loss.named_parameters()}


def moved(loss, order, signs):
    """A copy whose centres and class weights live on permuted and flipped bits."""
    other = copy.deepcopy(loss)
    state = other.state_dict()
    for name, value in state.items():
        if value.ndim and value.shape[-1] == N_BITS:
            state[name] = value[..., order] * signs.to(value)
    other.load_state_dict(state)
    return other


def ideal_codes(loss, n_classes):
    """One vertex for each class, those that the loss has chosen if it chooses."""
    for name, value in loss.state_dict().items():
        if value.shape == (n_classes, N_BITS):
            assert name
            return torch.where(value > 0, 1.0, -1.0).double()
    codes = [[1, 1, 1, 1, 1, 1], [1, 1, -1, -1, -1, -1], [-1, -1, 1, 1, -1, -1]]
    return torch.tensor(codes, dtype=torch.float64)


def leave_one_out_map(bits, y):
    """Mean over items of the expected average precision under random tie breaks."""
    codes = np.where(bits, 1, -1)
    distances = (codes.shape[1] - codes @ codes.T) // 2
    scores = []
    for i in range(len(y)):
        others = np.arange(len(y)) != i
        d, relevant = distances[i][others], (y == y[i])[others]
        seen = hits = total = 0.0
        for value in np.unique(d):
            size, good = (d == value).sum(), relevant[d == value].sum()
            for place in range(size):
                before = place * (good - 1) / (size - 1) if size > 1 else 0.0
                total += good / size * (hits + 1 + before) / (seen + place + 1)
            seen, hits = seen + size, hits + good
        scores.append(total / relevant.sum())
    return np.mean(scores)


def test_loss_is_a_finite_scalar_with_gradients(make, z, labels):
    value, grad, of_parameters = gradients(make(labels), z, labels)
    assert value.shape == ()
    assert value.isfinite()
    assert grad.isfinite().all()
    assert grad.abs().sum() > 0
    for name, gradient in of_parameters.items():
        assert gradient is not None, name
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0, name


def test_terms_add_up_to_the_loss(make, z, labels):
    loss = make(labels)
    value = loss(z, labels)
    assert sum(loss.terms_.values()).item() == pytest.approx(value.item())
    assert not any(term.requires_grad for term in loss.terms_.values())


@pytest.mark.slow
def test_gradient_is_the_slope(make, z, labels, weight):
    loss = make(labels)
    if isinstance(loss, GreedyHash):
        pytest.skip("its gradient is passed through the sign; see test_class_codes.py")
    for name, parameter in loss.named_parameters():
        assert parameter.dtype == torch.float64, name
    z = z.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, weight), (z,))


def test_order_of_the_batch_does_not_matter(make, z, labels, weight):
    loss = make(labels)
    order = torch.tensor([3, 1, 10, 0, 7, 5, 9, 2, 4, 8, 6])
    value = loss(z, labels, weight)
    shuffled = loss(z[order], labels[order], weight[order])
    assert shuffled.item() == pytest.approx(value.item(), rel=1e-12)


def test_bits_can_be_permuted_and_flipped(make, z, labels):
    loss = make(labels)
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    signs = torch.tensor([1, -1, -1, 1, 1, -1], dtype=torch.float64)
    value = loss(z, labels)
    other = moved(loss, order, signs)(z[:, order] * signs, labels)
    assert other.item() == pytest.approx(value.item(), rel=1e-9)


def test_perfect_codes_cost_less_than_random_ones(make, y, new_generator):
    loss = make(y)
    perfect = 2 * ideal_codes(loss, 3)[y]
    noise = torch.randn(20, len(y), N_BITS, generator=new_generator(1))
    random = 2 * torch.where(noise > 0, 1.0, -1.0).double()
    cost = loss(perfect, y)
    assert all(cost < loss(codes, y) for codes in random)


EDGES = {
    "one class": torch.zeros(5, dtype=torch.long),
    "no similar pair": torch.tensor([0, 1, 2]),
    "one item": torch.tensor([1]),
    "no label": torch.zeros(4, 3),
    "all labels": torch.ones(4, 3),
    "one labelled": torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]),
}


@pytest.mark.slow
@pytest.mark.parametrize("edge", list(EDGES))
def test_edge_batches_stay_finite(make, y, label_sets, new_generator, edge):
    batch = EDGES[edge]
    loss = make(label_sets if batch.ndim == 2 else y).float()
    noise = torch.randn(len(batch), N_BITS, generator=new_generator(2))
    uneven = torch.arange(len(batch)) / 3
    for scale in (0.0, 1e-20, 1.0, 1e4):
        for weight in (None, torch.zeros(len(batch)), uneven):
            value, grad, _ = gradients(loss, scale * noise, batch, weight)
            assert value.isfinite()
            assert grad.isfinite().all()


def test_equal_outputs_have_finite_gradients(make, y, new_generator):
    loss = make(y).float()
    row = torch.randn(1, N_BITS, generator=new_generator(3))
    value, grad, _ = gradients(loss, row.expand(len(y), -1), y)
    assert value.isfinite()
    assert grad.isfinite().all()
    assert grad.abs().max() < 100


def test_training_raises_mean_average_precision(make, new_generator):
    y = torch.arange(30) % 3
    loss = make(y, n_bits=16).float()
    z = torch.randn(30, 16, generator=new_generator(4), requires_grad=True)
    before = leave_one_out_map((z > 0).numpy(), y.numpy())
    optimizer = torch.optim.Adam([z, *loss.parameters()], lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        loss(z, y).backward()
        optimizer.step()
    after = leave_one_out_map((z > 0).numpy(), y.numpy())
    assert before < 0.5
    assert after > 0.9


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))]
)
def test_copies_give_the_same_loss(make, z, labels, copied):
    loss = make(labels)
    value = loss(z, labels)
    assert copied(loss)(z, labels).item() == value.item()


def test_state_dict_carries_the_random_state(make, z, labels):
    loss, other = make(labels, seed=0), make(labels, seed=1)
    other.load_state_dict(loss.state_dict())
    assert other(z, labels).item() == loss(z, labels).item()


def test_clone_forgets_the_state_and_keeps_the_parameters(make, labels):
    loss = make(labels)
    fresh = clone(loss)
    assert repr(fresh) == repr(loss)
    assert fresh.get_params() == loss.get_params()
    assert not hasattr(fresh, "n_bits_")
    assert not fresh.state_dict()


def test_setup_draws_only_from_its_generator(make, labels):
    before = torch.random.get_rng_state()
    first, second = make(labels, seed=5), make(labels, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b in zip(
        first.state_dict().values(), second.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_setup_can_be_repeated_for_other_data(make, y, label_sets, z):
    loss = make(label_sets)
    loss.setup(4, y).double()
    assert loss(z[:, :4], y).isfinite()


def test_plan_is_complete(make, y):
    loss = make(y)
    for n_epochs in range(1, 21):
        plan = loss.plan(n_epochs)
        assert sum(stage.epochs for stage in plan) == n_epochs
        assert all(isinstance(stage, Stage) and stage.epochs >= 1 for stage in plan)
        assert len({frozenset(stage.settings) for stage in plan}) == 1
        for name in plan[0].settings:
            assert name.endswith("_")
            assert hasattr(loss, name)


def test_one_hot_labels_equal_class_numbers(make, z, y, weight):
    one_hot = torch.nn.functional.one_hot(y, 3).double()
    single = make(y, weight=weight)(z, y, weight)
    multi = make(one_hot, weight=weight)(z, one_hot, weight)
    assert multi.item() == pytest.approx(single.item(), rel=1e-12)


def test_only_the_ratio_of_weights_matters(make, z, labels, weight):
    loss = make(labels)
    value = loss(z, labels, weight)
    assert loss(z, labels, 3 * weight).item() == pytest.approx(value.item())
    same = loss(z, labels, torch.full_like(weight, 0.7))
    assert same.item() == pytest.approx(loss(z, labels).item())
    assert abs(value.item() - same.item()) > 1e-6


def test_items_of_no_weight_are_absent(make, z, labels, weight):
    loss = make(labels)
    kept = weight > 0
    value, grad, _ = gradients(loss, z, labels, weight)
    without = loss(z[kept], labels[kept], weight[kept])
    assert value.item() == pytest.approx(without.item(), rel=1e-12)
    assert not grad[~kept].any()


CLASS_WISE = ["csq", "dcwh", "dpn", "greedy_hash", "ortho_hash", "von_mises_fisher"]


@pytest.mark.parametrize("key", CLASS_WISE)
def test_weight_2_is_a_second_copy_where_items_are_averaged(
    key, z, labels, new_generator
):
    loss = LOSSES[key]().setup(N_BITS, labels, generator=new_generator(0)).double()
    twice = torch.cat([z, z[:4]]), torch.cat([labels, labels[:4]])
    weight = torch.tensor([2.0] * 4 + [1.0] * 7)
    assert loss(z, labels, weight).item() == pytest.approx(loss(*twice).item())


def test_precisions_agree(make, z, labels):
    loss = make(labels)
    double = loss(z, labels)
    single = loss.float()(z.float(), labels.float() if labels.ndim == 2 else labels)
    assert double.dtype == torch.float64
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(double.item(), rel=2e-5)


def test_a_loss_that_needs_setup_says_so(make, z, y):
    loss = make(y)
    if loss.state_dict():
        with pytest.raises(NotFittedError, match=r"setup\(n_bits, y\)"):
            clone(loss)(z, y)


@pytest.mark.parametrize("key", OF_LABELS)
def test_names_follow_the_house_rules(key, y, new_generator):
    loss = LOSSES[key]()
    params = loss.get_params()
    assert not any(name.endswith("_") for name in params)
    assert not set(params) & set(dir(nn.Module()))
    loss.setup(N_BITS, y, generator=new_generator(0))
    roots = {name.split(".")[0] for name in loss.state_dict()}
    assert all(name.endswith("_") for name in roots)
    learnt = set(vars(loss)) - set(vars(HashLoss())) - set(params)
    assert all(name.endswith("_") for name in learnt if not name.startswith("_"))
    assert set(loss._parameter_constraints) == set(params)


@pytest.mark.parametrize("key", OF_LABELS)
def test_wrong_hyper_parameters_are_refused(key, y):
    for name in LOSSES[key]().get_params():
        wrong = LOSSES[key]().set_params(**{name: "nonsense"})
        with pytest.raises(InvalidParameterError, match=name):
            wrong.setup(N_BITS, y)


@pytest.mark.parametrize("key", OF_LABELS)
def test_less_than_one_bit_is_refused(key, y):
    with pytest.raises(ValueError, match="at least 1"):
        LOSSES[key]().setup(0, y)


@pytest.mark.parametrize("key", LOSSES)
def test_encoder_hints_are_booleans(key):
    assert isinstance(LOSSES[key]().normalize_z, bool)
    assert isinstance(LOSSES[key]().balanced_batches, bool)
    assert isinstance(LOSSES[key]().needs_columns, bool)
