"""Encoders that learn from vectors: what they take, refuse, and promise."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from torch import nn
from torch.utils.data import Dataset

from skhash import DeepHashEncoder
from skhash.baselines import ITQ
from skhash.encoder._data import inputs
from skhash.losses import HashLoss, NeighborDistillation
from skhash.metrics import neighbor_recall, neighbor_recall_scorer
from skhash.networks import HashNetwork

RNG = np.random.default_rng(0)
CENTERS = RNG.normal(size=(6, 12)) * 2
X = (CENTERS[np.arange(240) % 6] + RNG.normal(size=(240, 12))).astype(np.float32)
V = X[:, :5] @ RNG.normal(size=(5, 9)).astype(np.float32)  # what a teacher sees
IMAGES = (RNG.random((40, 8, 8)) * 255).astype(np.uint8)


def encoder(teacher="X", **params):
    loss = NeighborDistillation(teacher=teacher)
    settings = {"max_epochs": 4, "batch_size": 64, "random_state": 0, "n_jobs": 1}
    return DeepHashEncoder(**{"n_bits": 8, "loss": loss, **settings, **params})


def codes(*args, **params):
    return encoder(**params).fit(*args).transform(X)


# What is said before any fit


def test_tags_come_from_the_loss():
    plain, alone, taught = (
        get_tags(model) for model in (DeepHashEncoder(), encoder("X"), encoder("y"))
    )
    assert plain.estimator_type == "classifier"
    assert plain.target_tags.required
    for tags in (alone, taught):
        assert tags.estimator_type is None
        assert tags.classifier_tags is None
    assert not alone.target_tags.required
    assert not alone.input_tags.sparse
    assert taught.target_tags.required
    assert taught.target_tags.multi_output
    assert taught.input_tags.sparse
    assert is_classifier(DeepHashEncoder())
    assert not is_classifier(DeepHashEncoder(loss="neighbor_distillation"))
    assert get_tags(DeepHashEncoder(loss="no such loss")).target_tags.required


@pytest.mark.parametrize(
    "name",
    ["predict", "predict_proba", "decision_function", "score", "classes_"],
)
def test_what_needs_classes_is_absent(name):
    for model in (encoder(), encoder().fit(X)):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError) as caught:
            getattr(model, name)
        told = str(caught.value)
        assert name == "classes_" or f"no attribute {name!r}" in told
        assert "learns from vectors" in told
        assert "neighbor_recall" in told
    assert hasattr(DeepHashEncoder(), "predict")
    with pytest.raises(AttributeError, match="no attribute 'classes_'"):
        _ = DeepHashEncoder().classes_
    with pytest.raises(NotFittedError):
        _ = encoder().loss_


def test_an_encoder_of_labels_forgets_its_classes_and_back():
    y = np.arange(240) % 6
    model = DeepHashEncoder(8, max_epochs=2, n_jobs=1, random_state=0).fit(X, y)
    assert model.predict(X).shape == (240,)
    model.set_params(loss="neighbor_distillation")
    assert hasattr(model, "predict")  # it still is what it was fitted as
    model.fit(X, y)
    assert not {"classes_", "multilabel_", "_class_sums"} & vars(model).keys()
    assert not hasattr(model, "predict")
    model.set_params(loss="dual_hinge").fit(X, y)
    assert model.score(X, y) > 0.5


# Without a teacher


@pytest.mark.parametrize(
    "y", [None, ["a"] * 240, np.full(240, np.nan), np.arange(7), "nonsense"], ids=str
)
def test_y_is_ignored(y):
    np.testing.assert_array_equal(codes(X, y), codes(X))


@pytest.mark.slow
def test_codes_keep_neighbours_better_than_their_start():
    digits = load_digits().data
    train, queries = digits[:800], digits[800:1100]
    learned = encoder(n_bits=32, max_epochs=80, batch_size="auto").fit(train)
    start = ITQ(32, random_state=0).fit(train)
    recalls = [
        neighbor_recall(e.transform(queries), e.transform(train), queries, train)
        for e in (learned, start)
    ]
    assert recalls[0] > recalls[1] + 0.02


def test_automatic_batches_and_network():
    model = encoder(batch_size="auto", max_epochs=1).fit(X)
    assert model.net_.batch_size == 1024
    assert model.net_.module_.body.n_plain == 12
    assert DeepHashEncoder(max_epochs=1).fit(X, X[:, 0] > 0).net_.batch_size == 128
    assert encoder(network="mlp").fit(X).net_.module_.features(
        torch.zeros(2, 12)
    ).shape == (2, 128)


def test_hash_layer_starts_at_iterative_quantisation():
    model = encoder(lr=1e-30, weight_decay=0.0, network="linear").fit(X)
    layer = model.net_.module_.head[0]
    scaled = StandardScaler().fit_transform(X)
    z = scaled @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    gram = layer.weight @ layer.weight.T
    torch.testing.assert_close(gram, torch.eye(8), atol=1e-4, rtol=0)
    spectrum = np.linalg.eigvalsh(np.cov(scaled.T))[-8:].sum()
    assert np.trace(np.cov(z.T)) == pytest.approx(spectrum, rel=1e-4)
    beside = encoder(lr=1e-30, weight_decay=0.0).fit(X).net_.module_.head[0].weight
    torch.testing.assert_close(beside[:, :12], layer.weight, atol=1e-5, rtol=0)
    assert beside[:, 12:].abs().max() < 1e-20


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, "tensor"])
def test_other_dtypes_are_taken(dtype):
    rows = X.round(1)
    given = torch.tensor(rows) if dtype == "tensor" else rows.astype(dtype)
    assert encoder().fit(given).transform(given).shape == (240, 1)


def test_memmap_gives_the_same_codes(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(codes(mapped), codes(X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (sp.csr_array(X), "TruncatedSVD"),
        (sp.coo_matrix(X), "TruncatedSVD"),
        (IMAGES, 'teacher="y"'),
        (np.ones((20, 12)), "all vectors are the same"),
        (X[:1], "minimum of 2"),
        (np.where(X > 4, np.nan, X), "NaN"),
        (X.astype(np.float64) * 1e200, "float32"),
    ],
    ids=["csr", "triples", "images", "constant", "one", "nan", "huge"],
)
def test_items_that_are_no_teachers_are_refused(given, message):
    model = encoder()
    with pytest.raises(ValueError, match=message):
        model.fit(given)
    assert not hasattr(model, "net_")


class Pairs(Dataset):
    """Items, with their teacher's vectors."""

    def __init__(self, items, vectors):
        self.items, self.vectors = items, vectors

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index], self.vectors[index]


