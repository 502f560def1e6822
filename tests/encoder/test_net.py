"""The trainer: plans carried out, learning rates, what is frozen, what is kept."""

import math
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skhash.encoder._auto import device_error
from skhash.encoder._callbacks import FollowPlan, Halt, KeepBest, Watch
from skhash.encoder._data.batches import ArrayDataset, ShuffledSampler
from skhash.encoder._net import DeepHashNet
from skhash.encoder._schedules import LR_SCHEDULES
from skhash.losses import HashLoss, Stage
from skhash.networks import HashNetwork, wrap

N, N_FEATURES, N_BITS = 40, 3, 4


class Recording(HashLoss):
    """Notes each call; has a centre that learns and state that stages set."""

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = weight

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y)
        self.center_ = nn.Parameter(torch.zeros(n_bits))
        self.register_buffer("beta_", torch.tensor(0.0))
        self.mode_ = "unset"
        self.forwards, self.refreshes = [], []
        return self

    def forward(self, z, y, sample_weight=None):
        self.forwards.append((tuple(z.shape), float(self.beta_), self.mode_))
        width = min(z.shape[1], len(self.center_))
        return (z[:, :width] - self.center_[:width] - 1).square().mean()

    def refresh(self, z, y, sample_weight=None):
        assert not torch.is_grad_enabled()
        self.refreshes.append((len(self.forwards), z, y, sample_weight))


def network():
    torch.manual_seed(0)
    body = nn.Sequential(
        nn.Linear(N_FEATURES, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 6)
    )
    return HashNetwork(body, nn.Linear(6, N_BITS))


def items(weighted=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, N_FEATURES)).astype(np.float32)
    y = torch.arange(N) % 2
    return ArrayDataset(X, y, torch.linspace(0.5, 1.5, N) if weighted else None)


def train(plan, *callbacks, data=None, batch_size=20, net=None, **params):
    """A net trained by a plan: 2 steps an epoch."""
    data = items() if data is None else data
    loss = Recording().setup(N_BITS, data.y)
    settings = {
        "optimizer": torch.optim.SGD,
        "lr": 0.1,
        "train_split": None,
        "verbose": 0,
        "max_epochs": sum(stage.epochs for stage in plan),
        **params,
    }
    net = DeepHashNet(net or network(), loss, **settings).initialize()
    net.callbacks = [("plan", FollowPlan(plan)), *callbacks, ("halt", Halt())]
    net.initialize_callbacks()
    net.sampler = ShuffledSampler(len(data), batch_size, seed=0)
    return net.partial_fit(data)


class Every(Callback):
    """Notes something after each batch or epoch."""

    def __init__(self, look, moment="on_batch_end"):
        self.seen = []
        setattr(self, moment, lambda net, **kwargs: self.seen.append(look(net)))


# Plans


def test_stages_set_the_state_of_the_loss():
    plan = [
        Stage(2, settings={"beta_": 1.0, "mode_": "slow"}),
        Stage(1, settings={"beta_": 4.0, "mode_": "fast"}),
    ]
    net = train(plan)
    seen = [(beta, mode) for _, beta, mode in net.criterion_.forwards]
    assert seen == [(1.0, "slow")] * 4 + [(4.0, "fast")] * 2
    assert isinstance(net.criterion_.beta_, torch.Tensor)
    assert net.history[:, "stage"] == [0, 0, 1]
    assert net.history[:, "beta"] == [1.0, 1.0, 4.0]
    assert net.history[:, "mode"] == ["slow", "slow", "fast"]


def state(net):
    return {
        **{f"loss.{k}": v.clone() for k, v in net.criterion_.state_dict().items()},
        **{k: v.clone() for k, v in net.module_.state_dict().items()},
    }


@pytest.mark.parametrize("part", ["all", "body", "head", "loss"])
def test_stage_trains_its_part_alone(part):
    start = Every(state, "on_train_begin")
    net = train([Stage(3, train=part)], ("start", start))
    before, after = start.seen[0], state(net)
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    parts = {name.split(".")[0] for name in changed}
    assert parts == ({"body", "head", "loss"} if part == "all" else {part})
    statistics = {name for name in after if "running" in name}
    assert (statistics <= changed) == (part in ("all", "body"))
    assert all(p.requires_grad for p in net.module_.parameters())


def test_next_stage_trains_what_the_last_left_alone():
    start = Every(state, "on_epoch_begin")
    net = train([Stage(1, train="head"), Stage(1, train="body")], ("start", start))
    first, second = start.seen
    last = state(net)
    assert torch.equal(first["body.0.weight"], second["body.0.weight"])
    assert not torch.equal(first["head.weight"], second["head.weight"])
    assert not torch.equal(second["body.0.weight"], last["body.0.weight"])
    assert torch.equal(second["head.weight"], last["head.weight"])


