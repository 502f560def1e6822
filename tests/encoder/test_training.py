"""The course of the encoder's training: epochs, batches, stops, warnings."""

import copy
import math
import pickle
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import nn

from skhash import DeepHashEncoder
from skhash.encoder._data.batches import BalancedSampler, ShuffledSampler
from skhash.losses import DualHinge, HashLoss, HashNet
from skhash.metrics import code_health, mean_average_precision

# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def encoder(n_bits=12, **params):
    return DeepHashEncoder(
        n_bits, **{"max_epochs": 4, "random_state": 0, "batch_size": 64, **params}
    )


class Recorder(Callback):
    """Keeps what it sees."""

    def __init__(self, look):
        self.look = look
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(self.look(net))


class Interrupt(Callback):
    """Presses Ctrl-C at a moment of the training."""

    def __init__(self, moment, batch=0):
        self.moment = moment
        self.left = batch

    def __getattribute__(self, name):
        if name.startswith("on_") and name == object.__getattribute__(self, "moment"):
            if object.__getattribute__(self, "left") == 0:
                raise KeyboardInterrupt
            self.left -= 1
        return object.__getattribute__(self, name)


# Epochs


@pytest.mark.parametrize(
    ("n", "batch_size", "expected"),
    [(240, 64, 250), (240, 240, 1000), (40, 128, 1000)],
)
def test_automatic_epochs_take_a_thousand_steps(blobs, n, batch_size, expected):
    X, y = (part[:n] for part in blobs)
    recorder = Recorder(lambda net: net.total_steps_)
    stop = Interrupt("on_epoch_end")
    encoder(max_epochs="auto", batch_size=batch_size, callbacks=[recorder, stop]).fit(
        X, y
    )
    n_batches = math.ceil(n / batch_size)
    assert recorder.seen == [expected * n_batches]


def test_automatic_epochs_are_ten_at_least():
    X = np.random.default_rng(0).normal(size=(2200, 2)).astype(np.float32)
    model = encoder(max_epochs="auto", batch_size=20, network="linear")
    model.fit(X, X[:, 0] > 0)
    assert model.n_iter_ == len(model.history_) == 10


def test_history_has_a_row_an_epoch(blobs):
    X, y = blobs
    model = encoder(max_epochs=3).fit(X, y)
    assert [row["epoch"] for row in model.history_] == [1, 2, 3]
    assert model.n_iter_ == 3
    health = code_health(model.transform(X), 12)
    for row in model.history_:
        assert {"stage", "train_loss", "lr", "dur", *health} <= set(row)
        assert "batches" not in row
        assert row["dur"] > 0
        assert 1 <= row["n_distinct"] <= 240
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]


def test_terms_of_the_loss_add_up_in_the_history(blobs):
    X, y = blobs
    model = encoder(loss="dhn").fit(X, y)
    for row in model.history_:
        terms = row["train_similarity"] + row["train_quantization"]
        assert row["train_loss"] == pytest.approx(terms, rel=1e-5)
        assert row["train_quantization"] > 0


def test_plan_is_carried_out_and_noted(blobs):
    X, y = blobs
    loss = HashNet(n_stages=3)
    model = encoder(loss=loss, max_epochs=7).fit(X, y)
    plan = loss.plan(7)
    assert len(plan) == 3
    expected = [
        (index, stage.settings["beta_"])
        for index, stage in enumerate(plan)
        for _ in range(stage.epochs)
    ]
    assert [(row["stage"], row["beta"]) for row in model.history_] == expected
    assert float(model.loss_.beta_) == pytest.approx(plan[-1].settings["beta_"])


def test_two_stages_with_pretraining(blobs):
    X, y = blobs
    model = encoder(loss="exponentiated", max_epochs=9).fit(X, y)
    stages = [row["stage"] for row in model.history_]
    assert stages == sorted(stages)
    assert set(stages) == set(range(len(model.loss_.plan(9))))
    # What the plan left alone at the end can be trained again.
    assert all(p.requires_grad for p in model.net_.module_.parameters())


# Batches


