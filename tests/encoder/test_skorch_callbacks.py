"""Each callback of skorch works in an encoder, or is refused before the training."""

import copy
import functools
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, make_scorer
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    ParamMapper,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TensorBoard,
    TrainEndCheckpoint,
    Unfreezer,
    WandbLogger,
)
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.utils.data import Dataset

from skhash import DeepHashEncoder
from skhash.losses import Exponentiated
from skhash.metrics import mean_average_precision, mean_average_precision_scorer
from skhash.networks import HashNetwork, hash_layer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def encoder(*callbacks, **params):
    return DeepHashEncoder(
        **{
            "n_bits": 8,
            "max_epochs": 4,
            "batch_size": 64,
            "random_state": 0,
            "callbacks": list(callbacks),
            **params,
        }
    )


class Items(Dataset):
    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return torch.tensor(self.X[index]), int(self.y[index])


class Look(Callback):
    """Reads what the others have noted of each epoch, and of its batches."""

    def __init__(self, look):
        self.look, self.seen = look, []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(self.look(net))


def mean_square(net, X, y):
    """Of the outputs, for a score that batches and epochs agree on."""
    return float(np.square(net.predict(X)).mean())


def share_of_ones(net, X, y):
    return float(np.mean(np.asarray(y) == 1))


# Scores


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", ["array", "dataset"])
def test_scores_of_training_batches(blobs, kind, weighted, form):
    X, y = blobs
    z = Look(lambda net: 0)
    outputs, labels = [], []

    def on_batch_end(net, batch, training, y_pred, **kwargs):
        assert training
        outputs.append(y_pred.detach().numpy())
        labels.append(batch[1].numpy())

    z.on_batch_end = on_batch_end
    weight = np.linspace(0.5, 1.5, len(X)) if weighted else None
    model = encoder(
        z,
        kind(mean_square, on_train=True, name="square"),
        kind(share_of_ones, on_train=True, name="ones"),
        max_epochs=1,
        batch_size=240 if form == "array" else 64,
    ).fit(Items(X, y) if form == "dataset" else X, y, sample_weight=weight)
    (row,) = model.history_
    expected = np.square(np.concatenate(outputs)).mean()
    assert row["square"] == pytest.approx(expected, rel=1e-5)
    assert row["ones"] == np.mean(np.concatenate(labels) == 1) == np.mean(y == 1)
    assert row["square_best"]


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize("form", ["array", "dataset"])
def test_scores_of_validation_data(blobs, kind, form):
    X, y = blobs
    data = []

    def look(net):
        z = np.concatenate(list(net.encode(data[0])))
        return np.square(z).mean(), np.mean(data[0].y.numpy() == 1)

    recorder = Look(look)
    recorder.on_epoch_begin = lambda net, dataset_valid=None, **_: data.append(
        dataset_valid
    )
    model = encoder(
        recorder,
        kind(mean_square, name="square"),
        kind(share_of_ones, name="ones"),
        early_stopping=True,
        validation_fraction=0.4,
        max_epochs=3,
    ).fit(Items(X, y) if form == "dataset" else X, y)
    assert len(data[0]) == 96
    for row, (square, ones) in zip(model.history_, recorder.seen, strict=True):
        assert row["square"] == pytest.approx(square, rel=1e-4)
        assert row["ones"] == pytest.approx(ones)


def test_a_validation_pass_leaves_the_training_alone(blobs):
    X, y = blobs
    for loss in ("dual_hinge", "dcwh", "dhn", "hashnet"):
        plain = encoder(early_stopping=True, loss=loss).fit(X, y)
        scored = encoder(EpochScoring(mean_square), early_stopping=True, loss=loss).fit(
            X, y
        )
        np.testing.assert_array_equal(plain.embed(X), scored.embed(X))
        for row, other in zip(plain.history_, scored.history_, strict=True):
            for name in row.keys() - {"dur"}:
                assert row[name] == other[name], name