def test_images_by_shape_and_data_sets_are_refused_without_a_teacher():
    with pytest.raises(ValueError, match="without input_shape"):
        encoder(input_shape=(3, 4)).fit(X)
    with pytest.raises(ValueError, match="torch Dataset"):
        encoder().fit(Pairs(X, V))


def test_lists_of_images_are_refused_without_a_teacher():
    images = X.reshape(240, 3, 4)
    for given in (list(images), images.tolist()):
        with pytest.raises(ValueError, match="pixels of images say little"):
            encoder().fit(given)


def test_a_network_of_ones_own_keeps_its_head():
    def build(input_shape, n_bits):
        head = nn.Linear(12, n_bits)
        nn.init.constant_(head.weight, 0.5)
        return HashNetwork(nn.Flatten(), head)

    model = encoder(network=build, max_epochs=1, lr=1e-9, weight_decay=0).fit(X)
    weight = model.net_.module_.head.weight.detach().cpu().numpy()
    np.testing.assert_allclose(weight, 0.5, atol=1e-6)


@pytest.mark.slow
def test_weights_zero_is_absence():
    weight = np.ones(240)
    weight[200:] = 0
    np.testing.assert_array_equal(
        encoder().fit(X, sample_weight=weight).transform(X), codes(X[:200])
    )
    weight[:100] = 3.0
    model = encoder().fit(X, sample_weight=weight)
    assert (model.transform(X) != codes(X[:200])).any()


# With a teacher


def test_a_loss_is_told_the_weights_of_the_vectors_that_it_is_told(monkeypatch):
    monkeypatch.setattr(inputs, "_SAMPLE", 60)
    told = []
    plain = NeighborDistillation.setup

    def spied(loss, n_bits, y, *, sample_weight=None, generator=None):
        told.append((y, sample_weight))
        return plain(loss, n_bits, y, sample_weight=sample_weight, generator=generator)

    monkeypatch.setattr(NeighborDistillation, "setup", spied)
    weight = np.arange(240) % 5 + 1.0
    encoder(max_epochs=1).fit(X, sample_weight=weight)
    [(y, weights)] = told
    rows = np.arange(60) * 4
    np.testing.assert_allclose(y, X[rows], rtol=1e-6)
    np.testing.assert_allclose(weights, weight[rows] / weight.mean(), rtol=1e-6)