def sizes_and_class_counts(blobs, **params):
    """Labels of each batch of the first epoch."""
    X, y = blobs
    seen = []

    class Look(Callback):
        def on_batch_begin(self, net, batch=None, training=None):
            seen.append(batch[1].numpy())

    encoder(max_epochs=1, callbacks=[Look()], **params).fit(X, y)
    return seen


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"balanced_batches": False}, ShuffledSampler),
        ({"balanced_batches": "auto"}, ShuffledSampler),  # 16 of each of 4 classes
        ({"balanced_batches": "auto", "batch_size": 12}, BalancedSampler),
        ({"balanced_batches": "auto", "batch_size": 12, "loss": "dhn"}, None),
        ({"balanced_batches": True}, BalancedSampler),
        ({"balanced_batches": 8}, BalancedSampler),
    ],
)
def test_balanced_batches_choose_the_sampler(blobs, params, expected):
    recorder = Recorder(lambda net: type(net.sampler))
    encoder(max_epochs=1, callbacks=[recorder], **params).fit(*blobs)
    assert recorder.seen == [expected or ShuffledSampler]


def test_balanced_batches_hold_so_many_items_of_a_class(blobs):
    batches = sizes_and_class_counts(blobs, balanced_batches=8, batch_size=32)
    assert len(batches) == 8
    for labels in batches:
        np.testing.assert_array_equal(np.bincount(labels, minlength=4), [8] * 4)
    batches = sizes_and_class_counts(blobs, balanced_batches=True, batch_size=8)
    for labels in batches:
        assert sorted(np.bincount(labels, minlength=4)) == [0, 0, 4, 4]


def test_an_odd_number_of_items_in_pairs(blobs):
    X, y = (part[:31] for part in blobs)
    batches = sizes_and_class_counts((X, y), balanced_batches=False, batch_size=2)
    assert sorted(map(len, batches)) == [2] * 14 + [3]


# Early stopping and warm start


def test_early_stopping_keeps_the_best_epoch(digits):
    X, _, y, _ = digits
    weights = Recorder(lambda net: copy.deepcopy(net.module_.state_dict()))
    model = encoder(
        6,
        network="linear",
        early_stopping=True,
        n_iter_no_change=2,
        max_epochs=200,
        lr=0.02,
        callbacks=[weights],
    ).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    best = int(np.argmax(scores))
    assert len(scores) == model.n_iter_ == best + 1 + 2 < 200
    assert len(weights.seen) == len(scores)  # a callback sees the last epoch, too
    final = model.net_.module_.state_dict()
    for name, value in weights.seen[best].items():
        assert torch.equal(final[name], value), name
    assert any(
        not torch.equal(final[name], value) for name, value in weights.seen[-1].items()
    )


def test_validation_score_is_that_of_held_out_queries(blobs):
    X, y = blobs
    data = []
    recorder = Recorder(lambda net: None)
    recorder.on_epoch_begin = lambda net, dataset_train=None, **_: data.append(
        dataset_train.index
    )
    model = encoder(
        early_stopping=True,
        validation_fraction=0.25,
        max_epochs=1,
        callbacks=[recorder],
    ).fit(X, y)
    kept = data[0]
    held_out = np.setdiff1d(np.arange(240), kept)
    assert len(held_out) == 60
    np.testing.assert_array_equal(np.bincount(y[held_out]), [15] * 4)
    codes = model.transform(X)
    expected = mean_average_precision(
        codes[held_out], codes[kept], y[held_out], y[kept]
    )
    assert model.history_[0]["valid_score"] == pytest.approx(expected)


def test_early_stopping_keeps_an_item_of_each_class_for_training():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(30), [1] * 20 + [2] * 8 + [40, 60])
    X = rng.normal(size=(len(y), 5)) + y[:, None]
    data = []
    recorder = Recorder(lambda net: None)
    recorder.on_epoch_begin = lambda net, dataset_train=None, **_: data.append(
        dataset_train.y.numpy()
    )
    for seed in range(5):
        model = encoder(
            early_stopping=True, max_epochs=1, random_state=seed, callbacks=[recorder]
        ).fit(X, y)
        counts = np.bincount(data[-1], minlength=30)
        assert counts.min() == 1
        assert counts.sum() == len(y) - 14
        assert counts[28] in (34, 35, 36)
        assert len(model.classes_) == 30
    with pytest.raises(ValueError, match="each class has a single one"):
        encoder(early_stopping=True).fit(X[:20], y[:20])


