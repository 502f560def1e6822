"""ONNX files give the codes of `transform`, by the runtime that others use."""

import logging
import random
import sys
import warnings
from itertools import cycle, islice

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from torch import nn

from skhash import DeepHashEncoder, HammingNeighbors, baselines
from skhash.export import to_onnx
from skhash.losses import LOSSES
from skhash.networks import wrap
from tests.export.agreement import count_unlike

# Trained for a moment, a bit may be the same for all items.
pytestmark = pytest.mark.filterwarnings("ignore:.* of .* bits never change")

RNG = np.random.default_rng(0)
Y = np.arange(300) % 3
FEATURES = RNG.normal(size=(300, 12)) + 2 * RNG.normal(size=(3, 12))[Y] + 5
IMAGES = (RNG.integers(0, 156, (300, 12, 10, 3)) + 33 * Y[:, None, None, None]).astype(
    np.uint8
)


def session_of(estimator, path, **options):
    """The runtime's session of the file that an estimator makes."""
    to_onnx(estimator, path, **options)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(session, X):
    """The codes of X."""
    return session.run(["codes"], {"X": X})[0]


def fitted(X=FEATURES, n_bits=12, **options):
    """An encoder of few steps."""
    options = {"max_epochs": 1, "random_state": 0, **options}
    return DeepHashEncoder(n_bits, **options).fit(X, Y)


@pytest.fixture(scope="module")
def encoder():
    return fitted(FEATURES.astype(np.float32))


def assert_alike(estimator, path, X, **options):
    """Codes of one item, of some and of all are those of `transform`."""
    session = session_of(estimator, path, **options)
    for rows in (slice(1), slice(3, 8), slice(None)):
        unlike, near_zero = count_unlike(run(session, X[rows]), estimator, X[rows])
        assert unlike == 0
        assert near_zero <= 1  # none is expected


HOLED = np.where(
    np.random.default_rng(1).random(FEATURES.shape) < 0.1, np.nan, FEATURES
)
BEFORE = {
    "nothing": (),
    "standard": (StandardScaler(),),
    "min-max": (MinMaxScaler(clip=True),),
    "max-abs": (MaxAbsScaler(),),
    "robust": (RobustScaler(),),
    "l1": (Normalizer("l1"),),
    "l2": (Normalizer("l2"),),
    "max": (Normalizer("max"),),
    "holes": (SimpleImputer(add_indicator=True), StandardScaler(), PCA(5, whiten=True)),
    "svd": (SimpleImputer(), TruncatedSVD(5, random_state=0)),
}
# An export takes two seconds, so each loss, each step and each number of bits comes in
# one at least, but not in all combinations.
BITS, DTYPES = [12, 7, 64, 130, 1, 8], ["float32", "float64"]
N = max(len(LOSSES), len(BEFORE))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "before", "n_bits", "dtype"),
    list(islice(zip(*map(cycle, (LOSSES, BEFORE, BITS, DTYPES)), strict=False), N)),
)
def test_encoder_of_every_loss_after_every_step(loss, before, n_bits, dtype, tmp_path):
    encoder = DeepHashEncoder(n_bits, loss=loss, max_epochs=1, random_state=0)
    model = make_pipeline(*BEFORE[before], encoder) if BEFORE[before] else encoder
    X = HOLED if before in ("holes", "svd") else FEATURES
    X = X.astype(dtype)
    assert_alike(model.fit(X, Y), tmp_path / "a.onnx", X, dtype=dtype)


