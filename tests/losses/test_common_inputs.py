"""What every loss does with any batch: its dtypes, shapes, sizes and labels."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from torch import nn

from skhash.losses import LOSSES, HashLoss
from skhash.losses._pairs import similarity

pytestmark = pytest.mark.slow  # 3500 short tests
N_BITS = 6
OF_LABELS = [key for key, loss in LOSSES.items() if loss.supervision == "labels"]
HALVES = [torch.float16, torch.bfloat16]
INTEGERS = [
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint16, torch.uint32, torch.uint64),
]
CLASS_WISE = ["csq", "dcwh", "dpn", "greedy_hash", "ortho_hash", "von_mises_fisher"]


class Cosine(HashLoss):
    """A loss as users write it: nothing but a formula."""

    def forward(self, z, y):
        assert z.dtype in (torch.float32, torch.float64)
        assert len(z)
        h = nn.functional.normalize(z.tanh())
        return (h @ h.T - similarity(y).to(z)).square().mean()


def value_and_gradients(loss, z, labels, *weight):
    """Value, gradient of z, and the gradients of the loss's own parameters."""
    z = z.clone().requires_grad_()
    loss.zero_grad()
    value = loss(z, labels, *weight)
    value.backward()
    return value.detach(), z.grad, [p.grad for p in loss.parameters()]


# dtypes of z


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("own", [torch.float32, torch.float64, torch.float16])
def test_half_precision_is_computed_in_single(make, z, labels, dtype, own):
    loss = make(labels).to(own)
    z = z.to(dtype)
    value, grad, _ = value_and_gradients(loss, z, labels)
    expected, wide, _ = value_and_gradients(loss, z.float(), labels)
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    assert grad.dtype == dtype
    assert torch.equal(grad, wide.to(dtype))