def test_early_stopping_with_several_labels_an_item():
    rng = np.random.default_rng(0)
    Y = rng.integers(2, size=(80, 3))
    X = Y @ rng.normal(size=(3, 6)) + rng.normal(scale=0.1, size=(80, 6))
    model = encoder(early_stopping=True, max_epochs=3).fit(X, Y)
    assert all(0 < row["valid_score"] <= 1 for row in model.history_)


def test_warm_start_goes_on_from_the_weights(blobs):
    X, y = blobs
    cold = encoder(max_epochs=10).fit(X, y)
    warm = clone(cold).set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(warm.embed(X), cold.embed(X))
    module, loss = warm.net_.module_, warm.loss_
    warm.set_params(max_epochs=1, lr=1e-6).fit(X, y)
    assert warm.net_.module_ is module
    assert warm.loss_ is loss
    assert len(warm.history_) == 1
    assert warm.history_[0]["train_loss"] < cold.history_[0]["train_loss"] / 2
    np.testing.assert_allclose(warm.embed(X), cold.embed(X), atol=0.5)
    assert cold.set_params(max_epochs=1).fit(X, y).net_.module_ is not module


@pytest.mark.parametrize(
    "change",
    [
        lambda model, X, y: (model.set_params(n_bits=5), X, y),
        lambda model, X, y: (model, X, y % 3),
        lambda model, X, y: (model, X[:, :4], y),
    ],
    ids=["n_bits", "classes", "features"],
)
def test_warm_start_refuses_another_shape(blobs, change):
    X, y = blobs
    model, X, y = change(encoder(warm_start=True, max_epochs=1).fit(X, y), X, y)
    with pytest.raises(ValueError, match="warm_start=True goes on from the previous"):
        model.fit(X, y)


@pytest.mark.parametrize("loss", ["exponentiated", "dcwh"])
def test_everything_is_trained_after_a_stage_that_was_interrupted(blobs, loss):
    X, y = blobs
    model = encoder(
        loss=loss,
        max_epochs=10,
        warm_start=True,
        callbacks=[Interrupt("on_epoch_end", 5)],
    ).fit(X, y)
    before = copy.deepcopy(model.net_.module_.state_dict())
    model.set_params(loss=loss, callbacks=None).fit(X, y)
    for name, parameter in model.net_.module_.named_parameters():
        assert parameter.requires_grad
        # A bias below batch normalisation has no gradient but rounding.
        assert name.endswith("bias") or not torch.equal(parameter, before[name]), name


# partial_fit


def test_partial_fit_learns_over_calls(blobs):
    X, y = blobs
    model = encoder()
    scores = []
    for start in [0, 80, 160] * 8:
        rows = slice(start, start + 80)
        assert model.partial_fit(X[rows], y[rows], classes=range(4)) is model
        scores.append(model.score(X, y))
    assert model.n_iter_ == len(model.history_) == 24
    assert scores[-1] > 0.95
    codes = model.transform(X)
    assert mean_average_precision(codes, codes, y, y, exclude_self=True) > 0.95
    rates = {row["lr"] for row in model.history_}
    assert rates == {model.lr}


def test_first_partial_fit_may_lack_classes(blobs):
    X, y = blobs
    model = encoder().partial_fit(X[y < 2], y[y < 2], classes=[3, 2, 1, 0])
    np.testing.assert_array_equal(model.classes_, range(4))
    assert set(model.predict(X)) <= {0, 1}  # nothing is known of the others
    scores = model.decision_function(X)
    assert scores.shape == (240, 4)
    assert np.isfinite(scores).all()
    for _ in range(20):
        model.partial_fit(X, y)
    assert set(model.predict(X)) == {0, 1, 2, 3}


def test_partial_fit_with_one_class_in_a_call(blobs):
    X, y = blobs
    model = encoder()
    for label in range(4):
        model.partial_fit(X[y == label], y[y == label], classes=range(4))
    assert np.isfinite(model.embed(X)).all()


def test_partial_fit_fixes_standardisation_in_the_first_call(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    mean = model.net_.module_.standardize.mean.clone()
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-4)
    model.partial_fit(X + 100, y)
    assert torch.equal(model.net_.module_.standardize.mean, mean)