@pytest.mark.slow
def test_teacher_is_who_is_learnt_from():
    settings = {"max_epochs": 40, "network": "linear"}
    model = encoder("y", **settings).fit(X, V)
    found = model.transform(X)
    alone = codes(X, **settings)
    by_teacher = [
        neighbor_recall(c, c, V, V, exclude_self=True) for c in (found, alone)
    ]
    assert by_teacher[0] > by_teacher[1]
    assert neighbor_recall_scorer(model, X, V) == by_teacher[0]


def test_teacher_teaches_images_sparse_rows_and_data_sets():
    vectors = IMAGES.reshape(40, -1)[:, ::7].astype(float)
    flat = IMAGES.reshape(40, -1)
    images = encoder("y", max_epochs=1).fit(IMAGES, vectors)
    assert images.input_shape_ == (8, 8)
    assert encoder("y", max_epochs=1).fit(sp.csr_array(flat), vectors)
    given = encoder("y", max_epochs=2, batch_size=16, network="mlp")
    rows = X[:60]
    for by in (Pairs(rows, V), Pairs(rows, [None] * 60)):
        y = None if by.vectors is V else V[:60]
        one = clone(given).fit(by, y)
        np.testing.assert_array_equal(
            one.transform(rows), clone(given).fit(rows, V[:60]).transform(rows)
        )
        assert not hasattr(one.net_, "iterator_train__sampler")  # nor the graph
        assert one.partial_fit(by, y).n_iter_ == 3


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed.*is None"),
        (np.arange(240), r"shape \(n, d\).*has shape \(240,\)"),
        (["a"] * 240, "y"),
        (V[:100], "inconsistent numbers of samples"),
        (np.zeros((240, 0)), "0 feature"),
        (np.where(V > 5, np.nan, V), "y contains NaN"),
        (V.astype(float) * 1e200, "y contains infinity or a value too large"),
        (sp.csr_array(V), "TruncatedSVD"),
        (V[:, :, None], r"shape \(n, d\)"),
        (V.astype(complex), "omplex"),
        (np.ones((240, 2)), "all vectors are the same"),
    ],
    ids=str,
)
def test_what_is_no_teacher_is_refused(y, message):
    model = encoder("y")
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "net_")


def test_a_teacher_of_one_number_is_enough():
    assert encoder("y").fit(X, V[:, :1]).loss_.directions_.shape == (1, 1)


# Validation


@pytest.mark.parametrize("teacher", ["X", "y"])
def test_early_stopping_scores_recall_of_held_out_rows(teacher):
    y = V if teacher == "y" else None
    model = encoder(teacher, early_stopping=True, max_epochs=3).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    own = encoder(teacher, max_epochs=3).fit(
        X[:200], None if y is None else y[:200], X_val=X[200:], y_val=V[200:]
    )
    truth = V if teacher == "y" else X
    expected = neighbor_recall(
        own.transform(X[200:]), own.transform(X[:200]), truth[200:], truth[:200]
    )
    assert own.history_[-1]["valid_score"] == pytest.approx(expected)
    assert own.history_[-1]["valid_loss"] > 0
    assert all(0 < score <= 1 for score in scores)


def test_progress_names_the_score(capsys):
    encoder(early_stopping=True, verbose=1).fit(X)
    assert ", recall@10 0." in capsys.readouterr().out


def test_validation_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="y_val was given without X_val"):
        encoder("y").fit(X, V, y_val=V)
    with pytest.raises(ValueError, match="X_val was given without y_val"):
        encoder("y").fit(X, V, X_val=X)
    with pytest.raises(ValueError, match="y_val has 3 columns, but y has 9"):
        encoder("y").fit(X, V, X_val=X, y_val=V[:, :3])
    with pytest.raises(ValueError, match="X_val has 240 items, but y_val has 9"):
        encoder("y").fit(X, V, X_val=X, y_val=V[:9])
    with pytest.raises(ValueError, match="TruncatedSVD"):
        encoder().fit(X, X_val=sp.csr_array(X))


# Going on, searching, keeping


@pytest.mark.slow
def test_same_seed_same_codes_at_every_number_of_blas_threads():
    one, two = codes(X, batch_size=32), codes(X, batch_size=32)
    np.testing.assert_array_equal(one, two)
    assert (codes(X, batch_size=32, random_state=1) != one).any()


