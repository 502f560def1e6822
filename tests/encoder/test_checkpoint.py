"""A training that is cut goes on to the same end."""

import copy
import json
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import safetensors.numpy
import torch
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler
from torch import nn
from torch.utils.data import Dataset

from skhash import DeepHashEncoder
from skhash.encoder._state import read_state, write_state
from skhash.losses import HashLoss, NeighborDistillation
from tests.encoder.helpers import mean_square

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Cut(Exception):
    """The end of the machine's time."""


class CutAt(Callback):
    """Cuts the training at the beginning of an epoch, while `epoch` is set."""

    epoch = None

    def on_batch_end(self, net, **kwargs):
        if CutAt.epoch == len(net.history):
            raise Cut


def same_encoders(a, b, X):
    """All that two encoders have learnt is the same, bit for bit."""
    np.testing.assert_array_equal(a.embed(X), b.embed(X))
    left, right = a.net_.module_.state_dict(), b.net_.module_.state_dict()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    left, right = a.loss_.state_dict(), b.loss_.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)
    rows = [
        [{k: v for k, v in row.items() if k != "dur"} for row in model.history_]
        for model in (a, b)
    ]
    assert rows[0] == rows[1]
    assert a.n_iter_ == b.n_iter_


@pytest.fixture
def train(tmp_path):
    """A function that trains twice: uncut, and cut in some epochs and continued."""

    def trained(X, y, *, at=(4,), callbacks=(), fit=None, **params):
        path = tmp_path / "training.ckpt"

        def make(checkpoint):
            given = [copy.copy(callback) for callback in callbacks]
            settings = {"max_epochs": 8, "random_state": 0, "batch_size": 64, **params}
            return DeepHashEncoder(
                8, callbacks=[*given, CutAt()], checkpoint=checkpoint, **settings
            )

        CutAt.epoch = None
        whole = make(None).fit(X, y, **(fit or {}))
        for number, epoch in enumerate(at):
            CutAt.epoch = epoch
            with pytest.raises(Cut):
                going_on(make(path), X, y, fit, number > 0)
            assert path.exists()
        CutAt.epoch = None
        continued = going_on(make(str(path)), X, y, fit, True)
        assert list(tmp_path.iterdir()) == []
        same_encoders(whole, continued, X)
        return continued

    yield trained
    CutAt.epoch = None


def going_on(model, X, y, fit, again):
    """Fit; a training that goes on warns of the callback whose state is not kept."""
    if not again:
        return model.fit(X, y, **(fit or {}))
    with pytest.warns(UserWarning, match="the callbacks CutAt start anew"):
        return model.fit(X, y, **(fit or {}))


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "hashnet"},
        {"loss": "dcwh"},
        {"loss": "von_mises_fisher"},
        {"loss": "exponentiated"},
        {"loss": "greedy_hash"},
        {"loss": "dtsh", "optimizer": "sgd", "lr": 0.01},
        {"balanced_batches": 3},
        {"early_stopping": True, "n_iter_no_change": 2, "max_epochs": 30},
        {"optimizer": torch.optim.RMSprop, "lr_schedule": "cosine"},
    ],
    ids=str,
)
def test_a_cut_training_ends_as_an_uncut_one(train, blobs, params):
    train(*blobs, **params)


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["X", "y"])
def test_a_cut_training_of_vectors_draws_on_the_same_neighbours(train, blobs, teacher):
    X, _ = blobs
    y = X[:, :3] ** 2 if teacher == "y" else None
    train(X, y, loss=NeighborDistillation(teacher=teacher))


def test_a_checkpoint_knows_the_vectors_it_was_taught_by(blobs, tmp_path):
    X, _ = blobs
    path = tmp_path / "training.ckpt"
    loss = NeighborDistillation(teacher="y")
    model = DeepHashEncoder(8, loss=loss, checkpoint=path, callbacks=[CutAt()])
    model.set_params(max_epochs=4, random_state=0)
    CutAt.epoch = 2
    with pytest.raises(Cut):
        model.fit(X, X[:, :3])
    CutAt.epoch = None
    with pytest.raises(ValueError, match="X and y are others"):
        model.fit(X, X[:, :2])