def test_features_stage_trains_on_the_output_of_the_body():
    plan = [Stage(1, input="features", train="body"), Stage(1)]
    watch = Watch(lambda z: {"columns": z.shape[1]})
    net = train(plan, ("watch", watch))
    shapes = [shape for shape, _, _ in net.criterion_.forwards]
    assert shapes == [(20, 6)] * 2 + [(20, 4)] * 2
    assert "columns" not in net.history[0]  # features are not codes
    assert net.history[1, "columns"] == 4


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ([Stage(5)], []),
        ([Stage(5, refresh_every=1)], [2, 4, 6, 8]),
        ([Stage(5, refresh_every=2)], [4, 8]),
        ([Stage(2, refresh_first=True)], [0]),
        ([Stage(2), Stage(2, refresh_first=True)], [4]),
        ([Stage(2), Stage(3, refresh_every=2)], [4, 8]),
        ([Stage(2, refresh_first=True, refresh_every=1), Stage(1)], [0, 2]),
    ],
)
def test_refresh_comes_between_epochs(plan, expected, monkeypatch):
    monkeypatch.setattr("skhash.encoder._callbacks._MIN_STEPS_BETWEEN_REFRESHES", 1)
    net = train(plan)
    assert [steps for steps, *_ in net.criterion_.refreshes] == expected


def test_refreshes_keep_a_distance(monkeypatch):
    monkeypatch.setattr("skhash.encoder._callbacks._MIN_STEPS_BETWEEN_REFRESHES", 5)
    net = train([Stage(10, refresh_every=1)])
    assert [steps for steps, *_ in net.criterion_.refreshes] == [2, 8, 14]


@pytest.mark.parametrize("weighted", [False, True])
def test_refresh_sees_all_training_data_in_order_and_evaluation_mode(weighted):
    data = items(weighted)
    begin = Every(lambda net: net.module_(torch.from_numpy(data.X)), "on_epoch_begin")
    plan = [
        Stage(1),
        Stage(
            1, refresh_first=True, lr_scale=dict.fromkeys(("body", "head", "loss"), 0.0)
        ),
    ]
    net = train(plan, ("begin", begin), data=data)
    ((_, z, y, weight),) = net.criterion_.refreshes
    assert torch.equal(y, data.y)
    assert (weight is None) == (not weighted)
    if weighted:
        assert torch.equal(weight, data.sample_weight)
    net.module_.eval()
    # Nothing learnt since; batch norm has moved, so look at what it was then.
    expected = begin.seen[1]
    assert z.shape == (N, N_BITS)
    np.testing.assert_allclose(z.numpy(), expected.detach().numpy(), rtol=1e-5)


# Learning rates


def rates(net):
    return {group["part"]: group["lr"] for group in net.optimizer_.param_groups}


def test_learning_rate_scales_with_part_stage_and_network():
    looks = Every(rates)
    net = network()
    net.lr_scale = {"body": 0.5}
    plan = [Stage(1), Stage(1, lr_scale={"body": 0.1, "loss": 3.0})]
    train(plan, ("looks", looks), net=net)
    assert looks.seen[0] == {"body": 0.05, "head": 0.1, "loss": 0.1}
    assert looks.seen[-1] == pytest.approx({"body": 0.005, "head": 0.1, "loss": 0.3})


@pytest.mark.parametrize("name", LR_SCHEDULES)
def test_schedule_runs_over_all_steps(name):
    looks = Every(rates)
    train([Stage(3), Stage(4)], ("looks", looks), lr_schedule=name)
    seen = [rate["head"] for rate in looks.seen]
    expected = [0.1 * LR_SCHEDULES[name](step / 13) for step in range(14)]
    np.testing.assert_allclose(seen, expected)


def test_ends_of_the_schedules():
    one_cycle, cosine = LR_SCHEDULES["one_cycle"], LR_SCHEDULES["cosine"]
    assert one_cycle(0) == pytest.approx(1 / 25)
    assert one_cycle(0.3) == pytest.approx(1)
    assert one_cycle(1) == pytest.approx(1 / 25e4)
    assert one_cycle(0.15) == pytest.approx((1 + 1 / 25) / 2)
    shares = np.linspace(0, 1, 101)
    values = np.array([one_cycle(share) for share in shares])
    assert (np.diff(values[:31]) > 0).all()
    assert (np.diff(values[30:]) < 0).all()
    assert cosine(0) == 1
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1) == pytest.approx(0)
    assert {LR_SCHEDULES["constant"](share) for share in shares} == {1.0}


def test_one_cycle_is_the_one_of_torch():
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.1, total_steps=14, final_div_factor=1e4
    )
    looks = Every(
        lambda net: (rates(net)["head"], net.optimizer_.param_groups[0]["betas"][0])
    )
    train(
        [Stage(7)],
        ("looks", looks),
        lr_schedule="one_cycle",
        optimizer=torch.optim.AdamW,
    )
    for step, (lr, beta) in enumerate(looks.seen):
        optimizer.step()
        schedule_lr = optimizer.param_groups[0]["lr"]
        # torch's peak lies on a step, ours at 30 % of the way.
        assert lr == pytest.approx(schedule_lr, abs=0.02), step
        assert beta == pytest.approx(0.95 - lr, abs=1e-9)
        schedule.step()