def test_partial_fit_draws_neighbours_among_the_rows_given():
    model = encoder(batch_size=32)
    for start in range(0, 240, 80):
        model.partial_fit(X[start : start + 80])
    assert model.n_iter_ == 3
    assert model.transform(X).shape == (240, 1)
    with pytest.raises(ValueError, match="learn from labels"):
        encoder().partial_fit(X, classes=[0, 1])
    taught = encoder("y").partial_fit(X, V)
    with pytest.raises(ValueError, match="vectors of 9"):
        taught.partial_fit(X, V[:, :4])
    assert taught.partial_fit(X[:100], V[:100]).n_iter_ == 2


def test_partial_fit_goes_on_with_one_kind_of_data():
    y = np.arange(240) % 6
    kinds = {
        "labels": ("dual_hinge", y),
        "X": (NeighborDistillation(), None),
        "y": (NeighborDistillation(teacher="y"), X),
    }
    for before, (loss, target) in kinds.items():
        model = encoder(loss=loss, max_epochs=1).fit(X, target)
        kept = model.embed(X)
        for after, (other, given) in kinds.items():
            model.set_params(loss=other)
            if after != before:
                with pytest.raises(ValueError, match="Go on with the same"):
                    model.partial_fit(X, given)
        np.testing.assert_array_equal(model.embed(X), kept)


def test_scorer_measures_encoders_of_labels_by_what_they_are_given():
    sets = np.eye(3, dtype=int)[np.arange(240) % 3]
    sets[::7] = 1
    for y in (np.arange(240) % 6, sets):
        model = encoder(loss="dual_hinge", max_epochs=1).fit(X, y)
        made = model.transform(X)
        expected = neighbor_recall(made, made, X, X, exclude_self=True)
        assert neighbor_recall_scorer(model, X, y) == expected
        assert neighbor_recall_scorer(model, X) == expected


def test_warm_start_goes_on():
    model = encoder(warm_start=True).fit(X).fit(X)
    assert model.n_iter_ == 8
    with pytest.raises(ValueError, match="warm_start"):
        model.set_params(n_bits=9).fit(X)


@pytest.mark.slow
def test_grid_search_by_recall_of_neighbours():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), encoder(max_epochs=20)),
        {"deephashencoder__n_bits": [2, 8]},
        scoring=neighbor_recall_scorer,
        cv=2,
        error_score="raise",
    ).fit(X)
    assert search.best_params_ == {"deephashencoder__n_bits": 8}
    taught = GridSearchCV(
        encoder("y", max_epochs=1),
        {"loss__smoothing": [0.0, 1.0]},
        scoring=neighbor_recall_scorer,
        cv=2,
        error_score="raise",
    ).fit(X, V)
    assert np.isfinite(taught.cv_results_["mean_test_score"]).all()


def test_loss_parameters_are_reached_by_name():
    model = DeepHashEncoder(8, loss="neighbor_distillation", max_epochs=1)
    model.set_params(loss__smoothing=0.25, n_jobs=1)
    assert model.fit(X).loss_.smoothing == 0.25


@pytest.mark.slow
def test_fitted_encoders_are_copied_and_pickled_without_their_data():
    short = {"batch_size": 32, "network": "linear", "max_epochs": 1}
    model = encoder(**short).fit(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.transform(X), model.transform(X))
    assert model.net_.sampler is None
    longer = encoder(**short).fit(np.tile(X, (20, 1)))
    sizes = [len(pickle.dumps(each)) for each in (model, longer)]
    assert sizes[1] < sizes[0] + 5000


def test_balanced_batches_need_classes():
    with pytest.raises(ValueError, match="balances classes"):
        encoder(balanced_batches=True).fit(X)


def test_a_loss_of_ones_own_gets_vectors():
    seen = []

    class Match(HashLoss):
        supervision = "vectors"

        def forward(self, z, y, sample_weight=None):
            seen.append((y.dtype, tuple(y.shape)))
            return (z[:, :2] - y[:, :2]).square().mean()

    model = DeepHashEncoder(4, loss=Match(), max_epochs=1, n_jobs=1, batch_size=64)
    model.fit(X, V.astype(np.float64))
    assert set(seen) == {(torch.float32, (64, 9))}
    assert get_tags(model).target_tags.required
    assert model.net_.module_.body[-1].__class__.__name__ == "ReLU"