@pytest.mark.slow
def test_cut_again_and_again(train, blobs):
    train(*blobs, at=(2, 2, 3, 6, 8))


@pytest.mark.slow
def test_cut_in_the_last_epoch(train, blobs):
    train(*blobs, at=(8,))


def test_cut_in_the_first_epoch(tmp_path, blobs):
    model = DeepHashEncoder(
        8, max_epochs=2, random_state=0, callbacks=[CutAt()], checkpoint=tmp_path / "a"
    )
    CutAt.epoch = 1
    with pytest.raises(Cut):
        model.fit(*blobs)
    assert list(tmp_path.iterdir()) == []  # nothing to go on with
    CutAt.epoch = None
    model.fit(*blobs)


def test_a_generator_as_random_state(tmp_path, blobs):
    X, y = blobs

    def make(checkpoint=None):
        return DeepHashEncoder(
            8,
            max_epochs=4,
            random_state=np.random.RandomState(3),
            callbacks=[CutAt()],
            checkpoint=checkpoint,
        )

    CutAt.epoch = None
    whole = make().fit(X, y)
    CutAt.epoch = 3
    with pytest.raises(Cut):
        make(tmp_path / "a").fit(X, y)
    CutAt.epoch = None
    other = make(tmp_path / "a").set_params(random_state=np.random.RandomState(4))
    with pytest.raises(ValueError, match="random_state gives other seeds"):
        other.fit(X, y)
    same_encoders(whole, going_on(make(tmp_path / "a"), X, y, None, True), X)


def dropout(input_shape, n_bits):
    """A network that draws from generators, its own and torch's global one."""
    return nn.Sequential(
        nn.Linear(input_shape[0], 32), nn.Dropout(0.3), nn.AlphaDropout(0.1)
    )


class Counting(HashLoss):
    """A loss with state of all kinds: numbers, arrays, tensors, buffers, parameters."""

    def __init__(self):
        super().__init__()

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y, sample_weight=sample_weight, generator=generator)
        self.calls_ = 0
        self.mean_ = np.zeros(n_bits)
        self.last_ = torch.zeros(n_bits)
        self.scale_ = nn.Parameter(torch.ones(n_bits))
        return self

    def forward(self, z, y):
        self.calls_ += 1
        self.mean_ = 0.9 * self.mean_ + 0.1 * z.detach().double().numpy().mean(0)
        same = (y[:, None] == y).to(z.dtype)
        h = (z * self.scale_ - self.last_ / self.calls_).tanh()
        self.last_ = z.detach().mean(0)
        drift = torch.as_tensor(self.mean_).to(z.dtype)
        return (h @ h.T / len(h.T) - same).square().mean() + (h * drift).mean()


@pytest.mark.slow
def test_networks_and_losses_of_ones_own(train, blobs):
    model = train(*blobs, network=dropout, loss=Counting())
    assert model.loss_.calls_ == 8 * 4


@pytest.mark.slow
def test_label_sets_and_weights(train, blobs):
    X, y = blobs
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    train(X, np.eye(4)[y], loss="hashnet", fit={"sample_weight": weight})


@pytest.mark.slow
@pytest.mark.parametrize(
    "augment", ["crop_flip", lambda x, g: x + torch.rand(len(x), 1, 1, 1)]
)
def test_augmentation(train, augment):
    X = np.random.default_rng(0).normal(size=(90, 8, 8))
    y = np.arange(90) % 3
    X += y[:, None, None]
    train(X, y, augment=augment, network="mlp", batch_size=32)


@pytest.mark.slow
def test_weights_with_their_channels_last(train):
    """What the optimiser keeps of them lies as they do."""
    X = np.random.default_rng(0).normal(size=(60, 8, 8, 3)).astype(np.float32)
    y = np.arange(60) % 3
    X += y[:, None, None, None]
    train(X, y, network="convnet", batch_size=32, at=(3,))


@pytest.mark.slow
def test_validation_data(train, blobs):
    X, y = blobs
    train(X, y, early_stopping=True, fit={"X_val": X[::5] + 0.1, "y_val": y[::5]})


