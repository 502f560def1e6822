"""A small fitted estimator of every class that a file may hold, and how to ask it."""

import functools
import warnings

import numpy as np
import torch
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from torch import nn

from skhash import (
    DeepHashEncoder,
    EmbeddingNeighbors,
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
    baselines,
)
from skhash.losses import LOSSES, HashLoss
from skhash.networks import convnet, mlp, residual

RNG = np.random.default_rng(0)
Y = np.arange(40) % 3
X = np.round(RNG.normal(size=(40, 4)) + 3 * RNG.normal(size=(3, 4))[Y], 2)
NAMES = np.array(["a", "bé", "c"])[Y]
HOLES = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
IMAGES = RNG.integers(0, 256, size=(40, 8, 8), dtype=np.uint8)
CODES = RNG.integers(0, 8, size=(40, 2), dtype=np.uint8)
SETS = RNG.random((40, 3)) < 0.5
TEXTS = [f"word{i % 5} and word{i % 7}" for i in range(40)]


class Body(nn.Module):
    """A network that is not of skhash."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(x).tanh()


class Centred(HashLoss):
    """A loss that is not of skhash."""

    def __init__(self, weight=0.5):
        super().__init__()
        self.weight = weight

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y)
        self.centres_ = nn.Parameter(torch.randn(3, n_bits, generator=generator))
        return self

    def forward(self, z, y):
        return self.weight * (z - self.centres_[y]).square().mean()


CUSTOM = {"Body": Body(), "Centred": Centred}


def encoder(n_bits=6, *, network="linear", **params):
    return DeepHashEncoder(
        n_bits,
        network=network,
        **{"max_epochs": 1, "batch_size": 20, "random_state": 0, **params},
    )


def trained_on(model):
    """An encoder whose optimiser has a state."""
    return model.partial_fit(X, NAMES).partial_fit(X, NAMES)


MADE = {
    **{
        f"encoder_{loss}": (lambda loss=loss: encoder(4, loss=loss).fit(X, NAMES), X)
        for loss in LOSSES
    },
    "encoder_trained_on": (lambda: trained_on(encoder()), X),
    "encoder_sets": (lambda: encoder().fit(X, SETS), X),
    "encoder_mlp": (
        lambda: encoder(
            network=functools.partial(mlp, hidden=(5,), dropout=0.1), output="signs"
        ).fit(X, Y),
        X,
    ),
    "encoder_convnet": (
        lambda: encoder(network=functools.partial(convnet, width=4, hidden=4)).fit(
            IMAGES, Y
        ),
        IMAGES,
    ),
    "encoder_custom": (
        lambda: encoder(network=Body(), loss=Centred()).fit(X, Y),
        X,
    ),
    "encoder_residual": (
        lambda: encoder(
            loss="neighbor_distillation",
            network=functools.partial(residual, hidden=(5,)),
        ).fit(X),
        X,
    ),
    **{
        f"baseline_{name}": (
            lambda name=name: getattr(baselines, name)(4, output="bits").fit(X, Y),
            X,
        )
        for name in baselines.__all__
    },
    "baseline_orthogonal": (
        lambda: baselines.RotatedSigns(6, rotation="orthogonal", random_state=0).fit(X),
        X,
    ),
    "embeddings": (lambda: EmbeddingNeighbors().fit(X, NAMES, ids=range(40)), X),
    "embeddings_bytes": (
        lambda: EmbeddingNeighbors(
            FrozenEstimator(encoder().fit(X, Y)), vectors="int8", metric="cosine"
        ).fit(X),
        X,
    ),
    "embeddings_halves": (
        lambda: (
            EmbeddingNeighbors(
                baselines.RotatedSigns(8, random_state=0),
                vectors="float16",
                metric="inner_product",
            )
            .fit(X[:30])
            .add(X[30:])
        ),
        X,
    ),
    "embeddings_estimates": (
        lambda: EmbeddingNeighbors(baselines.ITQ(3), vectors=None).fit(X),
        X,
    ),
    "neighbors": (
        lambda: HammingNeighbors(3).fit(
            CODES, SETS, ids=[f"id {i}" for i in range(40)]
        ),
        CODES,
    ),
    "neighbors_grouped": (
        lambda: HammingNeighbors(3, algorithm="grouped").fit(CODES, ids=range(40)),
        CODES,
    ),
    "neighbors_pivot": (
        lambda: HammingNeighbors(3, algorithm="pivot").fit(CODES),
        CODES,
    ),
    "classifier": (lambda: HammingNeighborsClassifier(3).fit(CODES, NAMES), CODES),
    "transformer": (lambda: HammingNeighborsTransformer(radius=2).fit(CODES), CODES),
    "scalers": (
        lambda: make_pipeline(
            SimpleImputer(add_indicator=True),
            FeatureUnion(
                [
                    ("standard", StandardScaler()),
                    ("least and most", MinMaxScaler()),
                    ("most", MaxAbsScaler()),
                    ("robust", RobustScaler()),
                    ("length", FrozenEstimator(Normalizer().fit(np.zeros((1, 8))))),
                    ("parts", PCA(2)),
                    ("all", "passthrough"),
                ]
            ),
        ).fit(HOLES),
        HOLES,
    ),
    "texts": (
        lambda: make_pipeline(
            TfidfVectorizer(stop_words="english"), TruncatedSVD(2, random_state=0)
        ).fit(TEXTS),
        TEXTS,
    ),
    "pipeline": (
        lambda: make_pipeline(StandardScaler(), encoder(), HammingNeighbors(3)).fit(
            X, NAMES
        ),
        X,
    ),
}


def made(name):
    """The fitted estimator of a name, and items to ask it about."""
    make, items = MADE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(), items


def answer(model, items):
    """What an estimator says of some items, as an array of numbers or text."""
    if hasattr(model, "embed"):
        return model.embed(items)
    if hasattr(model, "predict"):
        return model.predict(items)
    if hasattr(model, "kneighbors"):
        return model.kneighbors(items[:9], n_neighbors=3)[1]
    if hasattr(model, "score"):  # a pipeline that ends with a search
        return model[-1].kneighbors(model[:-1].transform(items))[1]
    found = model.transform(items)
    return found.toarray() if hasattr(found, "toarray") else found