def test_scorers_of_retrieval_rank_the_validation_data(blobs):
    X, y = blobs
    scoring = EpochScoring(mean_average_precision_scorer, lower_is_better=False)
    data = []
    recorder = Look(lambda net: np.concatenate(list(net.encode(data[0]))) > 0)
    recorder.on_epoch_begin = lambda net, dataset_valid=None, **_: data.append(
        dataset_valid
    )
    model = encoder(scoring, recorder, early_stopping=True, max_epochs=2).fit(X, y)
    labels = data[0].y.numpy()
    for row, bits in zip(model.history_, recorder.seen, strict=True):
        codes = np.packbits(bits, axis=1)
        expected = mean_average_precision(
            codes, codes, labels, labels, exclude_self=True
        )
        assert row["mean_average_precision"] == pytest.approx(expected)


def test_scores_without_caching_see_the_data_set(blobs):
    X, y = blobs

    def rows(net, data, y):
        return float(net.forward(data).shape[0] * len(data.y))

    for form in (X, Items(X, y)):
        scoring = EpochScoring(rows, name="rows", on_train=True, use_caching=False)
        weight = np.linspace(0.5, 1.5, len(X))
        model = encoder(scoring, max_epochs=1).fit(form, y, sample_weight=weight)
        assert model.history_[0]["rows"] == 240**2


def test_batch_scores_pass_through(blobs):
    losses = Look(
        lambda net: net.history[-1, "batches", :, ("train_loss", "train_batch_size")]
    )
    model = encoder(
        losses, PassthroughScoring("train_similarity", on_train=True), loss="dhn"
    ).fit(*blobs)
    for row, batches in zip(model.history_, losses.seen, strict=True):
        mean = sum(loss * size for loss, size in batches) / 240
        assert row["train_loss"] == pytest.approx(mean, rel=1e-5)
        assert row["train_similarity_best"] in (True, False)
    model = encoder(
        PassthroughScoring("valid_loss"),
        EarlyStopping(patience=2, threshold=1e9, threshold_mode="abs"),
        early_stopping=True,
    ).fit(*blobs)
    assert model.n_iter_ == 3
    assert all(row["valid_loss"] > 0 for row in model.history_)


def test_no_batch_is_noted_where_nobody_reads_it(blobs):
    model = encoder(max_epochs=1).fit(*blobs)
    assert all(batch == {} for batch in model.net_.history[0, "batches"])


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize(
    "scoring",
    [
        None,
        "accuracy",
        accuracy_score,
        make_scorer(accuracy_score),
        functools.partial(accuracy_score, normalize=False),
        {"a": "accuracy"},
    ],
)
def test_scores_of_classes_are_refused(blobs, kind, scoring):
    refused(
        blobs,
        encoder(kind(scoring, on_train=True)),
        r"(Epoch|Batch)Scoring has scoring=.* Give a function \(net, X, y\)",
    )


@pytest.mark.parametrize(
    "callback", [EpochScoring(mean_square), BatchScoring(mean_square)]
)
def test_scores_of_validation_data_that_is_not_there_are_refused(blobs, callback):
    refused(
        blobs,
        encoder(callback),
        r"there is none: early_stopping is False. Use early_stopping=True, or "
        r"\w+Scoring\(..., on_train=True\)",
    )
    refused(blobs, encoder(PassthroughScoring("valid_loss")), "there is none")
    model = encoder(callback, early_stopping=True)
    refused(blobs, model, "partial_fit holds no items out. Use", "partial_fit")
    scorer = EpochScoring(
        mean_average_precision_scorer, on_train=True, use_caching=False
    )
    refused(blobs, encoder(scorer), "leave use_caching=True")


def refused(blobs, model, message, method="fit"):
    """Before any work, and nothing is changed."""
    began = Look(None)
    began.on_train_begin = lambda net, **kwargs: pytest.fail("it has begun")
    model.set_params(callbacks=[*model.callbacks, began])
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*blobs)
    assert vars(model) == before


