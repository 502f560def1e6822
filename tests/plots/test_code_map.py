"""Codes as points of a plane."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy.spatial.distance import pdist

from skhash.hamming import pack
from skhash.plots import CodeMapDisplay
from tests.plots.estimators import Packs, as_items

METHODS = ["mds", "tsne", "pca"]


def test_pca_of_two_bits_keeps_all_distances(rng):
    bits = rng.random((40, 2)) < 0.5
    display = CodeMapDisplay.from_codes(bits, method="pca")
    np.testing.assert_allclose(
        pdist(display.embedding, "sqeuclidean"),
        2 * pdist(bits, "hamming"),
        atol=1e-12,
    )


def test_mds_keeps_distances_that_fit_on_a_line():
    steps = np.arange(6)[:, None] > np.arange(5)
    display = CodeMapDisplay.from_codes(steps, method="mds")
    np.testing.assert_allclose(
        pdist(display.embedding), 5 * pdist(steps, "hamming"), atol=0.1
    )


def test_tsne_keeps_neighbours_together(retrieval):
    _, database, _, labels = retrieval
    display = CodeMapDisplay.from_codes(database, labels, method="tsne")
    apart = np.linalg.norm(display.embedding[:, None] - display.embedding, axis=2)
    same = labels[:, None] == labels
    assert apart[same].mean() < 0.6 * apart[~same].mean()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_is_the_same_each_time(method, retrieval):
    first, second = (
        CodeMapDisplay.from_codes(*retrieval[1::2], method=method, random_state=3)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.embedding, second.embedding)
    assert first.embedding.shape == (60, 2)


@pytest.mark.parametrize("method", METHODS)
def test_equal_codes_share_a_point(method, retrieval):
    bits = np.repeat(retrieval[1][:10], 3, axis=0)
    _, which = np.unique(bits, axis=0, return_inverse=True)
    display = CodeMapDisplay.from_codes(bits, method=method)
    for code in set(which.ravel()):
        places = display.embedding[which.ravel() == code]
        assert len(np.unique(places, axis=0)) == 1
    (points,) = display.points_
    counts = np.unique(display.embedding, axis=0, return_counts=True)[1]
    assert len(counts) == len(set(which.ravel()))
    area_of_one = points.get_sizes() / counts
    np.testing.assert_allclose(area_of_one, area_of_one[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_distinct", [1, 2, 3, 4])
def test_few_distinct_codes_have_a_map(method, n_distinct):
    bits = (np.arange(5)[:, None] > np.arange(4))[np.arange(20) % n_distinct]
    display = CodeMapDisplay.from_codes(bits, method=method)
    assert np.isfinite(display.embedding).all()
    assert len(np.unique(display.embedding, axis=0)) == n_distinct


@pytest.mark.parametrize("method", METHODS)
def test_one_bit_has_a_map(method):
    display = CodeMapDisplay.from_codes(np.eye(4, 1, dtype=bool), method=method)
    assert np.isfinite(display.embedding).all()


def test_classes_differ_in_mark_and_have_names(retrieval):
    names = np.array(["ant", "bee", "cat", "dog"])[retrieval[3]]
    display = CodeMapDisplay.from_codes(retrieval[1], names, method="pca")
    assert [p.get_label() for p in display.points_] == ["ant", "bee", "cat", "dog"]
    marks = {p.get_paths()[0].vertices.tobytes() for p in display.points_}
    assert len(marks) == 4
    assert len({tuple(p.get_facecolor()[0]) for p in display.points_}) == 4
    for points, name in zip(display.points_, sorted(set(names)), strict=True):
        wanted = {tuple(place) for place in display.embedding[names == name]}
        assert {tuple(place) for place in points.get_offsets().data} == wanted
        assert len(points.get_offsets()) == len(wanted)


def test_axes_have_units_where_they_mean_distances():
    labels = {
        method: CodeMapDisplay(np.eye(2), method=method).plot().ax_.get_xlabel()
        for method in METHODS
    }
    assert labels == {
        "mds": "MDS 1 (bits)",
        "tsne": "t-SNE 1",
        "pca": "principal axis 1",
    }


def test_draws_a_sample_of_many(retrieval):
    display = CodeMapDisplay.from_codes(*retrieval[1::2], method="pca", n_samples=20)
    assert display.embedding.shape == (20, 2)
    assert len(display.labels) == 20
    again = CodeMapDisplay.from_codes(
        *retrieval[1::2], method="pca", n_samples=20, random_state=1
    )
    assert not np.array_equal(display.labels, again.labels)


def test_many_points_become_an_image(rng):
    bits = rng.random((5001, 16)) < 0.5
    few = CodeMapDisplay.from_codes(bits, method="pca")
    many = CodeMapDisplay.from_codes(bits, method="pca", n_samples=5001)
    assert not few.points_[0].get_rasterized()
    assert many.points_[0].get_rasterized()


def test_from_estimator_equals_from_codes(retrieval):
    bits, labels = retrieval[1::2]
    of_codes = CodeMapDisplay.from_codes(pack(bits), labels, n_bits=12, method="pca")
    display = CodeMapDisplay.from_estimator(
        Packs().fit(bits), as_items(bits), labels, method="pca"
    )
    np.testing.assert_array_equal(display.embedding, of_codes.embedding)
    np.testing.assert_array_equal(display.labels, labels)


@pytest.mark.parametrize(
    ("codes", "labels", "options", "message"),
    [
        (np.eye(5, dtype=bool), [0, 1], {}, "inconsistent numbers of samples"),
        (np.eye(5, dtype=bool), np.eye(5), {}, "one class per item"),
        (np.eye(5, dtype=bool), None, {"method": "umap"}, "must be one of 'mds'"),
        (np.eye(5, dtype=bool), None, {"n_samples": 0}, "n_samples must be at least"),
        (np.eye(2, dtype=bool), None, {}, "needs 3 codes or more, got 2"),
    ],
)
def test_refuses_what_has_no_map(codes, labels, options, message):
    with pytest.raises(ValueError, match=message):
        CodeMapDisplay.from_codes(codes, labels, **options)
    assert not plt.get_fignums()
