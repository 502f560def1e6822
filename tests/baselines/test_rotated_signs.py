"""RotatedSigns: rotations against matrices, codes of few and many bits, odd input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard
from sklearn.base import clone
from sklearn.decomposition import PCA

from skhash.baselines import RotatedSigns
from skhash.baselines._rotation import draw_hadamard, draw_matrix

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 12)) * np.linspace(1, 3, 12) + 4


def by_matrices(rows, signs):
    """The Hadamard rotation as products of float64 matrices."""
    d = rows.shape[1]
    size = 2 ** int(np.log2(d))
    blocks = [np.arange(size)] if size == d else [np.arange(size), np.arange(-size, 0)]
    for sign in signs:
        rows = rows * sign
        for block in blocks:
            rows[:, block] = rows[:, block] @ hadamard(size) / np.sqrt(size)
    return rows


@given(d=st.integers(1, 70), seed=st.integers(0, 5))
def test_hadamard_rotation_is_its_matrices(d, seed):
    rotate = draw_hadamard(d, np.random.RandomState(seed))
    rows = np.random.default_rng(seed).normal(size=(3, d))
    expected = by_matrices(rows, rotate.signs)
    np.testing.assert_allclose(rotate(rows), expected, atol=2e-6)


@pytest.mark.parametrize("draw", [draw_hadamard, draw_matrix])
@pytest.mark.parametrize("d", [1, 2, 3, 64, 100])
def test_rotations_are_orthogonal(draw, d):
    matrix = draw(d, np.random.RandomState(0))(np.eye(d))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(d), atol=1e-6)


@pytest.mark.parametrize("d", [64, 100])
def test_hadamard_rotation_spreads_every_feature(d):
    matrix = draw_hadamard(d, np.random.RandomState(0))(np.eye(d))
    # Of a column drawn evenly, an entry is rarely above 5 / sqrt(d).
    assert np.abs(matrix).max() < 5 / np.sqrt(d)


@pytest.mark.parametrize("n_bits", [None, 12, 24, 31, 5])
def test_z_is_the_product_with_components(n_bits):
    found = RotatedSigns(n_bits, random_state=0).fit(X)
    expected = (X - found.mean_) @ found.components_.T
    np.testing.assert_allclose(found.embed(X), expected, atol=1e-5)
    np.testing.assert_array_equal(
        np.unpackbits(found.transform(X), axis=1, count=found.n_bits_),
        found.embed(X) > 0,
    )


def test_rotation_keeps_norms():
    z = RotatedSigns(random_state=0).fit(X).embed(X)
    norms = np.linalg.norm(X - X.mean(axis=0), axis=1)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), norms, rtol=1e-5)


def test_products_of_several_rotations_are_those_of_the_features():
    z = RotatedSigns(36, random_state=0).fit(X).embed(X).astype(float)
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(z @ z.T, centred @ centred.T, atol=1e-3)


@pytest.mark.slow
def test_products_of_a_rotation_in_part_are_right_on_average():
    centred = X - X.mean(axis=0)
    products = []
    for seed in range(300):
        z = RotatedSigns(17, random_state=seed).fit(X).embed(X[:9]).astype(float)
        products.append(z @ z.T)
    mean, exact = np.mean(products, axis=0), centred[:9] @ centred[:9].T
    error = np.std(products, axis=0) / np.sqrt(300)
    assert (np.abs(mean - exact) < 5 * error + 1e-4).all()


def test_fewer_bits_rotate_the_principal_components():
    found = RotatedSigns(5, random_state=0).fit(X)
    components = PCA(5).fit(X)
    kept, z = components.transform(X), found.embed(X).astype(float)
    np.testing.assert_allclose(z @ z.T, kept @ kept.T, atol=1e-3)
    turned = found.components_ @ components.components_.T
    np.testing.assert_allclose(turned @ turned.T, np.eye(5), atol=1e-6)


@pytest.mark.parametrize("n_bits", [None, 40])
def test_a_row_does_not_depend_on_the_others(n_bits):
    wide = RNG.normal(size=(3000, 100)).astype(np.float32)
    found = RotatedSigns(n_bits, random_state=1).fit(wide[:, : n_bits or 100])
    rows = wide[:, : n_bits or 100]
    together = found.embed(rows)
    alone = np.vstack([found.embed(rows[i : i + 1]) for i in range(0, 3000, 97)])
    np.testing.assert_array_equal(together[::97], alone)


def test_codes_of_a_seed_are_the_same_everywhere():
    rows = np.sqrt(np.arange(60).reshape(5, 12) * 7919 % 101)
    codes = RotatedSigns(20, random_state=0).fit(rows).transform(rows)
    assert codes.tolist() == [
        [66, 66, 0],
        [45, 196, 96],
        [184, 189, 224],
        [157, 62, 224],
        [246, 243, 144],
    ]


@pytest.mark.parametrize("rotation", ["hadamard", "orthogonal"])
def test_seeds_draw_other_rotations(rotation):
    make = RotatedSigns(rotation=rotation, output="embedding", random_state=0)
    first = make.fit_transform(X)
    np.testing.assert_array_equal(first, clone(make).fit_transform(X))
    other = make.set_params(random_state=1).fit_transform(X)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("n_bits", [None, 20])
def test_parts_give_the_mean_and_the_codes_of_all(n_bits):
    whole = RotatedSigns(n_bits, random_state=0).fit(X)
    parts = RotatedSigns(n_bits, random_state=0)
    for rows in (X[:1], X[1:20], X[20:]):
        parts.partial_fit(rows)
    assert parts.n_samples_seen_ == whole.n_samples_seen_ == 60
    np.testing.assert_allclose(parts.mean_, whole.mean_)
    np.testing.assert_allclose(parts.embed(X), whole.embed(X), atol=1e-6)


def test_parts_are_refused_where_principal_components_are_needed():
    with pytest.raises(ValueError, match=r"n_bits=5 of n_features=12 .* use fit"):
        RotatedSigns(5).partial_fit(X)


def test_one_feature_and_constant_ones():
    one = RotatedSigns(random_state=0).fit(X[:, :1])
    np.testing.assert_allclose(
        np.abs(one.embed(X[:, :1])), np.abs(X - X.mean(0))[:, :1]
    )
    constant = X.copy()
    constant[:, 3:] = 7
    z = RotatedSigns(random_state=0).fit_transform(constant)
    assert len(np.unique(z, axis=0)) > 1
    same = RotatedSigns(random_state=0, output="embedding")
    assert not same.fit_transform(np.full((4, 9), 0.1)).any()


@pytest.mark.parametrize("dtype", ["float16", "float32", "int16"])
def test_other_dtypes_are_read_as_numbers(dtype):
    given = (10 * X).astype(dtype)
    found = RotatedSigns(random_state=0).fit(given)
    expected = RotatedSigns(random_state=0).fit(given.astype(np.float64))
    np.testing.assert_array_equal(found.embed(given), expected.embed(given))


def test_tensors_are_taken():
    torch = pytest.importorskip("torch")
    given = torch.tensor(X, dtype=torch.bfloat16)
    found = RotatedSigns(random_state=0).fit(given)
    as_array = given.float().numpy()
    expected = RotatedSigns(random_state=0).fit(as_array)
    np.testing.assert_array_equal(found.embed(given), expected.embed(as_array))


def test_components_need_a_fit():
    assert not hasattr(RotatedSigns(), "components_")
