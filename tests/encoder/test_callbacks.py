"""The encoder's own callbacks: stopping and keeping; frozen parts."""

import math
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skhash.encoder._auto import device_error
from skhash.encoder._callbacks import KeepBest, Validate, Watch
from skhash.losses import Stage
from skhash.networks import wrap
from tests.encoder.nets import (
    N_BITS,
    N_FEATURES,
    Every,
    N,
    items,
    rates,
    state,
    train,
)

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
    validate, best = Validate(lambda net: next(scores)), KeepBest(patience=3)
    net = train([Stage(6)], ("states", states), ("validate", validate), ("best", best))
    assert net.history[:, "valid_score"] == [0.1, 0.5, 0.4, 0.5, 0.3]
    assert best.best_score_ == 0.5
    assert best.best_epoch_ == 2
    final = state(net)
    for name, value in states.seen[1].items():
        assert torch.equal(final[name], value), name


def test_scores_that_are_nan_keep_the_last_weights():
    validate = Validate(lambda net: math.nan)
    net = train([Stage(5)], ("validate", validate), ("best", KeepBest(patience=2)))
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