# Monitors


@pytest.mark.parametrize(
    ("callback", "advice"),
    [
        (
            EarlyStopping(),
            "EarlyStopping(monitor='valid_score', lower_is_better=False) and "
            "early_stopping=True",
        ),
        (
            Checkpoint(),
            "Checkpoint(monitor='valid_score_best') and early_stopping=True",
        ),
        (
            LRScheduler(ReduceLROnPlateau, monitor="valid_loss"),
            "LRScheduler(monitor='valid_score', mode='max')",
        ),
        (EarlyStopping("valid_acc"), "monitor='train_loss'"),
        (Checkpoint("train_acc_best"), "monitor='train_loss_best'"),
    ],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_monitors_of_what_nobody_records(blobs, callback, advice, early_stopping):
    model = encoder(callback, early_stopping=early_stopping, lr_schedule="constant")
    name = re.escape(repr(callback.monitor))
    refused(blobs, model, f"monitors {name}, which .*{re.escape(advice)}")
    model = encoder(callback)
    refused(blobs, model, r"Use \w+\(monitor='train_loss", "partial_fit")


@pytest.mark.parametrize(
    ("callback", "advice"),
    [
        (EarlyStopping("valid_score"), "lower_is_better=False"),
        (LRScheduler("ReduceLROnPlateau", monitor="valid_score"), "mode='max'"),
        (Checkpoint("valid_score"), "monitor='valid_score_best'"),
    ],
)
def test_monitors_that_take_the_score_for_a_loss(blobs, callback, advice):
    model = encoder(callback, early_stopping=True, lr_schedule="constant")
    refused(blobs, model, f"of which more is better: use .*{re.escape(advice)}")


def test_monitors_of_the_validation_score(blobs):
    X, y = blobs
    stop = EarlyStopping("valid_score", lower_is_better=False, patience=1)
    plateau = LRScheduler(
        ReduceLROnPlateau, monitor="valid_score", mode="max", patience=0, factor=0.5
    )
    model = encoder(
        plateau,
        stop,
        early_stopping=True,
        n_iter_no_change=50,
        max_epochs=50,
        lr_schedule="constant",
    ).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    assert model.n_iter_ < 50
    assert scores[-1] <= scores[-2] * 1.0001
    rates = [row["lr"] for row in model.history_]
    assert rates[0] == model.lr
    assert model.net_.history[0, "valid_score_best"] is True


def test_no_codes_to_score_in_pretraining(blobs):
    stop = EarlyStopping("valid_score", lower_is_better=False)
    loss = Exponentiated(pretrain=0.4)
    model = encoder(stop, early_stopping=True, loss=loss, max_epochs=9)
    refused(blobs, model, "in its pre-training this loss has no codes")


def test_what_callbacks_of_ones_own_record_may_be_monitored(blobs):
    class Records(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("valid_loss", len(net.history))

    model = encoder(Records(), EarlyStopping(patience=2), max_epochs=9).fit(*blobs)
    assert model.n_iter_ == 3
    scoring = EpochScoring(mean_square, name="valid_square", on_train=True)
    stop = EarlyStopping("valid_square", patience=50)
    assert encoder(scoring, stop).fit(*blobs).n_iter_ == 4
    refused(blobs, encoder(stop, scoring), "monitors 'valid_square'")


# Checkpoints


@pytest.mark.parametrize("monitor", ["train_loss_best", "valid_score_best", None])
def test_checkpoints(blobs, tmp_path, monitor):
    X, y = blobs
    checkpoint = Checkpoint(monitor, dirname=str(tmp_path), f_pickle="net.pkl")
    model = encoder(checkpoint, early_stopping=True, verbose=0).fit(X, y)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        *("params.pt", "optimizer.pt", "criterion.pt", "history.json", "net.pkl")
    }
    net = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert net.predict(X.copy()).shape == (240, 8)
    assert net.sampler is None
    assert net.dataset_valid_ is None
    events = model.net_.history[:, "event_cp"]
    if monitor is None:
        assert all(events)
    else:
        assert events == [bool(row[monitor]) for row in model.net_.history]
        assert events[0]


def test_the_best_checkpoint_comes_back(blobs, tmp_path):
    X, y = blobs
    states = Look(lambda net: net.module_.head[0].weight.detach().clone())
    checkpoint = Checkpoint("train_loss_best", dirname=str(tmp_path), load_best=True)
    model = encoder(checkpoint, states, max_epochs=6).fit(X, y)
    losses = [row["train_loss"] for row in model.history_]
    weight = states.seen[int(np.argmin(losses))]
    assert torch.equal(model.net_.module_.head[0].weight, weight)


def test_training_goes_on_from_a_checkpoint(blobs, tmp_path):
    X, y = blobs
    end = TrainEndCheckpoint(dirname=str(tmp_path))
    first = encoder(end).fit(X, y)
    end.initialize()
    second = encoder(LoadInitState(end), lr=1e-9, random_state=1).fit(X, y)
    assert second.n_iter_ == 8
    same = first.net_.module_.head[0].weight, second.net_.module_.head[0].weight
    torch.testing.assert_close(*same, rtol=1e-4, atol=1e-5)


# Learning rates, gradients, parameters


def test_learning_rates_of_a_scheduler(blobs):
    X, y = blobs
    refused(
        blobs,
        encoder(LRScheduler(StepLR, step_size=1)),
        "so does lr_schedule='one_cycle': with the callback, use lr_schedule='constant",
    )
    scheduler = LRScheduler(StepLR, step_size=1, gamma=0.5)
    model = encoder(scheduler, lr_schedule="constant").fit(X, y)
    rates = [row["lr"] for row in model.history_]
    np.testing.assert_allclose(rates, model.lr * 0.5 ** np.arange(4))
    stages = encoder(scheduler, lr_schedule="constant", loss="hashnet").fit(X, y)
    assert [row["lr"] for row in stages.history_] == rates
    model.partial_fit(X, y)
    encoder(LRScheduler(StepLR, step_size=1)).partial_fit(X, y).partial_fit(X, y)


def test_a_scheduler_keeps_the_scales_of_the_parts(blobs):
    looks = Look(lambda net: [g["lr"] for g in net.optimizer_.param_groups])
    scheduler = LRScheduler("LambdaLR", lr_lambda=lambda epoch: 1.0)
    encoder(scheduler, looks, lr_schedule="constant", network=narrow).fit(*blobs)
    np.testing.assert_allclose(looks.seen, [[3e-4, 3e-3]] * 4)


def narrow(input_shape, n_bits, *, normalize_z=False, generator=None):
    body = nn.Linear(input_shape[0], 8)
    head = hash_layer(8, n_bits, normalize=normalize_z, generator=generator)
    return HashNetwork(body, head, lr_scale={"body": 0.1})


def test_gradients_are_clipped(blobs):
    norms = []

    class Norms(Callback):
        def on_grad_computed(self, net, named_parameters, batch=None, **kwargs):
            x, y = batch
            assert len(x) == len(y)
            squares = (p.grad.square().sum() for _, p in named_parameters)
            norms.append(float(sum(squares)) ** 0.5)

    encoder(GradientNormClipping(1e-3), Norms()).fit(*blobs)
    assert max(norms) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize(
    "loss", ["dual_hinge", "hashnet", "dcwh", Exponentiated(pretrain=0.4)]
)
def test_frozen_stays_frozen_through_all_stages(blobs, loss):
    X, y = blobs
    weights = Look(lambda net: copy.deepcopy(dict(net.module_.named_parameters())))
    model = encoder(Freezer("body.*.weight"), weights, loss=loss, max_epochs=9)
    model.fit(X, y)
    first, last = weights.seen[0], weights.seen[-1]
    head = next(name for name in first if name.startswith("head."))
    frozen = [n for n in first if n.startswith("body.") and n.endswith(".weight")]
    assert all(torch.equal(first[name], last[name]) for name in frozen)
    assert not torch.equal(*(seen[head] for seen in (first, last)))
    for name, parameter in model.net_.module_.named_parameters():
        assert parameter.requires_grad == (name not in frozen)


def test_unfrozen_learns_again(blobs):
    weights = Look(lambda net: net.module_.head[0].weight.detach().clone())
    model = encoder(
        Freezer("head.*"), Unfreezer("head.*", at=3), weights, max_epochs=4
    ).fit(*blobs)
    first, second, third, _ = weights.seen
    assert torch.equal(first, second)
    assert not torch.equal(second, third)
    assert all(p.requires_grad for p in model.net_.module_.parameters())


def test_parameters_are_mapped(blobs):
    bias = Look(lambda net: net.module_.head[0].bias.detach().clone())
    double = ParamMapper("head.0.weight", fn=lambda p: p.data.mul_(0), at=2)
    start = Initializer("head.0.bias", fn=lambda p: nn.init.constant_(p, 3.0))
    encoder(start, bias, double, lr=1e-9).fit(*blobs)
    torch.testing.assert_close(bias.seen[0], torch.full((8,), 3.0))


# What is shown


def test_what_is_printed(blobs, capsys):
    encoder(PrintLog(), EarlyStopping("train_loss")).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 4
    assert re.match(r"\s*epoch .* train_loss .*dur", lines[0])
    encoder(EarlyStopping("train_loss")).fit(*blobs)
    assert capsys.readouterr().out == ""
    stop = EarlyStopping("train_loss", patience=1, threshold=1e9, threshold_mode="abs")
    encoder(stop, verbose=1).fit(*blobs)
    assert "Stopping since train_loss has not improved" in capsys.readouterr().out
    rows = []
    encoder(PrintLog(sink=rows.append)).fit(*blobs)
    assert len(rows) == 6


@pytest.mark.parametrize("early_stopping", [False, True])
def test_progress_bar_and_timer(blobs, early_stopping):
    scoring = EpochScoring(mean_square, on_train=not early_stopping)
    model = encoder(
        ProgressBar(), EpochTimer(), scoring, early_stopping=early_stopping
    ).fit(*blobs)
    assert all(row["dur"] > 0 for row in model.history_)
    bar = dict(model.net_.callbacks_)["callback_0"].pbar_
    assert bar.n == bar.total == 4 + early_stopping
    assert ("valid_loss=" if early_stopping else "train_loss=") in bar.postfix
    pickle.loads(pickle.dumps(model)).transform(blobs[0])


def test_tensorboard_writes_scalars(blobs):
    class Writer:
        def __init__(self):
            self.tags = set()

        def add_scalar(self, tag, scalar_value, global_step):
            self.tags.add(tag)

        def close(self):
            pass

    writer = Writer()
    encoder(TensorBoard(writer)).fit(*blobs)
    assert {"Loss/train_loss", "lr", "dead_bits"} <= writer.tags


def test_callbacks_that_can_not_work_are_refused(blobs):
    refused(blobs, encoder(InputShapeSetter()), "would build the network anew")
    refused(blobs, encoder(WandbLogger(None)), r"WandbLogger\(..., save_model=False\)")
    refused(blobs, encoder(("name", EarlyStopping())), "EarlyStopping monitors")
    refused(blobs, encoder(print), "callbacks holds <built-in function print>")


def test_callbacks_stay_as_given(blobs):
    callbacks = [
        EpochScoring(mean_square, on_train=True),
        Freezer("head.*"),
        PrintLog(sink=len),
    ]
    before = [vars(callback).copy() for callback in callbacks]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        encoder(*callbacks).fit(*blobs)
    assert [vars(callback) for callback in callbacks] == before