# Frozen parts of a user's network


@pytest.mark.parametrize("freeze", [True, ("conv",)])
def test_frozen_weights_and_statistics_stay(freeze):
    body = nn.Sequential()
    body.add_module("conv", nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)))
    body.add_module("top", nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6)))
    generator = torch.Generator().manual_seed(0)
    net = wrap(body, freeze=freeze)((N_FEATURES,), N_BITS, generator=generator)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    looks = Every(rates)
    trained = train([Stage(3)], ("looks", looks), net=net)
    after = trained.module_.state_dict()
    for name, value in before.items():
        frozen = ".conv." in name or (freeze is True and name.startswith("body"))
        moved = not torch.equal(value, after[name])
        assert moved != frozen or name.endswith("bias"), name
    if freeze is True:
        assert set(looks.seen[0]) == {"head", "loss"}
    else:
        assert looks.seen[0]["body"] == pytest.approx(0.01)


# Stopping, keeping


def test_best_weights_come_back():
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.3, 0.9])
    states = Every(state, "on_epoch_end")
    best = KeepBest(lambda net: next(scores), patience=3)
    net = train([Stage(6)], ("states", states), ("best", best))
    assert net.history[:, "valid_score"] == [0.1, 0.5, 0.4, 0.5, 0.3]
    assert best.best_score_ == 0.5
    assert best.best_epoch_ == 2
    final = state(net)
    for name, value in states.seen[1].items():
        assert torch.equal(final[name], value), name


def test_scores_that_are_nan_keep_the_last_weights():
    best = KeepBest(lambda net: math.nan, patience=2)
    net = train([Stage(5)], ("best", best))
    assert len(net.history) <= 5
    assert all(torch.isfinite(value).all() for value in state(net).values())


def test_watch_notes_and_stops():
    watch = Watch(lambda z: {"rows": len(z), "columns": z.shape[1]})
    net = train([Stage(2)], ("watch", watch))
    assert net.history[:, "rows"] == [N, N]
    assert net.history[:, "columns"] == [N_BITS] * 2
    exploding = train([Stage(30)], ("watch", watch), lr=1e30)
    assert len(exploding.history) < 30
    assert not math.isfinite(exploding.history[-1, "train_loss"])


def test_losses_in_the_history_are_means_over_items():
    losses = []
    data = items().subset(np.arange(39))  # batches of 20 and 19

    class Note(Callback):
        def on_batch_end(self, net, loss=None, y_pred=None, **kwargs):
            losses.append((float(loss.detach()), len(y_pred)))

    net = train([Stage(1)], ("note", Note()), data=data)
    assert [rows for _, rows in losses] == [20, 19]
    expected = sum(loss * rows for loss, rows in losses) / 39
    assert net.history[0, "train_loss"] == pytest.approx(expected, rel=1e-6)


def test_slim_net_forgets_the_training():
    net = train([Stage(2)], ("watch", Watch(lambda z: {})))
    full = len(pickle.dumps(net.module_))
    net.slim(["plan", "watch", "halt"])
    assert net.optimizer_ is None
    assert net.sampler is None
    assert [name for name, _ in net.callbacks_] == ["epoch_timer"]
    assert all(parameter.grad is None for parameter in net.module_.parameters())
    net.criterion_.forwards, net.criterion_.refreshes = [], []
    assert len(pickle.dumps(net)) < full + 10_000


def test_encode_gives_evaluation_outputs_in_order():
    net = train([Stage(1)])
    data = items()
    batches = list(net.encode(data, batch_size=15))
    assert [len(z) for z in batches] == [15, 15, 10]
    net.module_.eval()
    with torch.no_grad():
        expected = net.module_(torch.from_numpy(data.X)).numpy()
    np.testing.assert_allclose(np.concatenate(batches), expected, rtol=1e-5)
    part = data.subset(np.array([5, 2]))
    np.testing.assert_allclose(next(net.encode(part)), expected[[5, 2]], rtol=1e-5)


@pytest.mark.parametrize("device", ["cuda", "cuda:99", "mps", "xpu"])
def test_pickles_from_other_devices_load_where_there_is_none(device):
    if not device_error(device):
        pytest.skip("this machine has it")
    net = train([Stage(1)])
    net.slim([*net.own_callbacks_])
    z = np.concatenate(list(net.encode(items())))
    vars(net)["device"] = device  # as if it lay there
    loaded = pickle.loads(pickle.dumps(net))
    assert loaded.device == "cpu"
    np.testing.assert_array_equal(np.concatenate(list(loaded.encode(items()))), z)
