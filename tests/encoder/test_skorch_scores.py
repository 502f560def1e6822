"""skorch's scoring callbacks work in an encoder, or are refused."""

import functools

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, make_scorer
from skorch.callbacks import (
    BatchScoring,
    EarlyStopping,
    EpochScoring,
    PassthroughScoring,
)
from torch.utils.data import Dataset

from skhash.metrics import mean_average_precision, mean_average_precision_scorer
from tests.encoder.helpers import Recorder, encoder_calling, mean_square, refused

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Items(Dataset):
    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return torch.tensor(self.X[index]), int(self.y[index])


def share_of_ones(net, X, y):
    return float(np.mean(np.asarray(y) == 1))


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", ["array", "dataset"])
def test_scores_of_training_batches(blobs, kind, weighted, form):
    X, y = blobs
    z = Recorder(lambda net: 0)
    outputs, labels = [], []

    def on_batch_end(net, batch, training, y_pred, **kwargs):
        assert training
        outputs.append(y_pred.detach().numpy())
        labels.append(batch[1].numpy())

    z.on_batch_end = on_batch_end
    weight = np.linspace(0.5, 1.5, len(X)) if weighted else None
    model = encoder_calling(
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

    recorder = Recorder(look)
    recorder.on_epoch_begin = lambda net, dataset_valid=None, **_: data.append(
        dataset_valid
    )
    model = encoder_calling(
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


@pytest.mark.slow
def test_a_validation_pass_leaves_the_training_alone(blobs):
    X, y = blobs
    for loss in ("dual_hinge", "dcwh", "dhn", "hashnet"):
        plain = encoder_calling(early_stopping=True, loss=loss).fit(X, y)
        scored = encoder_calling(
            EpochScoring(mean_square), early_stopping=True, loss=loss
        ).fit(X, y)
        np.testing.assert_array_equal(plain.embed(X), scored.embed(X))
        for row, other in zip(plain.history_, scored.history_, strict=True):
            for name in row.keys() - {"dur"}:
                assert row[name] == other[name], name


def test_scorers_of_retrieval_rank_the_validation_data(blobs):
    X, y = blobs
    scoring = EpochScoring(mean_average_precision_scorer, lower_is_better=False)
    data = []
    recorder = Recorder(lambda net: np.concatenate(list(net.encode(data[0]))) > 0)
    recorder.on_epoch_begin = lambda net, dataset_valid=None, **_: data.append(
        dataset_valid
    )
    model = encoder_calling(scoring, recorder, early_stopping=True, max_epochs=2).fit(
        X, y
    )
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
        model = encoder_calling(scoring, max_epochs=1).fit(
            form, y, sample_weight=weight
        )
        assert model.history_[0]["rows"] == 240**2


def test_batch_scores_pass_through(blobs):
    losses = Recorder(
        lambda net: net.history[-1, "batches", :, ("train_loss", "train_batch_size")]
    )
    model = encoder_calling(
        losses, PassthroughScoring("train_similarity", on_train=True), loss="dhn"
    ).fit(*blobs)
    for row, batches in zip(model.history_, losses.seen, strict=True):
        mean = sum(loss * size for loss, size in batches) / 240
        assert row["train_loss"] == pytest.approx(mean, rel=1e-5)
        assert row["train_similarity_best"] in (True, False)
    model = encoder_calling(
        PassthroughScoring("valid_loss"),
        EarlyStopping(patience=2, threshold=1e9, threshold_mode="abs"),
        early_stopping=True,
    ).fit(*blobs)
    assert model.n_iter_ == 3
    assert all(row["valid_loss"] > 0 for row in model.history_)


def test_no_batch_is_noted_where_nobody_reads_it(blobs):
    model = encoder_calling(max_epochs=1).fit(*blobs)
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
        encoder_calling(kind(scoring, on_train=True)),
        r"(Epoch|Batch)Scoring has scoring=.* Give a function \(net, X, y\)",
    )


@pytest.mark.parametrize(
    "callback", [EpochScoring(mean_square), BatchScoring(mean_square)]
)
def test_scores_of_validation_data_that_is_not_there_are_refused(blobs, callback):
    refused(
        blobs,
        encoder_calling(callback),
        r"there is none: early_stopping is False. Use fit\(..., X_val=..., "
        r"y_val=...\), early_stopping=True, or "
        r"\w+Scoring\(..., on_train=True\)",
    )
    refused(blobs, encoder_calling(PassthroughScoring("valid_loss")), "there is none")
    model = encoder_calling(callback, early_stopping=True)
    refused(blobs, model, "partial_fit holds no items out. Use", "partial_fit")
    scorer = EpochScoring(
        mean_average_precision_scorer, on_train=True, use_caching=False
    )
    refused(blobs, encoder_calling(scorer), "leave use_caching=True")