def test_partial_fit_goes_on_after_fit(blobs):
    X, y = blobs
    model = encoder(loss="hashnet", max_epochs=6).fit(X, y)
    module, beta = model.net_.module_, float(model.loss_.beta_)
    model.partial_fit(X[:100], y[:100])
    assert model.net_.module_ is module
    assert float(model.loss_.beta_) == beta
    assert len(model.history_) == 7
    assert model.history_[-1]["epoch"] == 7


def test_partial_fit_is_reproducible_and_depends_on_the_order(blobs):
    X, y = blobs
    halves = [(X[::2], y[::2]), (X[1::2], y[1::2])]

    def z(parts):
        model = encoder()
        for part in parts:
            model.partial_fit(*part)
        return model.embed(X)

    np.testing.assert_array_equal(z(halves), z(halves))
    assert not np.array_equal(z(halves), z(halves[::-1]))


def test_partial_fit_refuses_what_does_not_go_on(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    z = model.embed(X)
    with pytest.raises(ValueError, match="labels that are not among the classes"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, y, classes=range(5))
    with pytest.raises(ValueError, match="X has 9 features"):
        model.partial_fit(X[:, :9], y)
    with pytest.raises(
        ValueError, match=r"0/1 matrix .*, but this .* one label an item"
    ):
        model.partial_fit(X, np.eye(4)[y])
    with pytest.raises(ValueError, match="n_bits is now 5, but the network was built"):
        model.set_params(n_bits=5).partial_fit(X, y)
    np.testing.assert_array_equal(model.embed(X), z)
    with pytest.raises(ValueError, match="labels that are not among the classes"):
        encoder().partial_fit(X, y, classes=[0, 1])
    multi = encoder().partial_fit(X, np.eye(4)[y])
    with pytest.raises(ValueError, match=r"one label an item, but this .* 0/1 matrix"):
        multi.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"y has 3 columns, but .* 4 classes"):
        multi.partial_fit(X, np.eye(4)[y][:, :3] + np.eye(3)[y % 3] > 0)


def test_partial_fit_says_when_the_loss_is_not_finite(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    model.set_params(lr=1e30).partial_fit(X, y)
    with pytest.warns(ConvergenceWarning, match="The loss was nan"):
        model.partial_fit(X, y)


# Callbacks, net_params, verbose


def test_callbacks_are_copied_and_see_the_training(blobs):
    X, y = blobs
    recorder = Recorder(lambda net: net.history[-1, "train_loss"])
    schedule = LRScheduler(policy="StepLR", step_size=1)
    model = encoder(callbacks=[recorder, ("lr", schedule)], lr_schedule="constant").fit(
        X, y
    )
    assert recorder.seen == [row["train_loss"] for row in model.history_]
    kept = dict(model.net_.callbacks_)
    assert "lr" in kept
    assert kept["lr"] is not schedule
    assert not {"plan", "watch", "best", "progress", "halt"} & set(kept)


def test_scoring_callback_of_skorch_sees_the_items(blobs):
    X, y = blobs

    def rows(net, X, y):
        return float(len(net.forward(X)))

    scoring = EpochScoring(rows, name="rows", on_train=True, use_caching=False)
    model = encoder(callbacks=[scoring], max_epochs=1).fit(X, y)
    assert model.history_[0]["rows"] == 240


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("criterion__shape", "Use the parameters `loss` and `network`"),
        ("module", "Use the parameters `loss` and `network`"),
        ("module__hidden", "Use the parameters `loss` and `network`"),
        ("max_epochs", "use the encoder's own parameter 'max_epochs'"),
        ("batch_size", "use the encoder's own parameter 'batch_size'"),
        ("optimizer__lr", "use the encoder's own parameter 'lr'"),
        ("callbacks", "use the encoder's own parameter 'callbacks'"),
        ("sampler", "`balanced_batches` and `early_stopping`"),
        ("train_split", "`balanced_batches` and `early_stopping`"),
        (1, "names are strings"),
    ],
)
def test_net_params_that_belong_elsewhere_are_refused(blobs, name, message):
    model = encoder(net_params={name: 1})
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        model.fit(*blobs)
    assert vars(model) == before


def test_unknown_net_params_are_refused_before_training(blobs):
    recorder = Recorder(lambda net: None)
    for name in ("ampere", "optimiser__betas", "iterator_train_shuffle"):
        model = encoder(net_params={name: 1}, callbacks=[recorder])
        before = vars(model).copy()
        with pytest.raises((TypeError, ValueError), match=f"nexpected .*{name}"):
            model.fit(*blobs)
        assert vars(model) == before
    model = encoder(net_params={"optimizer__beta": 1}, callbacks=[recorder])
    with pytest.raises(ValueError, match=r"'beta'\. Look at optimizer='adamw'"):
        model.fit(*blobs)
    assert recorder.seen == []


