"""An encoder answers, and goes on training, as if it had never been in a file."""

import functools
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from skorch.callbacks import EarlyStopping, PrintLog
from torch import nn
from torch.utils.data import TensorDataset

from skhash import DeepHashEncoder, load, save
from skhash.datasets import label_sets_from_pairs
from skhash.losses import DCWH, LOSSES, HashLoss, from_callable
from skhash.networks import HashNetwork, convnet, hash_layer, mlp, wrap
from skhash.persistence import LoadError
from tests.archive.sealing import altered

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def items():
    """Images (60, 8, 8) of three classes, named."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = rng.normal(size=(60, 8, 8)) + 2 * rng.normal(size=(3, 8, 8))[y]
    return X.astype(np.float32), np.array(["a", "b", "c"])[y]


def encoder(**params):
    defaults = {"max_epochs": 2, "batch_size": 20, "random_state": 0}
    return DeepHashEncoder(8, **{**defaults, **params})


def same_answers(one, other, X):
    """All that two encoders say of items is the same, bit for bit."""
    for ask in ("transform", "embed", "decision_function", "predict", "predict_proba"):
        a, b = (getattr(model, ask)(X) for model in (one, other))
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, err_msg=ask)
    assert one.history_ == other.history_
    assert one.n_iter_ == other.n_iter_
    assert repr(one.loss_) == repr(other.loss_)


def params_of(model):
    return {name: repr(value) for name, value in model.get_params().items()}


def check_round_trip(model, again, X, y, **options):
    """The loaded encoder is the one that was saved, now and after more training."""
    loaded = again(model, **options)
    assert type(loaded) is DeepHashEncoder
    assert params_of(loaded) == params_of(model)
    same_answers(loaded, model, X)
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert loaded.classes_.dtype == model.classes_.dtype
    assert params_of(clone(loaded)) == params_of(clone(model))
    for _ in range(2):  # also of one whose optimiser has a state
        without_times(loaded.partial_fit(X, y), model.partial_fit(X, y))
        same_answers(loaded, model, X)
        loaded = again(loaded, **options)
        same_answers(loaded, model, X)
    return loaded


def without_times(*models):
    for model in models:
        for row in (*model.history_, *model.net_.history):
            row["dur"] = 0.0


OF_LABELS = [name for name, kind in LOSSES.items() if kind.supervision == "labels"]


@pytest.mark.parametrize("loss", OF_LABELS)
def test_every_loss(loss, again, items):
    X, y = items
    check_round_trip(encoder(loss=loss).fit(X, y), again, X, y)


@pytest.mark.parametrize(
    "params",
    [
        {"network": "linear"},
        {"network": "convnet", "device": torch.device("cpu")},
        {"network": mlp},
        {"network": functools.partial(mlp, hidden=(9, 5), dropout=0.3)},
        {"network": functools.partial(convnet, residual=True, width=8, dropout=0.2)},
        {"optimizer": "sgd", "lr": 0.01, "lr_schedule": "cosine"},
        {"optimizer": "adam", "net_params": {"optimizer__amsgrad": True}},
        {"net_params": {"optimizer__betas": (0.8, 0.9), "amp": True}},
        {"loss": DCWH(margin=1.5), "balanced_batches": 3},
        {"loss": "hashnet", "loss__weighting": "dataset"},
        {"loss": "exponentiated", "loss__pretrain": 0.5},
        {"early_stopping": True, "output": "signs", "n_jobs": 1},
        {"augment": "crop_flip", "normalize_z": False, "warm_start": True},
        {"random_state": np.int64(3), "lr": np.float32(0.01), "checkpoint": "no/file"},
    ],
    ids=lambda params: " ".join(params),
)
def test_parameters(params, again, items):
    X, y = items
    nested = {name: value for name, value in params.items() if "__" in name}
    model = encoder(**{k: v for k, v in params.items() if k not in nested})
    model.set_params(**nested)
    if "checkpoint" in params:
        model.set_params(checkpoint=None)
    model.fit(X, y)
    if "checkpoint" in params:
        model.set_params(checkpoint=params["checkpoint"])
        assert again(model).checkpoint == "no/file"
        model.set_params(checkpoint=None)
    check_round_trip(model, again, X, y)


@pytest.mark.slow
def test_other_data(again, items):
    X, y = items
    flat = X.reshape(60, 64)
    sets = np.eye(3, dtype=int)[np.unique(y, return_inverse=True)[1]]
    sets[::4, 0] = 1
    check_round_trip(encoder().fit(flat, sets), again, flat, sets)
    colour = np.repeat(X[..., None], 3, axis=-1)
    check_round_trip(encoder().fit(colour, y == "a"), again, colour, y == "a")
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(flat, columns=[f"é{i}" for i in range(64)])
    model = encoder().set_output(transform="pandas").fit(frame, y)
    loaded = again(model)
    assert list(loaded.feature_names_in_) == list(frame.columns)
    pd.testing.assert_frame_equal(loaded.transform(frame), model.transform(frame))


def test_pairs(again, items):
    X = items[0].reshape(60, 64)
    pairs = label_sets_from_pairs([[i, i + 3] for i in range(0, 57, 2)], 60)
    model = encoder(loss="dhn").fit(X, pairs)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))
    more = loaded.partial_fit(X, pairs), model.partial_fit(X, pairs)
    np.testing.assert_array_equal(*(each.embed(X) for each in more))
    for each in (model, loaded):
        with pytest.raises(AttributeError, match="pairs"):
            each.predict(X)


def test_batches_of_a_data_set_go_on_in_the_same_order(again, items):
    X, _ = items
    pairs = TensorDataset(torch.from_numpy(X), torch.arange(60) % 3)
    model = encoder(network="mlp").fit(pairs)
    loaded = again(model)
    np.testing.assert_array_equal(
        loaded.partial_fit(pairs).embed(X), model.partial_fit(pairs).embed(X)
    )


def test_fitting_again_starts_anew(again, items):
    X, y = items
    model = encoder().fit(X, y)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.fit(X, y).embed(X), model.embed(X))


def test_warm_start_goes_on(again, items):
    X, y = items
    model = encoder(warm_start=True).fit(X, y)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.fit(X, y).embed(X), model.fit(X, y).embed(X))
    assert loaded.n_iter_ == model.n_iter_ == 4


def test_one_that_is_not_fitted(again, items):
    loaded = again(encoder(loss="dcwh"))
    with pytest.raises(NotFittedError):
        loaded.transform(items[0])
    assert params_of(loaded) == params_of(encoder(loss="dcwh"))


def test_a_training_that_diverged(again, items):
    X, y = items
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = encoder(lr=1e30).fit(X, y)
    loaded = again(model)
    assert not np.isfinite(loaded.history_[-1]["train_loss"])
    assert repr(loaded.history_) == repr(model.history_)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        loaded.transform(X)


def flipped(batch, generator):
    """Mirror images."""
    return batch.flip(3)


def test_what_only_training_needs_is_left_out_by_name(tmp_path, items):
    X, y = items
    model = encoder(
        callbacks=[EarlyStopping(patience=5, monitor="train_loss")],
        optimizer=torch.optim.RMSprop,
        augment=flipped,
        random_state=np.random.RandomState(0),
        net_params={"optimizer__alpha": 0.9, "iterator_valid__worker_init_fn": len},
    )
    model.fit(X, y)
    told = "augment, callbacks, optimizer, random_state, "
    told += r"net_params\['iterator_valid__worker_init_fn'\]: no plain values"
    with pytest.warns(UserWarning, match=told):
        save(model, tmp_path / "a")
    loaded = load(tmp_path / "a")
    gone = ("augment", "callbacks", "optimizer", "random_state")
    assert all(getattr(loaded, name) is None for name in gone)
    assert loaded.net_params == {"optimizer__alpha": 0.9}
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))
    with pytest.raises(ValueError, match="optimizer is None: it was a class"):
        loaded.partial_fit(X, y)
    params = {"optimizer": torch.optim.RMSprop, "augment": flipped}
    loaded.set_params(**params).partial_fit(X, y)
    assert type(loaded.net_.optimizer_) is torch.optim.RMSprop
    assert loaded.net_.optimizer_.defaults["alpha"] == 0.9
    model.set_params(callbacks=None).partial_fit(X, y)
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))


def test_callbacks_that_print_are_left_out(tmp_path, items, capsys):
    model = encoder(callbacks=[PrintLog()]).fit(*items)
    with pytest.warns(UserWarning, match="callbacks: no plain values"):
        save(model, tmp_path / "a")
    capsys.readouterr()
    load(tmp_path / "a").partial_fit(*items)
    assert capsys.readouterr().out == ""


# Networks and losses of one's own


class Body(nn.Module):
    """Counts how often it was called in training."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Dropout(0.2))
        self.calls = 0

    def forward(self, x):
        self.calls += self.training
        return self.layers(x).tanh()


