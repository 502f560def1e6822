"""Validation data of the user's own: `X_val` and `y_val`."""

import numpy as np
import pytest
import sklearn
import torch
from scipy.sparse import csr_array
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    LRScheduler,
)

from skhash.losses import DualHinge
from skhash.metrics import mean_average_precision
from tests.encoder.helpers import Pairs, encoder_with, mean_square, refused

encoder = encoder_with(8, max_epochs=4, batch_size=64)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def valid_of(blobs, n=40):
    X, y = blobs
    rng = np.random.default_rng(1)
    places = rng.choice(len(X), n, replace=False)
    return X[places] + rng.normal(scale=0.3, size=(n, X.shape[1])), y[places]


def test_scores_are_those_of_queries_against_the_training_items(blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    model = encoder().fit(X, y, X_val=V, y_val=v)
    last = model.history_[-1]
    expected = mean_average_precision(model.transform(V), model.transform(X), v, y)
    assert last["valid_score"] == pytest.approx(expected, abs=1e-12)
    assert all(
        {"train_loss", "valid_loss", "valid_score"} <= r.keys() for r in model.history_
    )
    # All items are trained on, and the validation changes nothing.
    np.testing.assert_array_equal(model.embed(X), encoder().fit(X, y).embed(X))


def test_the_validation_loss_is_the_loss_of_the_items(blobs):
    V, v = valid_of(blobs, 30)  # one batch
    model = encoder(loss=DualHinge()).fit(*blobs, X_val=V, y_val=v)
    z = torch.from_numpy(model.embed(V))
    classes = torch.from_numpy(np.searchsorted(model.classes_, v))
    model.loss_.eval()
    assert model.history_[-1]["valid_loss"] == pytest.approx(
        float(model.loss_(z, classes))
    )


@pytest.mark.slow
def test_sorted_items_make_mixed_batches(blobs):
    V, v = valid_of(blobs, 120)
    order = np.argsort(v)
    model = encoder(batch_size=16).fit(*blobs, X_val=V[order], y_val=v[order])
    mixed = encoder(batch_size=16).fit(*blobs, X_val=V, y_val=v)
    a, b = (m.history_[-1]["valid_loss"] for m in (model, mixed))
    assert a == pytest.approx(b, rel=0.3)


def test_early_stopping_looks_at_it(blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    model = encoder(early_stopping=True, max_epochs=60, n_iter_no_change=2, lr=0.02)
    model.fit(X, y, X_val=V, y_val=v)
    scores = [row["valid_score"] for row in model.history_]
    best = int(np.argmax(scores))
    assert len(scores) == best + 1 + 2 < 60
    kept = mean_average_precision(model.transform(V), model.transform(X), v, y)
    assert kept == pytest.approx(scores[best])
    assert model._class_sums[:, -1].sum() == len(X)  # no item was held out


KINDS = ["uint8 images", "csr", "dataset", "dataset and y", "frame"]


def as_images(X):
    """The first features as images of uint8."""
    return np.clip(20 * X[:, :9] + 100, 0, 255).astype(np.uint8).reshape(-1, 3, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_data(kind, blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    if kind == "uint8 images":
        X, V = as_images(X), as_images(V)
    elif kind == "csr":
        X, V = csr_array(X), csr_array(V)
    elif kind.startswith("dataset"):
        X, V = (torch.tensor(A, dtype=torch.float32) for A in (X, V))
        data = Pairs(V, v)
        model = encoder().fit(Pairs(X, y), X_val=data, y_val=v if " " in kind else None)
        plain = encoder().fit(X.numpy(), y, X_val=V.numpy(), y_val=v)
        assert model.history_[0]["valid_score"] > 0
        assert plain.history_[0].keys() == model.history_[0].keys()
        return
    elif kind == "frame":
        import pandas

        X, V = pandas.DataFrame(X).add_prefix("x"), pandas.DataFrame(V).add_prefix("x")
    model = encoder().fit(X, y, X_val=V, y_val=v)
    assert model.history_[-1]["valid_score"] == pytest.approx(
        mean_average_precision(model.transform(V), model.transform(X), v, y)
    )


def test_label_sets(blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    eye = np.eye(4, dtype=int)
    model = encoder().fit(X, eye[y], X_val=V, y_val=eye[v])
    assert model.history_[-1]["valid_score"] > 0.5


def test_names_of_classes(blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    names = np.array(["d", "c", "b", "a"])
    model = encoder().fit(X, names[y], X_val=V, y_val=names[v])
    assert model.history_[-1]["valid_score"] == pytest.approx(
        mean_average_precision(model.transform(V), model.transform(X), v, y)
    )


def test_in_a_pipeline(blobs):
    X, y = blobs
    V, v = valid_of(blobs)
    X, V = 100 * X + 5, 100 * V + 5
    with sklearn.config_context(enable_metadata_routing=True):
        steps = [
            ("scale", StandardScaler()),
            ("hash", encoder().set_fit_request(X_val=True, y_val=True)),
        ]
        pipe = Pipeline(steps, transform_input=["X_val"])
        pipe.fit(X, y, X_val=V, y_val=v)
    score = mean_average_precision(pipe.transform(V), pipe.transform(X), v, y)
    assert pipe[-1].history_[-1]["valid_score"] == pytest.approx(score)


# skorch's callbacks


@pytest.mark.parametrize(
    "make",
    [
        lambda path: EpochScoring(mean_square, on_train=False, name="square"),
        lambda path: EarlyStopping(patience=1),  # monitors valid_loss
        lambda path: EarlyStopping("valid_score", patience=1, lower_is_better=False),
        lambda path: Checkpoint(dirname=path),  # monitors valid_loss_best
        lambda path: Checkpoint(monitor="valid_score_best", dirname=path),
        lambda path: LRScheduler("ReduceLROnPlateau", monitor="valid_loss", patience=0),
        lambda path: EpochTimer(),
    ],
)
def test_callbacks_of_skorch(make, blobs, tmp_path):
    V, v = valid_of(blobs)
    model = encoder(callbacks=[make(tmp_path)], lr_schedule="constant", lr=0.05)
    model.fit(*blobs, X_val=V, y_val=v)
    row = model.history_[-1]
    if isinstance(model.callbacks[0], EpochScoring):
        assert row["square"] == pytest.approx(
            np.square(model.embed(V)).mean(), rel=1e-5
        )
    if isinstance(model.callbacks[0], Checkpoint):
        assert (tmp_path / "params.pt").exists()
    assert row["dur"] > 0


# What is refused


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda V, v: {"X_val": V}, "X_val was given without y_val"),
        (lambda V, v: {"y_val": v}, "y_val was given without X_val"),
        (lambda V, v: {"X_val": V[:, :3], "y_val": v}, "X_val: X has 3 features"),
        (lambda V, v: {"X_val": V * np.nan, "y_val": v}, "X_val: .*NaN"),
        (
            lambda V, v: {"X_val": V, "y_val": v[:-1]},
            "40 items, but y_val has 39",
        ),
        (
            lambda V, v: {"X_val": V, "y_val": v + 1},
            "y does not have, such as 4",
        ),
        (
            lambda V, v: {"X_val": V, "y_val": np.eye(4)[v]},
            "holds several labels",
        ),
        (lambda V, v: {"X_val": V[:0], "y_val": v[:0]}, "X_val: .*0 sample"),
    ],
)
def test_what_does_not_fit(given, told, blobs):
    model = encoder(callbacks=[])
    X, y = blobs
    before = vars(model).copy()
    with pytest.raises(ValueError, match=told):
        model.fit(X, y, **given(*valid_of(blobs)))
    assert vars(model) == before


def test_monitors_of_what_is_not_there(blobs):
    model = encoder(callbacks=[EarlyStopping()])
    refused(blobs, model, "monitors 'valid_loss', which the encoder does not record")