@pytest.mark.parametrize("own", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_z_need_not_have_the_dtype_of_the_loss(make, z, labels, own, dtype):
    loss = make(labels).to(own)
    value, grad, of_parameters = value_and_gradients(loss, z.to(dtype), labels)
    assert value.dtype == grad.dtype == dtype
    assert grad.isfinite().all()
    assert all(g.dtype == own and g.isfinite().all() for g in of_parameters)
    scores = loss.class_scores(z.to(dtype))
    assert scores is None or scores.dtype == dtype


@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_does_not_overflow(make, z, labels, dtype):
    value, grad, _ = value_and_gradients(make(labels), (100 * z).to(dtype), labels)
    assert value.isfinite()
    assert grad.isfinite().all()


def test_autocast_leaves_the_loss_in_single_precision(make, z, labels):
    loss = make(labels).float()
    expected, slope, _ = value_and_gradients(loss, z.float(), labels)
    z = z.float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(z, labels)
    value.backward()
    assert torch.equal(value, expected)
    assert torch.equal(z.grad, slope)


def test_integers_are_numbers_and_bits_are_not(make, z, labels):
    loss = make(labels)
    codes = torch.where(z > 0, 1, -1)
    assert torch.equal(loss(codes, labels), loss(codes.float(), labels))
    with pytest.raises(ValueError, match=r"dtype torch\.bool"):
        loss(z > 0, labels)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_no_step_waits_for_values(make, z, labels, dtype):
    loss = make(labels)
    if type(loss).__name__ == "DTSH":
        pytest.skip("it looks for the pairs that are similar")
    # Tensors of this device have no values that Python could ask for.
    z = z.to("meta", dtype).requires_grad_()
    loss.to("meta")(z, labels.to("meta")).backward()
    assert z.grad.shape == z.shape


# Shapes and sizes of z


@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_of_no_items_costs_nothing(make, z, labels, weight, weighted):
    loss = make(labels)
    loss(z, labels)
    rest = (weight[:0],) if weighted else ()
    for dtype in (torch.float32, torch.float64, *HALVES):
        empty = z[:0].to(dtype)
        value, grad, own = value_and_gradients(loss, empty, labels[:0], *rest)
        assert value.shape == ()
        assert value == 0
        assert grad.shape == (0, N_BITS)
        assert all(not g.any() for g in own)
    assert sum(loss.terms_.values()) == 0


def test_an_empty_batch_after_a_loss_gone_wrong_costs_nothing(y, new_generator):
    loss = LOSSES["greedy_hash"]().setup(N_BITS, y, generator=new_generator(0))
    nn.init.constant_(loss.classifier_.weight, torch.nan)
    _, _, (own,) = value_and_gradients(loss, torch.zeros(0, N_BITS), y[:0])
    assert torch.equal(own, torch.zeros_like(own))


@pytest.mark.parametrize("shape", [(11,), (11, 5), (11, 7), (11, N_BITS, 1), ()])
def test_z_of_another_shape_is_refused(make, labels, shape):
    message = r"takes z of shape \(n, 6\), but got"
    with pytest.raises(ValueError, match=message):
        make(labels)(torch.zeros(shape), labels)


def test_advice_names_the_setup_that_would_work(make, z, y):
    loss = make(y)
    with pytest.raises(ValueError, match=r"setup\(4, y\)"):
        loss(z[:, :4], y)
    assert loss.setup(4, y)(z[:, :4], y).isfinite()


@pytest.mark.parametrize("part", ["all", "one item", "one class"])
def test_items_of_no_weight_cost_nothing(make, z, labels, part):
    rows = {"all": slice(None), "one item": slice(2, 3), "one class": [0, 8, 8]}[part]
    z, batch = z[rows], labels[rows]
    nothing = torch.zeros(len(z))
    value, grad, own = value_and_gradients(make(labels), z, batch, nothing)
    assert value == 0
    assert not grad.any()
    assert all(not g.any() for g in own)


@pytest.mark.parametrize("key", [key for key in OF_LABELS if key not in CLASS_WISE])
def test_one_item_makes_no_pair(key, z, labels):
    loss = LOSSES[key]().setup(N_BITS, labels)
    loss(z[:1], labels[:1])
    assert loss.terms_["similarity"] == 0


# Labels and weights


@pytest.mark.parametrize("dtype", INTEGERS)
def test_class_numbers_of_every_dtype_are_the_same(make, z, y, weight, dtype):
    expected, loss = make(y, weight=weight), make(y.to(dtype), weight=weight)
    assert loss(z, y.to(dtype), weight) == expected(z, y, weight)
    loss.refresh(z, y.to(dtype))
    expected.refresh(z, y)
    assert loss(z, y.to(dtype)) == expected(z, y)


def test_two_classes_may_be_bools(make, z, y):
    truth = y > 0
    expected, loss = make(truth.long()), make(truth)
    loss.refresh(z, truth)
    expected.refresh(z, truth.long())
    assert loss(z, truth) == expected(z, truth.long())


MATRICES = [*INTEGERS, torch.bool, torch.float32, torch.float64, *HALVES]


@pytest.mark.parametrize("dtype", MATRICES)
def test_label_matrices_of_every_dtype_are_the_same(make, z, label_sets, weight, dtype):
    other = label_sets.to(dtype)
    expected, loss = make(label_sets, weight=weight), make(other, weight=weight)
    assert loss(z, other, weight) == expected(z, label_sets, weight)
    loss.refresh(z, other)
    expected.refresh(z, label_sets)
    assert loss(z, other) == expected(z, label_sets)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.bool])
def test_many_shared_labels_do_not_wrap(z, dtype):
    y = torch.ones(4, 256)
    weighting = LOSSES["hashnet"](weighting="dataset")
    for loss in (LOSSES["dhn"](), weighting):
        loss.setup(N_BITS, y.to(dtype))
        assert loss(z[:4], y.to(dtype)) == clone(loss).setup(N_BITS, y)(z[:4], y)


