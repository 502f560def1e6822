"""The net: plans of a loss, and learning rates."""

import numpy as np
import pytest
import torch
from torch import nn

from skhash.encoder._callbacks import Watch
from skhash.encoder._schedules import LR_SCHEDULES
from skhash.losses import Stage
from tests.encoder.nets import N_BITS, Every, N, items, network, rates, state, train

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