def test_net_params_have_the_last_word(blobs):
    betas = Recorder(lambda net: net.optimizer_.param_groups[0]["betas"])
    model = encoder(callbacks=[betas], net_params={"optimizer__betas": (0.5, 0.6)}).fit(
        *blobs
    )
    assert betas.seen == [(0.5, 0.6)] * 4
    cycled = Recorder(lambda net: net.optimizer_.param_groups[0]["betas"])
    encoder(callbacks=[cycled]).fit(*blobs)
    assert len(set(cycled.seen)) == 4
    assert model.history_[0]["lr"] > 0


def test_amp_computes_in_bfloat16_and_returns_float32(blobs):
    X, y = blobs
    seen = []
    body = nn.Sequential(nn.Linear(10, 16), nn.ReLU())
    plain = encoder(network=body).fit(X, y)

    class Look(nn.Module):
        def forward(self, x):
            seen.append(x.dtype)
            return x

    body = nn.Sequential(nn.Linear(10, 16), Look())
    torch.manual_seed(0)
    model = encoder(network=body, net_params={"amp": True}, max_epochs=10).fit(X, y)
    assert torch.bfloat16 in seen
    assert model.embed(X).dtype == np.float32
    assert not np.array_equal(model.embed(X), plain.embed(X))
    assert model.score(X, y) > 0.9


def test_verbose_prints_a_line_an_epoch(blobs, capsys):
    encoder(max_epochs=3).fit(*blobs)
    assert capsys.readouterr().out == ""
    encoder(max_epochs=3, verbose=1).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(rf"epoch {number}/3  loss \d+\.\d{{4}}  \d+\.\d s", line)
    encoder(max_epochs=12, verbose=1, early_stopping=True).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"epoch  1/12  loss \d+\.\d{4}  valid mAP [01]\.\d{4}  \d+\.\d s", lines[0]
    )


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop])
@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", "constant"])
def test_optimisers_and_schedules_learn(blobs, optimizer, lr_schedule):
    X, y = blobs
    model = encoder(
        optimizer=optimizer, lr_schedule=lr_schedule, max_epochs=15, network="linear"
    ).fit(X, y)
    assert model.score(X, y) > 0.9


# Training that goes wrong


class Constant(HashLoss):
    """Pulls all codes to the same vertex."""

    normalize_z = False

    def forward(self, z, y, sample_weight=None):
        return (z - torch.linspace(-1, 1, z.shape[1]).sign()).square().mean()


class Explodes(HashLoss):
    """Is NaN from its third call on."""

    calls = 0

    def forward(self, z, y, sample_weight=None):
        self.calls += 1
        return z.square().mean() * (math.nan if self.calls > 2 else 1.0)


class Dead(HashLoss):
    """Learns classes with the first bits, switches the last two off."""

    normalize_z = False

    def forward(self, z, y, sample_weight=None):
        target = (y[:, None] >> torch.arange(z.shape[1] - 2) & 1) * 2.0 - 1
        return (z[:, :-2] - target).square().mean() + (z[:, -2:] + 3).square().mean()


def warnings_of(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, y)
    found = [w for w in caught if w.category is ConvergenceWarning]
    assert all(w.filename == __file__ for w in found)
    return [str(w.message) for w in found]


def test_healthy_training_does_not_warn(blobs):
    assert warnings_of(encoder(max_epochs=15), *blobs) == []


def test_collapse_is_said(blobs):
    model = encoder(loss=Constant(), max_epochs=60, lr=0.02)
    (message,) = warnings_of(model, *blobs)
    assert "All 240 training items got the same code" in message
    assert "lr" in message or "learning rate" in message
    assert len(np.unique(model.transform(blobs[0]), axis=0)) == 1
    assert model.history_[-1]["n_distinct"] == 1


def test_dead_bits_are_said(blobs):
    X, y = blobs
    model = encoder(4, loss=Dead(), max_epochs=40, lr=0.02)
    (message,) = warnings_of(model, X, y)
    assert message.startswith("2 of 4 bits never change over the training items")
    assert model.score(X, y) > 0.9
    assert model.history_[-1]["dead_bits"] == 0.5