@given(
    numbers=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    dtype=st.sampled_from(INTEGERS),
    z_dtype=st.sampled_from([torch.float32, torch.float64, *HALVES]),
    key=st.sampled_from(sorted(OF_LABELS)),
)
def test_any_batch_of_any_dtype_has_a_finite_slope(numbers, dtype, z_dtype, key):
    loss = LOSSES[key]().setup(N_BITS, torch.arange(5))
    z = torch.linspace(-3, 3, len(numbers) * N_BITS).reshape(-1, N_BITS)
    y = torch.tensor(numbers)
    value, grad, _ = value_and_gradients(loss, z.to(z_dtype), y.to(dtype))
    assert value == loss(z.to(z_dtype), y)
    assert value.isfinite()
    assert grad.dtype == z_dtype
    assert grad.isfinite().all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda y: y.double(), r"give y\.long\(\)"),
        (lambda y: y[:9], r"z has 11 items, but y has 9"),
        (lambda y: y[:, None], r"give y\[:, 0\]"),
        (lambda y: y[:, None, None], r"shape \(11, 1, 1\)"),
        (lambda y: y[0], r"shape \(\)"),
        (lambda y: y.to(torch.complex64), "integers"),
    ],
)
def test_what_is_no_label_is_refused(make, z, y, wrong, message):
    loss = make(y)
    with pytest.raises(ValueError, match=message):
        loss(z, wrong(y))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda y: y - 1, "y holds -1"),
        (lambda y: y.double(), r"give y\.long\(\)"),
        (lambda y: nn.functional.one_hot(y) * 2 - 1, r"y holds -1: give .*y > 0"),
        (lambda y: nn.functional.one_hot(y) / 2, r"y holds 0\.5"),
        (lambda y: torch.full((11, 3), torch.nan), "y holds nan"),
    ],
)
def test_setup_refuses_what_is_no_label(make, y, wrong, message):
    with pytest.raises(ValueError, match=message):
        make(wrong(y))


def test_matrices_of_another_width_are_refused(make, z, label_sets):
    with pytest.raises(ValueError, match=r"y has 2 columns, .* with 3"):
        make(label_sets)(z, label_sets[:, :2])


@pytest.mark.parametrize("key", CLASS_WISE)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y + 1, "y has class 3"),
        (lambda y: y - 1, "y has class -1"),
        (lambda y: -100 * y, "y has class -200"),
        (lambda y: torch.eye(4)[y], "y has 4 columns"),
    ],
)
def test_classes_that_a_loss_does_not_have_are_refused(key, z, y, change, message):
    loss = LOSSES[key]().setup(N_BITS, y).double()
    with pytest.raises(ValueError, match=rf"for 3 classes.* {message}"):
        loss(z, change(y))
    assert loss(z, torch.eye(3)[y]).isfinite()


@pytest.mark.parametrize("key", CLASS_WISE)
def test_setup_of_a_class_wise_loss_needs_a_label(key, y):
    with pytest.raises(ValueError, match="y is empty"):
        LOSSES[key]().setup(N_BITS, y[:0])


@pytest.mark.parametrize("shape", [(9,), (1,), (11, 1), ()])
def test_weights_of_another_shape_are_refused(make, z, labels, shape):
    loss = make(labels)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(11,\)"):
        loss(z, labels, torch.ones(shape))
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(11,\)"):
        loss(z, labels, sample_weight=torch.ones(shape))


# torch.func


def test_torch_func_gives_the_gradient_of_autograd(make, z, labels, weight):
    loss = make(labels)
    for rest in ((), (weight,)):
        value, expected, _ = value_and_gradients(loss, z, labels, *rest)
        with_func = torch.func.grad_and_value(lambda z, r=rest: loss(z, labels, *r))
        grad, same_value = with_func(z)
        assert same_value == value
        assert torch.allclose(grad, expected, rtol=1e-12, atol=0)


def test_torch_func_leaves_a_loss_that_can_be_copied(make, z, labels):
    loss = make(labels)
    value = loss(z, labels).item()
    torch.func.grad(lambda z: loss(z, labels))(z)
    assert sum(copy.deepcopy(loss).terms_.values()).item() == pytest.approx(value)
    assert pickle.loads(pickle.dumps(loss))(z, labels) == value


@pytest.mark.parametrize("key", ["dtsh", "exponentiated"])
def test_gradients_made_by_hand_have_gradients(key, z, y, weight):
    loss = LOSSES[key]().setup(N_BITS, y).double()
    z = z[:6].clone().requires_grad_()
    arguments = y[:6], weight[:6]
    assert torch.autograd.gradgradcheck(lambda z: loss(z, *arguments), (z,))

    def steepness(z):
        return torch.func.grad(lambda z: loss(z, *arguments))(z).square().sum()

    def by_autograd(z):
        (grad,) = torch.autograd.grad(loss(z, *arguments), z, create_graph=True)
        return grad.square().sum()

    expected = torch.autograd.grad(by_autograd(z), z)[0]
    assert torch.allclose(torch.func.grad(steepness)(z.detach()), expected)


# Losses of one's own