def narrow(input_shape, n_bits, *, normalize_z=False, generator=None):
    """A network of nine hidden units."""
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.ReLU())
    return HashNetwork(body, hash_layer(9, n_bits, normalize=normalize_z))


class Centres(HashLoss):
    """Learns a centre for each class."""

    def __init__(self, margin=0.5):
        super().__init__()
        self.margin = margin

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y)
        n = int(y.max()) + 1
        self.centres_ = nn.Parameter(torch.randn(n, n_bits, generator=generator))
        self.calls_ = 0
        return self

    def forward(self, z, y):
        self.calls_ += 1
        return (z - self.centres_[y]).square().mean() + self.margin


def mean_square(z, y):
    """A loss that is a function."""
    return (z - y[:, None]).square().mean()


class Module(nn.Module):
    """A loss of another library, with weights."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, z, y):
        return (z * self.scale).square().mean() + self.scale.square().mean()


CUSTOM = {
    "a body": ({"network": Body()}, {"Body": Body()}),
    "a frozen body": (
        {"network": wrap(Body(), freeze=("layers",), lr_scale=0.5)},
        {"Body": Body()},
    ),
    "a wrapped body": ({"network": wrap(Body())}, {"Body": wrap(Body())}),
    "a function": ({"network": narrow}, {"narrow": narrow}),
    "a partial": (
        {"network": functools.partial(narrow)},
        {"narrow": functools.partial(narrow)},
    ),
    "a loss": ({"loss": Centres(0.3)}, {"Centres": Centres}),
    "a function as loss": (
        {"loss": from_callable(mean_square)},
        {"mean_square": mean_square},
    ),
    "a module as loss": ({"loss": from_callable(Module())}, {"Module": Module()}),
}


@pytest.mark.parametrize(("params", "custom"), CUSTOM.values(), ids=CUSTOM)
def test_custom_objects(params, custom, again, items, tmp_path):
    X, y = items
    model = encoder(**params).fit(X, y)
    with pytest.raises(
        LoadError, match=f"{next(iter(custom))!r}, which is not of"
    ) as e:
        again(model)
    assert f"custom_objects={{{next(iter(custom))!r}:" in str(e.value)
    loaded = again(model, custom_objects=custom)
    same_answers(loaded, model, X)
    state = loaded.net_.module_.state_dict()
    for name, tensor in model.net_.module_.state_dict().items():
        assert torch.equal(state[name], tensor)
    trained = [p.requires_grad for p in loaded.net_.module_.parameters()]
    assert trained == [p.requires_grad for p in model.net_.module_.parameters()]
    loaded.partial_fit(X, y)
    model.partial_fit(X, y)
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))


def test_state_of_custom_modules_is_kept(again, items):
    X, y = items
    model = encoder(network=Body(), loss=Centres()).fit(X, y)
    custom = {"Body": Body(), "Centres": Centres}
    loaded = again(model, custom_objects=custom)
    assert loaded.loss_.calls_ == model.loss_.calls_ > 0
    assert loaded.net_.module_.body[0].calls == model.net_.module_.body[0].calls > 0


def test_custom_objects_with_other_tensors(again, items):
    model = encoder(network=Body()).fit(*items)
    wide = Body()
    wide.layers[1] = nn.Linear(64, 13)
    with pytest.raises(LoadError, match="The network in custom_objects has"):
        again(model, custom_objects={"Body": wide})


def test_a_subclass_is_not_the_class(tmp_path, items):
    class Mine(DeepHashEncoder):
        """An encoder that may do anything."""

    with pytest.raises(TypeError, match="Mine is no estimator"):
        save(Mine(8), tmp_path / "a")
    model = encoder().fit(*items)
    model.notes = 5
    with pytest.raises(TypeError, match="'notes', unknown here"):
        save(model, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_torch_draws_nothing(again, items):
    model = encoder().fit(*items)
    state = torch.random.get_rng_state()
    again(model)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_device_that_is_not_here(tmp_path, items):
    model = encoder(network="mlp").fit(*items)
    save(model, tmp_path / "a")

    def elsewhere(device):
        def change(told):
            told["content"]["state"]["net"]["device"] = device

        return change

    for device in ("cuda:7", "meta"):
        content = altered((tmp_path / "a").read_bytes(), elsewhere(device))
        (tmp_path / "b").write_bytes(content)
        loaded = load(tmp_path / "b")
        assert loaded.net_.device == "cpu"
        np.testing.assert_array_equal(loaded.embed(items[0]), model.embed(items[0]))
        loaded.partial_fit(*items)


def test_a_compiled_network_is_kept_as_what_it_was_made_of(again, items):
    model = encoder(network="mlp").fit(*items)
    for name in ("module_", "criterion_"):  # as torch.compile leaves them
        setattr(model.net_, name, Compiled(getattr(model.net_, name)))
    loaded = again(model)
    assert loaded.net_.module_ is not model.net_.module_
    np.testing.assert_array_equal(loaded.embed(items[0]), model.embed(items[0]))


class Compiled(nn.Module):
    """Holds a module as torch's OptimizedModule does."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module
        module._is_torch_compile = True

    def __getattr__(self, name):
        if name == "_orig_mod":
            return super().__getattr__(name)
        return getattr(self._orig_mod, name)

    def forward(self, *args):
        return self._orig_mod(*args)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_from_a_gpu_and_back(again, items):
    X, y = items
    for device in ("cuda", "cpu"):
        model = encoder(network="mlp", device=device).partial_fit(X, y)
        loaded = again(model)
        assert torch.device(loaded.net_.device).type == device
        np.testing.assert_array_equal(loaded.embed(X), model.embed(X))
        loaded.partial_fit(X, y)
        np.testing.assert_array_equal(loaded.embed(X), model.partial_fit(X, y).embed(X))