class Noisy(Dataset):
    """Items that are drawn anew each time."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index] + torch.randn(self.X.shape[1]).numpy(), self.y[index]


@pytest.mark.slow
def test_data_sets_that_augment(tmp_path, blobs):
    X, y = blobs
    path = tmp_path / "training.ckpt"

    def make(**params):
        return DeepHashEncoder(
            8, max_epochs=5, random_state=0, callbacks=[CutAt()], **params
        )

    CutAt.epoch = None
    whole = make().fit(Noisy(X, y))
    CutAt.epoch = 3
    with pytest.raises(Cut):
        make(checkpoint=path).fit(Noisy(X, y))
    CutAt.epoch = None
    torch.manual_seed(5)
    before = torch.get_rng_state()
    continued = going_on(make(checkpoint=path), Noisy(X, y), None, None, True)
    assert torch.equal(torch.get_rng_state(), before)
    same_encoders(whole, continued, X)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("callback", "params"),
    [
        (EarlyStopping("train_loss", patience=2, threshold=0.3), {"max_epochs": 30}),
        (LRScheduler("StepLR", step_size=2, gamma=0.5), {"lr_schedule": "constant"}),
        (
            LRScheduler("ReduceLROnPlateau", monitor="train_loss", threshold=0.9),
            {"lr_schedule": "constant", "max_epochs": 14},
        ),
        (
            LRScheduler(
                torch.optim.lr_scheduler.OneCycleLR,
                max_lr=0.1,
                total_steps=32,
                step_every="batch",
            ),
            {"lr_schedule": "constant"},
        ),
        (EpochScoring(mean_square, on_train=True, name="square"), {}),
    ],
)
def test_callbacks_of_skorch_go_on(train, blobs, callback, params):
    train(*blobs, callbacks=[callback], **params)


@pytest.mark.slow
def test_a_training_that_ends_on_a_plateau(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(scale=0.1, size=(60, 4)) + 3 * y[:, None]

    def make(**params):
        return DeepHashEncoder(
            4,
            network="linear",
            batch_size=4,
            random_state=0,
            callbacks=[CutAt()],
            **params,
        )

    CutAt.epoch = None
    whole = make().fit(X, y)
    assert whole.n_iter_ < 67
    for cut in (whole.n_iter_ // 2, whole.n_iter_ - 5):
        CutAt.epoch = cut
        with pytest.raises(Cut):
            make(checkpoint=tmp_path / "a").fit(X, y)
        CutAt.epoch = None
        continued = going_on(make(checkpoint=tmp_path / "a"), X, y, None, True)
        same_encoders(whole, continued, X)


def test_random_seeds_are_those_of_the_cut_training(tmp_path, blobs):
    X, y = blobs
    first = []

    class Weights(Callback):
        def on_train_begin(self, net, **kwargs):
            first.append(net.module_.body[1].weight.detach().clone())

    model = DeepHashEncoder(
        8, max_epochs=3, callbacks=[Weights(), CutAt()], checkpoint=tmp_path / "a"
    )
    CutAt.epoch = 2
    with pytest.raises(Cut):
        model.fit(X, y)
    CutAt.epoch = None
    with pytest.warns(UserWarning, match="Weights, CutAt start anew"):
        model.fit(X, y)
    assert torch.equal(*first)


def test_warm_start_keeps_its_history(blobs):
    X, y = blobs
    model = DeepHashEncoder(8, max_epochs=3, warm_start=True, random_state=0)
    first = model.fit(X, y).history_
    assert model.fit(X, y).n_iter_ == 6
    assert model.history_[:3] == first
    assert [row["epoch"] for row in model.history_] == [1, 2, 3, 4, 5, 6]
    model.set_params(warm_start=False).fit(X, y)
    assert model.n_iter_ == 3


def test_a_warm_start_that_is_cut_goes_on_from_the_earlier_fit(tmp_path, blobs):
    X, y = blobs

    def make(checkpoint=None):
        return DeepHashEncoder(
            8,
            max_epochs=4,
            warm_start=True,
            random_state=0,
            callbacks=[CutAt()],
            checkpoint=checkpoint,
        )

    CutAt.epoch = None
    whole = make().fit(X, y).fit(X, y)
    model = make().fit(X, y).set_params(checkpoint=tmp_path / "a")
    CutAt.epoch = 3
    with pytest.raises(Cut):
        model.fit(X, y)
    CutAt.epoch = None
    with pytest.raises(ValueError, match="goes on from is another"):
        make(tmp_path / "a").fit(X, y)
    same_encoders(whole, going_on(model, X, y, None, True), X)
    assert model.n_iter_ == 8


def test_a_warm_start_hides_its_history_from_schedulers(blobs):
    schedule = LRScheduler("CosineAnnealingLR", T_max=4)
    model = DeepHashEncoder(
        8,
        max_epochs=4,
        warm_start=True,
        lr_schedule="constant",
        random_state=0,
        callbacks=[schedule],
    )
    model.fit(*blobs).fit(*blobs)
    rates = [row["lr"] for row in model.history_]
    assert rates[4:] == rates[:4]
    assert max(rates) <= 3e-3


def test_the_length_is_known_after_a_cut(tmp_path, blobs, capsys):
    model = DeepHashEncoder(
        8, max_epochs=4, random_state=0, callbacks=[CutAt()], checkpoint=tmp_path / "a"
    )
    CutAt.epoch = 3
    with pytest.raises(Cut):
        model.fit(*blobs)
    CutAt.epoch = None
    going_on(model.set_params(verbose=1), *blobs, None, True)
    assert "trained 4 epochs" in capsys.readouterr().out


class Remembering(HashLoss):
    """A loss with state under a private name, and some that no file keeps."""

    def __init__(self):
        super().__init__()

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y, sample_weight=sample_weight, generator=generator)
        self._memory = 0.0
        return self

    def forward(self, z, y):
        self._memory = 0.9 * self._memory + float(z.detach().mean())
        same = (y[:, None] == y).to(z.dtype)
        h = (z - self._memory).tanh()
        return (h @ h.T / len(h.T) - same).square().mean()


class Forgetful(Remembering):
    def setup(self, *args, **kwargs):
        super().setup(*args, **kwargs)
        self.seen_ = {1, 2}
        return self


def test_private_state_is_kept_and_what_is_not_is_named(train, blobs, tmp_path):
    train(*blobs, loss=Remembering())
    model = DeepHashEncoder(
        8, max_epochs=1, loss=Forgetful(), checkpoint=tmp_path / "a"
    )
    with pytest.warns(UserWarning, match=r"cannot keep Forgetful\.seen_: a training"):
        model.fit(*blobs)


def test_callbacks_that_have_changed_places_start_anew(tmp_path, blobs):
    stop = EarlyStopping("train_loss", patience=30)

    def make(*callbacks):
        return DeepHashEncoder(
            8,
            max_epochs=5,
            random_state=0,
            callbacks=list(callbacks),
            checkpoint=tmp_path / "a",
        )

    CutAt.epoch = 3
    with pytest.raises(Cut):
        make(stop, CutAt()).fit(*blobs)
    CutAt.epoch = None
    other = CutAt()
    with pytest.warns(UserWarning, match="CutAt, EarlyStopping start anew"):
        model = make(other, stop).fit(*blobs)
    assert not hasattr(dict(model.net_.callbacks_)["callback_0"], "misses_")


def test_names_of_callbacks_are_the_users(blobs, tmp_path):
    names = ["plan", "watch", "progress", "plateau", "checkpoint", "halt", "best"]
    model = DeepHashEncoder(
        8,
        max_epochs=1,
        callbacks=[(name, CutAt()) for name in names],
        checkpoint=tmp_path / "a",
        early_stopping=True,
        verbose=1,
    )
    CutAt.epoch = None
    assert {name for name, _ in model.fit(*blobs).net_.callbacks} == set(names)


# What is refused


@pytest.fixture
def cut(tmp_path, blobs):
    """The path of a training that was cut."""
    path = tmp_path / "training.ckpt"
    CutAt.epoch = 3
    with pytest.raises(Cut):
        DeepHashEncoder(
            8,
            loss="dcwh",
            max_epochs=5,
            random_state=0,
            callbacks=[CutAt()],
            checkpoint=path,
        ).fit(*blobs)
    CutAt.epoch = None
    return path


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"lr": 0.01}, r"lr was 0\.003, now it is 0\.01"),
        ({"max_epochs": 6}, "max_epochs was 5, now it is 6"),
        ({"loss": "hashnet"}, "loss was 'dcwh', now it is 'hashnet'"),
        ({"random_state": 1}, "random_state was 0, now it is 1"),
        ({"n_bits": 9}, "n_bits was 8"),
        ({"net_params": {"amp": True}}, "net_params was None"),
    ],
)
def test_other_parameters_are_refused(cut, blobs, params, told):
    model = DeepHashEncoder(
        8, loss="dcwh", max_epochs=5, random_state=0, checkpoint=cut
    )
    model.set_params(**params)
    before = cut.read_bytes()
    with pytest.raises(ValueError, match=f"belongs to another training: {told}"):
        model.fit(*blobs)
    assert cut.read_bytes() == before


def test_other_data_is_refused(cut, blobs):
    X, y = blobs
    model = DeepHashEncoder(
        8, loss="dcwh", max_epochs=5, random_state=0, checkpoint=cut, verbose=0
    )
    other = X.copy()
    other[17, 3] += 1e-3
    for A, b in ((other, y), (X, np.roll(y, 1)), (X[:-1], y[:-1]), (X.astype("f8"), y)):
        with pytest.raises(ValueError, match="X and y are others"):
            model.fit(A, b)
    with pytest.raises(ValueError, match="X_val and y_val are others"):
        model.fit(X, y, X_val=X, y_val=y)
    model.fit(X, y)
    assert not cut.exists()


class Other(Noisy):
    """Another kind of data set."""

    def __getitem__(self, index):
        return self.X[index], self.y[index]


class Same(Other):
    """The same items by another name."""


def test_another_data_set_is_refused(tmp_path, blobs):
    X, y = blobs
    model = DeepHashEncoder(
        8, max_epochs=3, random_state=0, callbacks=[CutAt()], checkpoint=tmp_path / "a"
    )
    CutAt.epoch = 2
    with pytest.raises(Cut):
        model.fit(Other(X, y))
    CutAt.epoch = None
    for data in (Same(X, y), Other(X + 1, y), Noisy(X, y)):
        with pytest.raises(ValueError, match="X and y are others"):
            model.fit(data)
    going_on(model, Other(X, y), None, None, True)


def test_what_changes_nothing_may_change(tmp_path):
    """An augmentation that counts, and the number of workers."""

    class Counting:
        calls = 0

        def __call__(self, batch, generator):
            self.calls += 1
            return batch

        __hash__ = None

    X = np.random.default_rng(0).normal(size=(60, 8, 8)).astype(np.float32)
    y = np.arange(60) % 2
    model = DeepHashEncoder(
        8,
        network=nn.Sequential(nn.Flatten(), nn.LazyLinear(16)),
        max_epochs=3,
        augment=Counting(),
        random_state=0,
        callbacks=[CutAt()],
        checkpoint=tmp_path / "a",
    )
    CutAt.epoch = 2
    with pytest.raises(Cut):
        model.fit(X, y)
    CutAt.epoch = None
    model.set_params(net_params={"iterator_valid__num_workers": 1})
    assert going_on(model, X, y, None, True).n_iter_ == 3


def test_files_that_are_none_of_ours(tmp_path, blobs):
    path = tmp_path / "a"
    model = DeepHashEncoder(8, max_epochs=1, checkpoint=path)
    for content in (b"", b"hello", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no state that skhash has written"):
            model.fit(*blobs)
        assert path.read_bytes() == content
    write_state(path, {"another": 1})
    with pytest.raises(ValueError, match="was written by another version"):
        model.fit(*blobs)


@pytest.mark.parametrize(
    ("name", "told"), [("", "is a folder"), ("no/a", "folder that does not exist")]
)
def test_paths_that_cannot_be_written(tmp_path, blobs, name, told):
    with pytest.raises(ValueError, match=told):
        DeepHashEncoder(8, checkpoint=tmp_path / name).fit(*blobs)


# The file


def test_a_state_comes_back_as_it_was(tmp_path):
    shared = torch.arange(4.0)
    state = {
        "plain": [None, True, 3, 2**100, "x", 0.1, float("inf"), float("-inf")],
        "tuple": (1, [2, (3,)], {}),
        "tensors": {
            "a": shared,
            "b": shared[1:],
            "c": torch.tensor(2, dtype=torch.uint8),
        },
        "half": torch.ones(2, dtype=torch.bfloat16),
        "arrays": {0: np.arange(3), 1: np.zeros((0, 2), np.float32)},
        "numpy": np.float64(0.1),
        "none": torch.empty(0),
    }
    write_state(tmp_path / "a", state)
    back = read_state(tmp_path / "a")
    assert back["plain"] == state["plain"]
    assert back["tuple"] == state["tuple"]
    assert back["numpy"] == 0.1
    for name, tensor in state["tensors"].items():
        assert torch.equal(back["tensors"][name], tensor)
        assert back["tensors"][name].dtype == tensor.dtype
    assert torch.equal(back["half"], state["half"])
    assert list(back["arrays"]) == [0, 1]
    assert back["arrays"][1].shape == (0, 2)
    assert np.isnan(read_nan(tmp_path))
    with pytest.raises(TypeError, match=r"a\.1 is of type set"):
        write_state(tmp_path / "a", {"a": [1, set()]})
    assert read_state(tmp_path / "a")["tuple"] == state["tuple"]  # the old one is whole


def read_nan(folder):
    write_state(folder / "nan", float("nan"))
    return read_state(folder / "nan")


def test_the_file_is_an_archive(cut):
    with zipfile.ZipFile(cut) as file:
        manifest = json.loads(file.read("manifest.json"))
        tensors = safetensors.numpy.load(file.read("weights.safetensors"))
    assert manifest["kind"] == "training"
    assert manifest["content"]["n_steps"] > 0
    assert tensors["tensors/network/standardize.mean"].dtype == np.float32


# A process that is killed

SCRIPT = """
import sys, time, warnings
import numpy as np
from skhash import DeepHashEncoder
from skorch.callbacks import Callback
warnings.simplefilter("ignore")

