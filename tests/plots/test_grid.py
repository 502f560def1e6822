"""Queries in front of their nearest images."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skhash.neighbors import HammingNeighbors
from skhash.plots import RetrievalGridDisplay
from tests.plots.estimators import Packs, as_items


@pytest.fixture
def images(rng):
    return rng.random((30, 4, 3)), rng.random((60, 4, 3))


def grid(retrieval, images, **options):
    return RetrievalGridDisplay.from_codes(
        *retrieval, query_images=images[0], database_images=images[1], **options
    )


def test_values_equal_a_stable_sort(retrieval, slow, images):
    display = grid(retrieval, images, rows=3, n_neighbors=7)
    for row in range(3):
        distance, relevant = slow[0][row], slow[1][row]
        order = sorted(range(60), key=lambda i: (distance[i], i))[:7]
        np.testing.assert_array_equal(display.distance[row], distance[order])
        np.testing.assert_array_equal(display.is_right[row], relevant[order])
        np.testing.assert_array_equal(display.neighbor_images[row], images[1][order])
    np.testing.assert_array_equal(display.query_images, images[0][:3])
    np.testing.assert_array_equal(display.query_names, retrieval[2][:3])


def test_draws_frames_that_differ_without_colour(retrieval, images):
    display = grid(retrieval, images, rows=4, n_neighbors=20)
    is_right = display.is_right.ravel()
    assert 0 < is_right.sum() < len(is_right)
    styles = np.array([frame.get_linestyle() == "-" for frame in display.frames_])
    dashed = [frame._unscaled_dash_pattern[1] is not None for frame in display.frames_]
    np.testing.assert_array_equal(np.array(dashed), ~is_right)
    assert styles[is_right].all()
    crosses = [line for line in display.ax_.get_lines() if line.get_marker() == "X"]
    assert len(crosses) == (~is_right).sum()
    assert len(display.images_) == 4 * 21
    shown = display.images_[1 + 3].get_array()
    np.testing.assert_array_equal(shown, display.neighbor_images[0, 3])


def test_writes_distances_and_names(retrieval, images):
    display = grid(retrieval, images, rows=[4, 2], n_neighbors=3)
    *written, _ = [text.get_text() for text in display.ax_.texts]
    assert written == [str(d) for d in display.distance.ravel()]
    names = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert names == [str(label) for label in retrieval[2][[4, 2]]]
    ranks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ranks == ["query", "1", "2", "3"]
    assert not display.plot(show_distance=False).ax_.texts


def test_leaves_the_query_out(retrieval, images):
    queries, _, y, _ = retrieval
    options = {"exclude_self": True, "rows": 30, "n_neighbors": 2}
    display = RetrievalGridDisplay.from_codes(
        queries, queries, y, y, query_images=images[0], **options
    )
    for query, found in zip(images[0], display.neighbor_images, strict=True):
        assert not (found == query).all(axis=(1, 2)).any()


def test_shows_no_more_than_there_is(retrieval, images):
    few = [side[:3] for side in retrieval]
    display = grid(few, [side[:3] for side in images], rows=99, n_neighbors=99)
    assert display.distance.shape == (3, 3)


@pytest.mark.slow
def test_names_several_labels(images):
    codes = np.eye(3, dtype=bool)
    labels = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    display = RetrievalGridDisplay.from_codes(
        codes, codes, labels, labels, query_images=images[0][:3], exclude_self=True
    )
    assert display.query_names.tolist() == ["0, 1", "1", "2"]
    np.testing.assert_array_equal(display.is_right, [[1, 0], [1, 0], [0, 0]])


def test_takes_any_relevance(retrieval, images):
    relevance = np.zeros((30, 60))
    relevance[1] = 1
    given = (*retrieval[:2], None, None)
    display = grid(given, images, relevance=relevance, rows=2)
    assert not display.is_right[0].any()
    assert display.is_right[1].all()
    assert display.query_names is None


@pytest.mark.parametrize(
    ("shape", "image_shape", "wanted"),
    [
        ((12,), (3, 4), (3, 4)),
        ((12,), (2, 2, 3), (2, 2, 3)),
        ((3, 4, 1), None, (3, 4)),
        ((3, 4, 3), None, (3, 4, 3)),
        ((3, 4, 4), None, (3, 4, 4)),
        ((3, 4), None, (3, 4)),
    ],
)
def test_takes_images_of_any_shape(shape, image_shape, wanted, retrieval, rng):
    images = rng.random((30, *shape)), rng.random((60, *shape))
    display = grid(retrieval, images, image_shape=image_shape, rows=2)
    assert display.query_images.shape == (2, *wanted)
    assert display.neighbor_images.shape == (2, 8, *wanted)
    np.testing.assert_array_equal(display.query_images.ravel(), images[0][:2].ravel())


@pytest.mark.parametrize(
    ("shape", "image_shape", "message"),
    [
        ((12,), None, r"are flat, of shape \(30, 12\).* image_shape"),
        ((12,), (3, 5), "12 values are not 15"),
        ((3, 4, 2), None, r"1, 3 or 4 channels last, got \(30, 3, 4, 2\)"),
        ((), None, r"must be of shape \(n, h, w\)"),
    ],
)
def test_refuses_what_is_no_image(shape, image_shape, message, retrieval):
    images = np.zeros((30, *shape)), np.zeros((60, *shape))
    with pytest.raises(ValueError, match=message):
        grid(retrieval, images, image_shape=image_shape)
    assert not plt.get_fignums()


def test_refuses_images_of_other_items(retrieval, images):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        grid(retrieval, (images[0][1:], images[1]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        grid(retrieval, (images[0], images[1][1:]))
    with pytest.raises(ValueError, match="database_images are missing"):
        grid(retrieval, (images[0], None))


@pytest.mark.parametrize("rows", [[30], [-1], [[1]], [0.5], []])
def test_refuses_rows_that_are_none(rows, retrieval, images):
    with pytest.raises(ValueError, match="rows must be"):
        grid(retrieval, images, rows=rows)


class TestFromEstimator:
    def test_equals_from_codes(self, retrieval):
        queries, database, y, y_database = retrieval
        items = as_items(queries), as_items(database)
        display = RetrievalGridDisplay.from_estimator(
            Packs().fit(items[0]), items[0], y, items[1], y_database, image_shape=(3, 4)
        )
        of_codes = grid(retrieval, items, image_shape=(3, 4))
        for name in ("query_images", "neighbor_images", "distance", "is_right"):
            np.testing.assert_array_equal(
                getattr(display, name), getattr(of_codes, name)
            )

    def test_leaves_one_out_without_a_database(self, retrieval, images):
        queries, _, y, _ = retrieval
        display = RetrievalGridDisplay.from_estimator(
            Packs().fit(queries), as_items(queries), y, query_images=images[0]
        )
        of_codes = RetrievalGridDisplay.from_codes(
            queries, queries, y, y, query_images=images[0], exclude_self=True
        )
        np.testing.assert_array_equal(display.distance, of_codes.distance)
        np.testing.assert_array_equal(display.neighbor_images, of_codes.neighbor_images)

    def test_needs_images_of_a_database_of_codes(self, retrieval, images):
        queries, database, y, y_database = retrieval
        pipeline = make_pipeline(Packs(), HammingNeighbors())
        pipeline.fit(as_items(database), y_database)
        given = as_items(queries), y
        with pytest.raises(ValueError, match=r"codes, not images.*database_images"):
            RetrievalGridDisplay.from_estimator(pipeline, *given, image_shape=(3, 4))
        display = RetrievalGridDisplay.from_estimator(
            pipeline, *given, query_images=images[0], database_images=images[1]
        )
        np.testing.assert_array_equal(
            display.neighbor_images, grid(retrieval, images).neighbor_images
        )
