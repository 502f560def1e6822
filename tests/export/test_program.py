"""Programs of torch.export give the codes of `transform`."""

import io
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder, baselines
from skhash.export import to_torch
from tests.export.agreement import count_unlike

# Trained for a moment, a bit may be the same for all items.
pytestmark = pytest.mark.filterwarnings("ignore:.* of .* bits never change")

Y = np.arange(200) % 4
X = np.random.default_rng(0).normal(size=(200, 9)) + Y[:, None]
IMAGES = np.random.default_rng(0).integers(0, 200, (200, 8, 9), np.uint8)


def reloaded(program):
    """The program, as it comes from a file, as a function."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own
        torch.export.save(program, file)
        file.seek(0)
        return torch.export.load(file).module()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("X", "dtype", "before", "network"),
    [
        (X.astype(np.float32), "float32", (), "mlp"),
        (X, "float64", (StandardScaler(),), "linear"),
        (IMAGES, "uint8", (), "convnet"),
    ],
)
def test_program_goes_from_items_to_codes(X, dtype, before, network):
    encoder = DeepHashEncoder(11, network=network, max_epochs=1, random_state=0)
    model = make_pipeline(*before, encoder) if before else encoder
    program = reloaded(to_torch(model.fit(X, Y), dtype=dtype, embedding=True))
    for rows in (slice(1), slice(5, 7), slice(None)):
        codes, z = program(torch.from_numpy(X[rows]))
        assert count_unlike(codes.numpy(), model, X[rows]) == (0, 0)
        assert (z.shape, z.dtype) == ((len(codes), 11), torch.float32)


def test_program_of_a_shallow_method_is_quiet(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = to_torch(baselines.ITQ(9, random_state=0).fit(X), dtype="float64")
    codes = program.module()(torch.from_numpy(X))
    np.testing.assert_array_equal(
        codes.numpy(), baselines.ITQ(9, random_state=0).fit_transform(X)
    )
    assert capfd.readouterr() == ("", "")


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"^TfidfVectorizer \(the step 'tfidf"):
        to_torch(make_pipeline(TfidfVectorizer(), baselines.ITQ(4)))
    with pytest.raises(NotFittedError):
        to_torch(baselines.ITQ(4))
    with pytest.raises(ValueError, match=r"dtype='int64' is not one of"):
        to_torch(baselines.ITQ(4).fit(X), dtype="int64")