@pytest.mark.parametrize(
    "params",
    [{"loss": Explodes()}, {"lr": 1e25, "optimizer": "sgd", "normalize_z": False}],
    ids=["loss", "lr"],
)
def test_a_loss_that_is_not_finite_stops_the_training(blobs, params):
    X, y = blobs
    model = encoder(max_epochs=50, **params)
    (message,) = warnings_of(model, X, y)
    assert re.match(
        r"The loss was (nan|inf) in epoch \d+ and training stopped", message
    )
    assert "smaller learning rate" in message
    assert model.n_iter_ < 50
    assert not math.isfinite(model.history_[-1]["train_loss"])
    assert model.transform(X).shape == (240, 2)
    assert set(model.predict(X)) <= set(model.classes_)
    clone(model).set_params(early_stopping=True).fit(X, y)


@pytest.mark.parametrize(
    ("moment", "count", "epochs"),
    [
        ("on_batch_end", 0, 0),
        ("on_batch_end", 5, 1),
        ("on_epoch_begin", 2, 2),
        ("on_epoch_end", 1, 2),
    ],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupted_training_leaves_a_fitted_encoder(
    blobs, moment, count, epochs, early_stopping
):
    X, y = blobs
    model = encoder(
        callbacks=[Interrupt(moment, count)], early_stopping=early_stopping
    ).fit(X, y)
    assert model.n_iter_ == len(model.history_) == epochs
    assert model.transform(X).shape == (240, 2)
    assert model.predict(X).shape == (240,)
    model.set_params(callbacks=None).partial_fit(X, y)


# Several labels an item


@pytest.mark.parametrize("make", ["dense", "list", "csr"])
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh"])
def test_multilabel_codes_retrieve_shared_labels(make, loss):
    rng = np.random.default_rng(0)
    Y = (rng.random((300, 8)) < 0.2).astype(int)
    Y[Y.sum(1) == 0, 0] = 1
    X = Y @ rng.normal(size=(8, 12)) + rng.normal(scale=0.3, size=(300, 12))
    given = {"dense": Y, "list": Y.tolist(), "csr": sp.csr_matrix(Y)}[make]
    train, test = slice(0, 200), slice(200, 300)
    given = given[train]
    model = encoder(16, loss=loss, max_epochs=25).fit(X[train], given)
    np.testing.assert_array_equal(model.classes_, np.arange(8))
    assert model.multilabel_
    codes = model.transform(X)
    assert codes.shape == (300, 2)
    assert model.embed(X).shape == (300, 16)
    score = mean_average_precision(codes[test], codes[train], Y[test], Y[train])
    chance = np.mean(Y[test] @ Y[train].T > 0)
    assert score > chance + 0.2
    for name in ("predict", "decision_function", "score"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError) as caught:
            getattr(model, name)
        assert "several labels an item" in str(caught.value.__cause__ or caught.value)
    with pytest.raises(AttributeError, match="class_codes_ needs one label an item"):
        model.class_codes_  # noqa: B018
    assert hasattr(clone(model), "predict")
    again = clone(model).set_params(loss=DualHinge()).partial_fit(X[train], given)
    again.partial_fit(X[test], Y[test])
    assert again.n_iter_ == 2


# Odd sizes


@pytest.mark.parametrize("n_bits", [1, 7, 8, 9, 4096])
def test_any_length_of_codes(blobs, n_bits):
    X, y = (part[:30] for part in blobs)
    model = encoder(n_bits, network="linear", max_epochs=1).fit(X, y)
    assert model.transform(X).shape == (30, -(-n_bits // 8))
    assert model.embed(X).shape == (30, n_bits)
    assert model.predict(X).shape == (30,)


@pytest.mark.parametrize("network", ["mlp", "linear"])
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh", "exponentiated"])
def test_two_items_one_feature(network, loss):
    X, y = np.array([[0.0], [1.0]]), ["a", "b"]
    model = encoder(4, network=network, loss=loss, max_epochs=20).fit(X, y)
    assert model.transform(X).shape == (2, 1)
    assert set(model.predict(X)) <= {"a", "b"}


def test_five_hundred_classes():
    rng = np.random.default_rng(0)
    y = np.arange(1500) % 500
    X = rng.normal(size=(500, 16))[y] + rng.normal(scale=0.1, size=(1500, 16))
    model = encoder(32, max_epochs=15, batch_size=128).fit(X, y)
    assert model.class_codes_.shape == (500, 32)
    assert model.score(X, y) > 0.5


def test_constant_features_do_not_matter(blobs):
    X, y = blobs
    wide = np.hstack([X, np.full((240, 3), 7.0, dtype=np.float32)])
    model = encoder(max_epochs=8).fit(wide, y)
    assert np.isfinite(model.embed(wide)).all()
    assert model.score(wide, y) > 0.9


def test_weights_act_as_repetitions_do(digits):
    """Rows of weight 8 are learnt as 8 copies of them are, on the average over seeds.

    Batches are drawn, so that single trainings differ. With short codes the classes
    compete: those that weigh less are retrieved worse.
    """
    X, X_query, y, y_query = digits
    weight = np.where(y < 3, 8, 1)
    repeated = np.repeat(np.arange(len(y)), weight)
    light = y_query >= 3
    n_steps = 120

    def score(rows, weight, seed):
        model = encoder(
            6,
            network="linear",
            balanced_batches=False,
            random_state=seed,
            max_epochs=round(n_steps / math.ceil(len(rows) / 64)),
        ).fit(X[rows], y[rows], sample_weight=weight)
        codes, queries = model.transform(X), model.transform(X_query[light])
        return mean_average_precision(queries, codes, y_query[light], y)

    everything = np.arange(len(y))
    plain, weighted, copies = np.mean(
        [
            (
                score(everything, None, seed),
                score(everything, weight, seed),
                score(repeated, None, seed),
            )
            for seed in range(3)
        ],
        axis=0,
    )
    assert copies < plain - 0.15
    assert abs(weighted - copies) < 0.3 * (plain - copies)


# torch's compiler makes an object that torch itself deprecates.
compiling = pytest.mark.filterwarnings(
    "ignore:.*autograd.function.Function.*instantiated:DeprecationWarning"
)


@compiling
@pytest.mark.parametrize("loss", ["hashnet", "exponentiated"])
def test_a_compiled_network_learns_the_same_codes(blobs, loss):
    # "eager" goes the whole way of torch.compile but for the C++ compiler.
    params = {"compile": True, "compile__backend": "eager"}
    plain = encoder(loss=loss).fit(*blobs)
    model = encoder(loss=loss, net_params=params).fit(*blobs)
    codes = plain.transform(blobs[0])
    np.testing.assert_array_equal(model.transform(blobs[0]), codes)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.transform(blobs[0]), codes)


@compiling
def test_compiling_compiles(blobs):
    compiled = Recorder(lambda net: hasattr(net.module_, "_orig_mod"))
    params = {"compile": True, "compile__backend": "eager"}
    encoder(net_params=params, callbacks=[compiled]).fit(*blobs)
    assert compiled.seen == [True] * 4


class Report(Callback):
    """Tells another object of each epoch, and what it does to itself is forgotten."""

    def __init__(self, told):
        self.told = told

    def initialize(self):
        self.epochs_ = 0
        return self

    def on_epoch_end(self, net, **kwargs):
        self.epochs_ += 1
        self.told.append(self.epochs_)


@pytest.mark.parametrize("named", [False, True])
def test_callbacks_report_to_what_they_hold_and_stay_as_given(blobs, named):
    report = Report([])
    callbacks = [("teller", report) if named else report]
    model = encoder(callbacks=callbacks).fit(*blobs)
    assert report.told == [1, 2, 3, 4]
    assert vars(report) == {"told": report.told}
    name = "teller" if named else "callback_0"
    assert dict(model.net_.callbacks_)[name].epochs_ == 4
    clone(model).fit(*blobs)  # a clone has its own of everything
    assert report.told == [1, 2, 3, 4]


def test_warnings_point_to_the_caller_of_a_pipeline(blobs, tmp_path):
    diverging = encoder(lr=1e30)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        make_pipeline(diverging, memory=str(tmp_path)).fit(*blobs)
        make_pipeline(diverging, "passthrough", memory=str(tmp_path)).fit(*blobs)
    files = {w.filename for w in caught if w.category is ConvergenceWarning}
    assert files == {__file__}
