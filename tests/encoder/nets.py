"""Small nets, their data and loss, and trainings by a plan."""

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import nn

from skhash.encoder._callbacks import FollowPlan, Halt
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._data.samplers import ShuffledSampler
from skhash.encoder._net import DeepHashNet
from skhash.losses import HashLoss
from skhash.networks import HashNetwork

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


def state(net):
    return {
        **{f"loss.{k}": v.clone() for k, v in net.criterion_.state_dict().items()},
        **{k: v.clone() for k, v in net.module_.state_dict().items()},
    }


def rates(net):
    return {group["part"]: group["lr"] for group in net.optimizer_.param_groups}