class OwnBody(nn.Module):
    """Has what tracing may stumble over: a length, and work in place."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x.mul_(1 / 64)
        return torch.relu(self.conv(x)).view(len(x), -1)


NETS = {
    "colour": (IMAGES, {"network": "convnet"}, "uint8"),
    "channels first": (IMAGES.transpose(0, 3, 1, 2), {}, "uint8"),
    "flat": (
        IMAGES.reshape(300, -1),
        {"input_shape": (12, 10, 3), "network": "residual"},
        "uint8",
    ),
    "grey": (IMAGES[..., 0] / np.float32(255), {"normalize_z": True}, "float32"),
    "own": (IMAGES, {"network": wrap(OwnBody(), raw=True)}, "uint8"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_network(name, tmp_path):
    X, options, dtype = NETS[name]
    model = fitted(X, **options)
    shape = (len(X), *model.input_shape_)
    assert_alike(model, tmp_path / "a.onnx", X.reshape(shape), dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RotatedSigns", "SignThreshold", "SpectralHashing"])
def test_shallow_method(name, tmp_path):
    model = getattr(baselines, name)(12)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    assert_alike(model.fit(FEATURES, Y), tmp_path / "a.onnx", FEATURES, dtype="float64")


@pytest.mark.slow
def test_nested_frozen_and_skipped_steps(tmp_path):
    scaler = FrozenEstimator(StandardScaler().fit(FEATURES))
    inner = Pipeline([("nothing", "passthrough"), ("scale", scaler), ("pca", PCA(8))])
    model = make_pipeline(inner, None, baselines.ITQ(8, random_state=0)).fit(FEATURES)
    path = tmp_path / "a.onnx"
    assert_alike(model, path, FEATURES, dtype="float64")
    told = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert told["classes"] == "StandardScaler, PCA, ITQ"
    assert "loss" not in told


@pytest.fixture(scope="module")
def file(encoder, tmp_path_factory):
    """A file of the encoder, with z."""
    path = tmp_path_factory.mktemp("onnx") / "encoder.onnx"
    to_onnx(encoder, path, embedding=True)
    return path


@pytest.mark.slow
def test_file_says_what_it_is(encoder, file):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    assert model.producer_name == "skhash"
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 18)]
    assert model.ir_version == 10
    assert {each.key: each.value for each in model.metadata_props} == {
        "skhash_version": model.producer_version,
        "classes": "DeepHashEncoder",
        "n_bits": "12",
        "loss": "DualHinge",
    }
    assert b"skhash/" not in file.read_bytes()  # nor where it is installed


@pytest.fixture(scope="module")
def session(file):
    """The session of that file."""
    return onnxruntime.InferenceSession(file)


def test_inputs_and_outputs_are_named_and_of_any_number(session):
    (given,), (codes, z) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("X", ["n", 12], "tensor(float)")
    assert (codes.name, codes.shape, codes.type) == ("codes", ["n", 2], "tensor(uint8)")
    assert (z.name, z.shape, z.type) == ("z", ["n", 12], "tensor(float)")


@pytest.mark.slow
@given(st.integers(1, 300), st.floats(-3, 3, width=32))
def test_codes_and_z_of_any_batch(encoder, session, n, shift):
    X = FEATURES[:n].astype(np.float32) + np.float32(shift)
    codes, z = session.run(None, {"X": X})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that items are unlike those of the fit
        expected = encoder.embed(X)
        assert count_unlike(codes, encoder, X) == (0, 0)
    np.testing.assert_allclose(z, expected, atol=1e-5 * np.abs(expected).max())


def test_no_items_have_no_codes(session):
    assert run(session, np.empty((0, 12), np.float32)).shape == (0, 2)


@pytest.mark.slow
def test_same_model_makes_the_same_file_and_nothing_else(
    encoder, file, tmp_path, capfd, caplog
):
    X = FEATURES.astype(np.float32)
    before, level = encoder.transform(X), logging.getLogger("torch").level
    drawn = torch.get_rng_state(), random.getstate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.output = "signs"  # which makes no difference
        to_onnx(encoder, str(tmp_path / "a.onnx"), embedding=True)
        encoder.output = "packed"
    assert (tmp_path / "a.onnx").read_bytes() == file.read_bytes()
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    assert capfd.readouterr() == ("", "")
    assert not [each for each in caplog.records if each.levelno >= logging.INFO]
    assert logging.getLogger("torch").level == level
    np.testing.assert_array_equal(encoder.transform(X), before)
    assert all(p.requires_grad for p in encoder.net_.module_.parameters())
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


class Scaler(StandardScaler):
    """Not of scikit-learn, whatever it is made of."""


ITQ = baselines.ITQ(4)
REFUSED = {
    "TfidfVectorizer (the step 'tfidfvectorizer')": make_pipeline(
        TfidfVectorizer(), ITQ
    ),
    "KernelPCA (the step 'kernelpca')": make_pipeline(
        StandardScaler(), KernelPCA(), ITQ
    ),
    "Scaler (the step 'scaler')": make_pipeline(Scaler(), ITQ),
    "FunctionTransformer (the step 'a')": Pipeline(
        [("a", FunctionTransformer()), ("b", ITQ)]
    ),
    "StandardScaler": StandardScaler(),
    "KMeans": KMeans(),
    "HammingNeighbors": HammingNeighbors(),
    "ITQ (the step 'itq-1')": make_pipeline(ITQ, ITQ),
    "A pipeline without steps": make_pipeline("passthrough"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exported_is_refused_by_name(name, tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(b"old")
    with pytest.raises(TypeError) as caught:
        to_onnx(REFUSED[name], path)
    assert str(caught.value).startswith(f"{name} cannot be exported")
    assert "DeepHashEncoder, ITQ, " in str(caught.value)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_imputer_of_words_is_refused(tmp_path):
    words = np.array([["a", 1.0], ["b", 2.0], [None, 3.0]], dtype=object)
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent").fit(words)
    model = Pipeline([("fill", imputer), ("codes", baselines.SignThreshold())])
    model[-1].fit(FEATURES[:, :2])
    with pytest.raises(TypeError, match=r"missing_values=None.*dtype object"):
        to_onnx(model, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


class ByValue(nn.Module):
    """Does what depends on values."""

    def forward(self, x):
        return x if x.sum() > 1e9 else 2 * x


class Singular(nn.Module):
    """Does what ONNX has no operation for."""

    def forward(self, x):
        return torch.linalg.svdvals(x.reshape(-1, 3, 4))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ByValue(), "torch.export cannot trace this DeepHashEncoder.*data-dependent"),
        (Singular(), "DeepHashEncoder cannot be put into an ONNX graph.*svd"),
    ],
)
def test_networks_that_are_no_graph_are_refused(body, message, tmp_path, capfd):
    model = fitted(network=body)
    capfd.readouterr()
    with pytest.raises(ValueError, match=message):
        to_onnx(model, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_weights_of_more_than_a_file_holds_are_refused(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("skhash.export._onnx._MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"weights take 0.0 GB.*to_torch"):
        to_onnx(encoder, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_places_and_dtypes_that_do_not_exist_are_refused_first(encoder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nowhere'"):
        to_onnx(encoder, tmp_path / "nowhere" / "a.onnx")
    with pytest.raises(ValueError, match=r"dtype='int8' is not one of \['float32'"):
        to_onnx(encoder, tmp_path / "a.onnx", dtype="int8")
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(StandardScaler(), DeepHashEncoder()), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_missing_package_is_named_with_its_extra(
    package, encoder, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=r'onnx and onnxscript: pip .*skhash\[export\]"'
    ):
        to_onnx(encoder, tmp_path / "a.onnx")