class Slowly(Callback):
    def on_epoch_end(self, net, **kwargs):
        time.sleep({pause})

rng = np.random.default_rng(0)
y = np.arange(120) % 4
X = (rng.normal(size=(120, 8, 8)) + rng.normal(size=(4, 8, 8))[y]).astype(np.float32)
params = {params}
model = DeepHashEncoder(
    8, network="mlp", batch_size=32, random_state=0, callbacks=[Slowly()], **params
)
model.fit(X, y)
np.save(sys.argv[1], model.embed(X))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"loss": "hashnet"},
        {"loss": "dcwh"},
        {"loss": "exponentiated"},
        {"balanced_batches": 4},
        {"early_stopping": True, "n_iter_no_change": 50},
        {"augment": "crop_flip"},
    ],
    ids=str,
)
def test_a_process_that_is_killed(params, tmp_path):
    path = tmp_path / "training.ckpt"

    def start(pause, **more):
        given = {"max_epochs": 12, **params, **more}
        script = SCRIPT.format(pause=pause, params=given)
        command = [sys.executable, "-c", script, str(tmp_path / f"{len(more)}.npy")]
        return subprocess.Popen(command)

    assert start(0).wait(120) == 0
    process = start(0.2, checkpoint=str(path))
    epochs = 0
    while epochs < 5:
        assert process.poll() is None
        time.sleep(0.05)
        if path.exists():
            epochs = len(read_state(path)["history"])
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    assert len(read_state(path)["history"]) < 12
    assert start(0, checkpoint=str(path)).wait(120) == 0
    assert not path.exists()
    whole, continued = (np.load(tmp_path / f"{n}.npy") for n in (0, 1))
    np.testing.assert_array_equal(whole, continued)
