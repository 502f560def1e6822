"""Shallow codes, codes without labels, and databases of vectors."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skhash import DeepHashEncoder, EmbeddingNeighbors, baselines, load, save
from skhash.losses import NeighborDistillation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = (RNG.normal(size=(120, 8)) @ RNG.normal(size=(8, 8)) + 2).astype(np.float32)
Y = np.arange(120) % 3
QUERIES = X[:9] + 0.1


@pytest.mark.parametrize("output", ["packed", "embedding"])
@pytest.mark.parametrize("name", baselines.__all__)
def test_shallow_codes(again, name, output):
    n_bits = 8 if name == "SignThreshold" else 6
    model = getattr(baselines, name)(n_bits, output=output)
    if "random_state" in model.get_params():
        model.set_params(random_state=np.random.RandomState(0))
        model.fit(X, Y)
        with pytest.warns(UserWarning, match=r"^random_state: no plain values"):
            loaded = again(model)
        assert loaded.random_state is None
    else:
        loaded = again(model.fit(X, Y))
    np.testing.assert_array_equal(loaded.transform(QUERIES), model.transform(QUERIES))
    np.testing.assert_array_equal(loaded.embed(QUERIES), model.embed(QUERIES))
    names = [each.get_feature_names_out().tolist() for each in (loaded, model)]
    assert names[0] == names[1]
    assert repr(again(clone(loaded))) == repr(clone(loaded))


@pytest.mark.parametrize("rotation", ["hadamard", "orthogonal"])
@pytest.mark.parametrize("n_bits", [None, 3, 20])
def test_rotations(again, n_bits, rotation):
    model = baselines.RotatedSigns(n_bits, rotation=rotation, random_state=3).fit(X)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.embed(QUERIES), model.embed(QUERIES))
    np.testing.assert_array_equal(loaded.components_, model.components_)
    if n_bits != 3:
        more = loaded.partial_fit(X + 1), model.partial_fit(X + 1)
        np.testing.assert_array_equal(*(each.embed(QUERIES) for each in more))


@pytest.mark.parametrize("network", ["auto", "linear"])
def test_codes_without_labels(again, network):
    model = DeepHashEncoder(
        6, loss="neighbor_distillation", network=network, max_epochs=2, random_state=0
    ).fit(X)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))
    assert not hasattr(loaded, "classes_")
    for _ in range(2):
        more = loaded.partial_fit(X), model.partial_fit(X)
        np.testing.assert_array_equal(*(each.embed(X) for each in more))
        loaded = again(loaded)


def test_codes_taught_by_other_vectors(again):
    loss = NeighborDistillation(teacher="y", smoothing=0.2)
    model = DeepHashEncoder(6, loss=loss, max_epochs=2, random_state=0)
    loaded = again(model.fit(X, X[:, :3]))
    np.testing.assert_array_equal(loaded.embed(X), model.embed(X))
    more = loaded.partial_fit(X, X[:, :3]), model.partial_fit(X, X[:, :3])
    np.testing.assert_array_equal(*(each.embed(X) for each in more))


def same(one, other):
    """Two databases give the same answers."""
    for ask in (
        lambda m: m.kneighbors(QUERIES, 4),
        lambda m: m.radius_neighbors(QUERIES[:2], 4.0),
        lambda m: (m.codes_, m.ids_, m.labels_, m.encode(QUERIES)),
    ):
        for a, b in zip(ask(one), ask(other), strict=True):
            for left, right in zip(np.atleast_1d(a), np.atleast_1d(b), strict=True):
                np.testing.assert_array_equal(left, right)
    assert repr(one) == repr(other)


ENCODERS = {
    "none": None,
    "rotations": baselines.RotatedSigns(16, rotation="orthogonal", random_state=0),
    "fewer": baselines.RotatedSigns(4, random_state=0),
    "ITQ": baselines.ITQ(6, random_state=0),
    "a pipeline": make_pipeline(PCA(5), baselines.PCAHashing(5)),
    "a deep one": DeepHashEncoder(6, max_epochs=2, random_state=0),
    "frozen": FrozenEstimator(baselines.PCAHashing(6).fit(X)),
}


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("vectors", ["keep", "float16", "int8", None])
def test_databases_of_vectors(again, encoder, vectors):
    model = EmbeddingNeighbors(encoder, vectors=vectors, metric="euclidean")
    model.fit(X, Y, ids=[f"id {i}" for i in range(120)])
    loaded = again(model)
    same(loaded, model)
    frozen = isinstance(encoder, FrozenEstimator)  # one object, kept once
    assert (loaded.encoder_ is loaded.encoder) == frozen
    for each in (loaded, model):
        each.add(X[:5] + 1, Y[:5], ids=list("abcde")).remove(["id 3", "a"])
    same(loaded, model)
    for each in (loaded, model):
        each.add(X[:1] + 2, Y[:1], ids=["f"])
    same(again(loaded), model)


@pytest.mark.parametrize("metric", ["cosine", "inner_product"])
@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int16])
def test_metrics_and_dtypes(again, metric, dtype):
    rows = np.round(10 * X).astype(dtype)
    model = EmbeddingNeighbors(metric=metric).fit(rows)
    loaded = again(model)
    found = [each.kneighbors(rows[:9]) for each in (loaded, model)]
    np.testing.assert_array_equal(*(each[0] for each in found))
    np.testing.assert_array_equal(*(each[1] for each in found))
    assert loaded.info() == model.info()


@pytest.mark.slow
def test_large_vectors_are_mapped(tmp_path):
    rows = RNG.normal(size=(80_000, 64)).astype(np.float32)
    model = EmbeddingNeighbors().fit(rows)
    save(model, tmp_path / "a")
    loaded = load(tmp_path / "a", verify=True)
    base = loaded._database.vectors.stored.base
    assert isinstance(base, np.memmap)
    found = [each.kneighbors(rows[:5]) for each in (loaded, model)]
    np.testing.assert_array_equal(*(each[0] for each in found))
    np.testing.assert_array_equal(*(each[1] for each in found))
    loaded.add(rows[:1] + 1).remove([5])
    save(loaded, tmp_path / "a")
    np.testing.assert_array_equal(load(tmp_path / "a").codes_, loaded.codes_)
