"""Every warning points to the line of the user, however deep it arises."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import (
    ConvergenceWarning,
    DataConversionWarning,
    UndefinedMetricWarning,
)
from sklearn.pipeline import make_pipeline

import skhash.metrics
from skhash import DeepHashEncoder, HammingNeighbors, HammingNeighborsClassifier
from skhash.datasets import load_image_folder
from skhash.losses import CSQ, DTSH
from skhash.plots import PrecisionRecallDisplay

SOURCE = Path(skhash.__file__).parent
CODES = np.arange(8, dtype=np.uint8).reshape(-1, 1)
# Class 9 has no item in the database.
QUERY_LABELS, LABELS = [0, 9], [0, 0, 0, 0, 1, 1, 1, 1]
TASK = (CODES[:2], CODES, QUERY_LABELS, LABELS)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 8)) * 100
Y = np.arange(64) % 2
MEANS = [
    *("mean_average_precision", "average_precision", "mean_average_precision_at_r"),
    *("precision_at_k", "recall_at_k", "hit_rate_at_k", "mean_reciprocal_rank"),
    *("r_precision", "ndcg"),
]


def encoder(**params):
    return DeepHashEncoder(4, max_epochs=2, random_state=0, network="linear", **params)


def scored_by_estimator():
    neighbors = HammingNeighbors().fit(CODES, LABELS)
    neighbors.score(CODES[:2], QUERY_LABELS)


def scored_by_scorer():
    neighbors = HammingNeighbors().fit(CODES, LABELS)
    skhash.metrics.mean_average_precision_scorer(neighbors, CODES[:2], QUERY_LABELS)


def drawn():
    PrecisionRecallDisplay.from_codes(*TASK)


def diverging():
    encoder(lr=1e30).fit(X, Y)


def diverging_in_a_pipeline():
    make_pipeline("passthrough", encoder(lr=1e30)).fit(X, Y)


def in_other_units():
    encoder().fit(X, Y).transform(X / 255)


def columns_of_labels():
    encoder().fit(X, Y[:, None])


def columns_of_votes():
    HammingNeighborsClassifier().fit(CODES, np.array(LABELS)[:, None])


def features_as_codes():
    HammingNeighbors().fit(load_digits().data.astype(np.uint8))


def codes_that_classes_share():
    CSQ(targets="balanced").setup(1, torch.tensor([0, 1]))


def too_strong_quantization():
    DTSH().setup(1, torch.tensor([0, 1]))


CASES = [
    (scored_by_estimator, UndefinedMetricWarning),
    (scored_by_scorer, UndefinedMetricWarning),
    (drawn, UndefinedMetricWarning),
    (diverging, ConvergenceWarning),
    (diverging_in_a_pipeline, ConvergenceWarning),
    (in_other_units, UserWarning),
    (columns_of_labels, DataConversionWarning),
    (columns_of_votes, DataConversionWarning),
    (features_as_codes, UserWarning),
    (codes_that_classes_share, UserWarning),
    (too_strong_quantization, UserWarning),
]


def places_of(call, category):
    """Files that the warnings of a category point to."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return {w.filename for w in caught if issubclass(w.category, category)}


@pytest.mark.parametrize(
    ("call", "category"), CASES, ids=[call.__name__ for call, _ in CASES]
)
def test_a_warning_points_here(call, category):
    assert places_of(call, category) == {__file__}


@pytest.mark.parametrize("name", MEANS)
def test_a_warning_of_a_metric_points_here(name):
    metric = getattr(skhash.metrics, name)
    assert places_of(lambda: metric(*TASK), UndefinedMetricWarning) == {__file__}


def test_a_warning_of_a_reader_points_here(tmp_path):
    image = pytest.importorskip("PIL.Image").new("L", (2, 2))
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    image.save(tmp_path / "full" / "a.png")
    call = lambda: load_image_folder(tmp_path, mode="L")
    assert places_of(call, UserWarning) == {__file__}


def test_nothing_in_skhash_counts_frames_itself():
    own = [file for file in SOURCE.rglob("*.py") if file != SOURCE / "warn.py"]
    assert len(own) > 100
    assert not [
        file.name for file in own if "warnings.warn(" in file.read_text("utf-8")
    ]