def test_a_loss_of_ones_own_gets_checked_batches(z, y, label_sets):
    loss = Cosine().setup(N_BITS, y)
    empty = z[:0].clone().requires_grad_()
    loss(empty, y[:0]).backward()
    assert empty.grad.shape == (0, N_BITS)
    assert loss(z.half(), y.to(torch.uint8)) == loss(z.half().float(), y)
    assert loss(z, label_sets.bool()) == loss(z, label_sets)
    with pytest.raises(ValueError, match=r"Cosine takes z of shape \(n, 6\)"):
        loss(z[:, :5], y)
    loss.input_ = "features"
    assert loss(z[:, :5], y).isfinite()


def test_a_loss_of_ones_own_needs_no_setup(z, y):
    assert Cosine()(z[:, :5], y).isfinite()
    with pytest.raises(ValueError, match=r"\(n, n_bits\)"):
        Cosine()(z[:, 0], y)


# Few bits


def train_a_line(loss, X, y):
    """Share of pairs that one bit of a linear network sets right, after training."""
    layers = [nn.Linear(X.shape[1], 1)]
    if loss.normalize_z:
        layers.append(nn.BatchNorm1d(1, affine=False))
    network = nn.Sequential(*layers)
    optimizer = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        loss(network(X), y).backward()
        optimizer.step()
    bit = network(X)[:, 0] > 0
    return ((bit[:, None] == bit) == (y[:, None] == y)).double().mean()


@pytest.mark.filterwarnings("ignore:quantization=1 may hold:UserWarning")
@pytest.mark.parametrize("key", OF_LABELS)
def test_one_bit_tells_two_classes_apart(key, new_generator):
    y = torch.arange(60) % 2
    noise = torch.randn(60, 4, generator=new_generator(0))
    X = noise + 3 * torch.tensor([1.0, 0, 0, 0]) * (2 * y[:, None] - 1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        loss = LOSSES[key]().setup(1, y, generator=new_generator(0))
        assert train_a_line(loss, X, y) > 0.95


@pytest.mark.filterwarnings("ignore:quantization=1 may hold:UserWarning")
@pytest.mark.filterwarnings("ignore:With targets=:UserWarning")
def test_one_bit_has_a_slope(make, new_generator):
    y = torch.arange(8) % 2
    z = torch.randn(8, 1, generator=new_generator(0), dtype=torch.float64)
    loss = make(y, n_bits=1)
    loss.refresh(z, y)
    _, grad, _ = value_and_gradients(loss, z, y)
    assert (grad.abs() > 1e-6).any()


@pytest.mark.parametrize("init", ["hadamard", "far", "normal", "forward"])
def test_two_directions_of_one_bit_differ(init, new_generator):
    y = torch.arange(8) % 2
    for seed in range(8):
        loss = LOSSES["von_mises_fisher"](center_init=init)
        loss.setup(1, y, generator=new_generator(seed))
        loss.refresh(torch.rand(8, 1, generator=new_generator(seed)), y)
        assert sorted(loss.centers_.flatten().tolist()) == [-1, 1]


def test_dtsh_warns_of_a_quantization_too_strong_for_two_bits(y, recwarn):
    for n_bits in (1, 2):
        with pytest.warns(UserWarning, match=r"DTSH\(quantization=0\.1\)"):
            LOSSES["dtsh"]().setup(n_bits, y)
    recwarn.clear()
    LOSSES["dtsh"]().setup(3, y)
    LOSSES["dtsh"](quantization=0.1).setup(1, y)
    assert not recwarn


@pytest.mark.parametrize("key", ["csq", "dpn", "ortho_hash"])
def test_classes_that_share_a_code_are_said(key, new_generator, recwarn):
    y = torch.arange(4)
    with pytest.warns(UserWarning, match=r"4 classes share codes .*'hadamard'"):
        LOSSES[key](targets="balanced").setup(2, y, generator=new_generator(0))
    recwarn.clear()
    for n_bits in (2, 3, 8):
        loss = LOSSES[key]().setup(n_bits, y, generator=new_generator(0))
        assert len(np.unique(loss.centers_.numpy(), axis=0)) == 4
    # Too few codes for all: no other choice would help.
    LOSSES[key](targets="balanced").setup(1, y, generator=new_generator(0))
    assert not recwarn
