"""Every public function that takes labels reads and refuses them by one rule."""

import inspect
import re

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import FunctionTransformer

from skhash import DeepHashEncoder, metrics, plots
from skhash.datasets import RetrievalSplit, UnseenClassSplit, published_split
from skhash.hamming import histograms, pack
from skhash.hamming.labels import check_labels
from skhash.neighbors import HammingNeighbors, HammingNeighborsClassifier

# One epoch is enough to see which labels are learnt from.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:More than 20 figures"
)
N = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6)).astype(np.float32)
CODES = pack(X > 0)
CLASSES = RNG.permutation(np.arange(N) % 3)
MEMBERS = np.eye(3, dtype=bool)[CLASSES] | (RNG.random((N, 3)) < 0.3)
SCALE = 255 * (X - X.min()) / np.ptp(X)


class Items(torch.utils.data.Dataset):
    """Items with labels of their own."""

    def __init__(self, y):
        self.y = y

    def __len__(self):
        return N

    def __getitem__(self, i):
        # Sparse arrays of scipy 1.13 have no single rows.
        return X[i], self.y[[i]] if sparse.issparse(self.y) else self.y[i]


def encoder(**parameters):
    parameters = {"n_bits": 8, "max_epochs": 1, "random_state": 0, **parameters}
    return DeepHashEncoder(**parameters)


def database(y):
    return HammingNeighbors().fit(CODES, y)


def draws(call):
    """What a display draws, as arrays; the figure is closed."""

    def numbers(y):
        display = call(y)
        import matplotlib.pyplot as plt

        plt.close(display.figure_)
        parts = {k: v for k, v in vars(display).items() if not k.endswith("_")}
        return [v for _, v in sorted(parts.items()) if not isinstance(v, str)]

    return numbers


TWICE = (CODES, CODES)


def leave_one_out(metric):
    return lambda y: metric(*TWICE, y, y)


def scored(scorer):
    return lambda y: scorer(FunctionTransformer(), X, y)


def drawn_of_codes(display, **options):
    return draws(lambda y: display.from_codes(*TWICE, y, y, **options))


def takes_labels(part):
    return (
        inspect.isfunction(part)
        and "query_labels" in inspect.signature(part).parameters
    )


PUBLIC = {name: getattr(metrics, name) for name in metrics.__all__}
IMAGES = SCALE.reshape(N, 2, 3).astype(np.uint8)
# By their signatures: no metric can be forgotten.
METRICS = {
    name: leave_one_out(part) for name, part in PUBLIC.items() if takes_labels(part)
}
SCORERS = {
    name: scored(part)
    for name, part in PUBLIC.items()
    if isinstance(part, metrics.scorer.RetrievalScorer)
    # The truth of this one are vectors: labels mean nothing to it.
    and not isinstance(part, metrics.scorer.NeighborScorer)
}
DISPLAYS = {
    "PrecisionRecallDisplay": drawn_of_codes(plots.PrecisionRecallDisplay),
    "PrecisionAtNDisplay": drawn_of_codes(plots.PrecisionAtNDisplay),
    "DistanceHistogramDisplay": drawn_of_codes(plots.DistanceHistogramDisplay),
    "LengthCurveDisplay": drawn_of_codes(plots.LengthCurveDisplay, lengths=[2, 6]),
    "RetrievalGridDisplay": drawn_of_codes(
        plots.RetrievalGridDisplay, query_images=IMAGES, database_images=IMAGES
    ),
}
SETS = {
    **METRICS,
    **SCORERS,
    **DISPLAYS,
    "from_estimator": draws(
        lambda y: plots.PrecisionRecallDisplay.from_estimator(
            FunctionTransformer(), X, y
        )
    ),
    "histograms": lambda y: histograms(*TWICE, y, y),
    "order_bits": lambda y: metrics.order_bits(CODES, y, n_bits=6),
    "scorer of a database": lambda y: metrics.mean_average_precision_scorer(
        database(MEMBERS if np.ndim(y[:1] if isinstance(y, list) else y) == 2
                 else CLASSES), CODES, y
    ),
    "macro_class": lambda y: metrics.precision_at_k(
        *TWICE, y, y, relevance=np.eye(N), average="macro_class"
    ),
    "neighbors fit and score": lambda y: database(y).score(CODES, y),
    "neighbors score": lambda y: database(MEMBERS).score(CODES, y),
    "neighbors add": lambda y: database(MEMBERS).add(CODES, y).score(CODES, MEMBERS),
    "RetrievalSplit": lambda y: RetrievalSplit(5, random_state=0).split(y),
    "UnseenClassSplit": lambda y: UnseenClassSplit(
        1, n_queries=1, random_state=0
    ).split(y),
    "fit": lambda y: encoder().fit(X, y).transform(X),
    "partial_fit": lambda y: encoder().partial_fit(X, y).transform(X),
    "fit on a Dataset with y": lambda y: encoder().fit(Items(y), y).embed(X),
}  # fmt: skip
ONE_AN_ITEM = {
    "published_split": lambda y: published_split("cifar10", y),
    "classifier fit": lambda y: HammingNeighborsClassifier().fit(CODES, y),
    "classifier score": lambda y: (
        HammingNeighborsClassifier().fit(CODES, CLASSES).score(CODES, y)
    ),
    "encoder score": lambda y: encoder().fit(X, CLASSES).score(X, y),
    "CodeMapDisplay": draws(
        lambda y: plots.CodeMapDisplay.from_codes(CODES, y, method="pca")
    ),
    "CodeMapDisplay itself": draws(lambda y: plots.CodeMapDisplay(X[:, :2], y).plot()),
}
# `-1/+1` needs a whole matrix to look at; so does anything one label at a time.
ITEM_BY_ITEM = {"fit on a Dataset": lambda y: encoder().fit(Items(y)).embed(X)}


def replaced(value, y=CLASSES):
    y = y.astype(object)
    y[5] = value
    return y


def nullable():
    return pytest.importorskip("pandas").Series(
        [*CLASSES[1:].tolist(), None], dtype="Int64"
    )


def with_nulls():
    return pytest.importorskip("polars").Series([*CLASSES[1:].tolist(), None])


LISTS = [np.flatnonzero(row).tolist() for row in MEMBERS]
BAD = {
    "1 and 2": lambda: MEMBERS + 1,
    "two class numbers": lambda: np.stack([CLASSES, CLASSES[::-1] + 1], axis=1),
    "soft": lambda: MEMBERS * 0.5 + 0.25,
    "counts": lambda: MEMBERS * 1 + MEMBERS[:, ::-1],
    "-1, 0 and 1": lambda: MEMBERS * 1 - MEMBERS[:, ::-1],
    "0 and 255": lambda: MEMBERS * np.uint8(255),
    "sparse counts": lambda: sparse.csr_array(MEMBERS * 2),
    "sparse -1": lambda: sparse.csr_array(MEMBERS * 1 - MEMBERS[:, ::-1]),
    "NaN in a row": lambda: np.where(MEMBERS, 1.0, np.nan),
    "None in a row": lambda: np.where(MEMBERS, 1, None),
    "strings in rows": lambda: np.where(MEMBERS, "1", "0"),
    "sets": lambda: list(map(set, LISTS)),
    "frozensets": lambda: list(map(frozenset, LISTS)),
    "ragged lists": lambda: LISTS,
    "joined": lambda: [",".join("abc"[i] for i in row) for row in LISTS],
    "None": lambda: replaced(None),
    "NaN": lambda: replaced(np.nan).astype(float),
    "NaN in objects": lambda: replaced(np.nan),
    "NaN beside strings": lambda: replaced(np.nan, np.array(list("abc"))[CLASSES]),
    "strings and a number": lambda: replaced(1, np.array(list("abc"))[CLASSES]),
    "a list of both": lambda: ["1", *CLASSES[1:].tolist()],
    "nullable": nullable,
    "polars nulls": with_nulls,
    "masked": lambda: np.ma.masked_array(CLASSES, np.arange(N) == 5),
    "masked rows": lambda: np.ma.masked_array(MEMBERS * 1, np.eye(N, 3)),
    "NaT": lambda: np.where(CLASSES == 1, np.datetime64("NaT"), np.datetime64("2020")),
}


def unnamed(error):
    return re.sub(r"\b(query_labels|database_labels|labels|y)\b", "LABELS", str(error))


ONLY_AS_A_WHOLE = {"sparse counts", "sparse -1", "masked", "masked rows"}
DOORS = {**SETS, **ONE_AN_ITEM, **ITEM_BY_ITEM}


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_with_the_same_words(door, bad):
    labels = BAD[bad]()
    if door == "fit on a Dataset" and bad in ONLY_AS_A_WHOLE:
        pytest.skip("masks and sparse rows are not looked at one by one")
    with pytest.raises(ValueError, match=r"\S") as expected:
        check_labels(labels)
    with pytest.raises(ValueError, match=r"\S") as error:
        DOORS[door](labels)
    assert unnamed(error.value) == unnamed(expected.value)


def assert_equal(first, second):
    if sparse.issparse(first):
        first, second = first.toarray(), second.toarray()
    if isinstance(first, metrics.RetrievalReport):
        first, second = first.scores, second.scores
    if isinstance(first, dict):
        assert first == second
    elif isinstance(first, list | tuple):
        for a, b in zip(first, second, strict=True):
            assert_equal(a, b)
    else:
        np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        lambda Y: np.where(Y, 1, -1),
        lambda Y: np.where(Y, 1.0, -1.0).tolist(),
        lambda Y: sparse.csr_array(np.where(Y, 1, -1)),
        lambda Y: sparse.csr_array(Y * 1),
    ],
    ids=["signs", "lists of signs", "sparse signs", "CSR"],
)
@pytest.mark.parametrize("door", SETS)
def test_signs_and_sparse_rows_mean_the_same_as_0_and_1(door, form):
    if door == "fit on a Dataset with y":
        assert_equal(encoder().fit(Items(CLASSES), form(MEMBERS)).embed(X),
                     encoder().fit(Items(CLASSES), MEMBERS * 1).embed(X))  # fmt: skip
        return
    assert_equal(SETS[door](form(MEMBERS)), SETS[door](MEMBERS * 1))


def test_signs_of_a_dataset_mean_the_same_too():
    signs = np.where(MEMBERS, 1, -1)
    assert_equal(
        encoder().fit(Items(signs)).embed(X), encoder().fit(Items(MEMBERS * 1)).embed(X)
    )
    tensors = torch.from_numpy(np.where(MEMBERS, 1.0, -1.0))
    assert_equal(
        encoder().fit(Items(tensors)).embed(X), encoder().fit(Items(signs)).embed(X)
    )


BIG = np.array([2**63, 2**63 + 1, 2**63 + 2], np.uint64)
FORMS = {
    "strings": np.array(["sea", "sky", "sun"]),
    "uint64": BIG,
    "beyond 64 bits": np.array([-(2**70), 2**70, 2**70 + 1], dtype=object),
    "across 2**63": np.array([-1, 2**63, 2**63 + 1], dtype=object),
    "dates": np.array(["2020", "2021", "2022"], "M8[D]"),
    "bytes": np.array([b"a", b"b", b"c"]),
}


@pytest.mark.parametrize("names", FORMS)
@pytest.mark.parametrize("container", [np.asarray, list], ids=["array", "list"])
def test_labels_of_any_value_score_alike_at_every_door(names, container):
    y = container(FORMS[names][CLASSES])
    for door in (*METRICS, "histograms", "neighbors fit and score", "RetrievalSplit"):
        assert_equal(SETS[door](y), SETS[door](CLASSES))


@pytest.mark.parametrize("names", FORMS)
def test_an_encoder_and_a_classifier_predict_labels_exactly(names):
    y = FORMS[names][CLASSES]
    model = encoder(loss="dcwh", max_epochs=10).fit(X, y)
    assert set(model.classes_.tolist()) == set(FORMS[names].tolist())
    assert set(model.predict(X).tolist()) <= set(FORMS[names].tolist())
    again = encoder().partial_fit(X[:9], y[:9], classes=list(FORMS[names]))
    again.partial_fit(X, y, classes=FORMS[names][::-1])
    assert again.classes_.tolist() == model.classes_.tolist()
    voter = HammingNeighborsClassifier(n_neighbors=1).fit(pack(np.eye(N) > 0), y)
    assert voter.predict(pack(np.eye(N) > 0)).tolist() == y.tolist()
    assert voter.score(pack(np.eye(N) > 0), list(y)) == 1


def test_query_labels_of_another_dtype_are_compared_exactly():
    near, far = np.array([5, 2**62 + 1]), np.array([5, 2**62], np.uint64)
    codes = np.array([[1], [1]], np.uint8)
    for first, second in ((near, far), (near.astype(object), far), (far, near)):
        n_relevant = histograms(codes, codes, first, second)[1]
        assert n_relevant[:, 0].tolist() == [1, 0]
    floats = np.array([5.0, 2.0**62])
    assert histograms(codes, codes, near, floats)[1][:, 0].tolist() == [1, 0]
    assert histograms(codes, codes, far, floats)[1][:, 0].tolist() == [1, 1]


def test_partial_fit_refuses_classes_of_another_kind_or_mixed():
    model = encoder().partial_fit(X, CLASSES)
    for classes in (["0", "1", "2"], [0, 1], [0, 1, 3]):
        with pytest.raises(ValueError, match="not the same as on last call"):
            model.partial_fit(X, CLASSES, classes=classes)
    with pytest.raises(ValueError, match="several kinds"):
        encoder().partial_fit(X, CLASSES, classes=[0, 1, "2"])
    with pytest.raises(ValueError, match="mix strings and numbers"):
        encoder().partial_fit(X, CLASSES.astype(str), classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\].*such as 2"):
        encoder().partial_fit(X, CLASSES, classes=[0, 1])


def test_several_labels_keep_the_names_of_their_classes():
    names = ["sun", "sea", "sky"]
    model = encoder().partial_fit(X, MEMBERS, classes=names)
    model.partial_fit(X, MEMBERS, classes=names)
    assert model.classes_.tolist() == names


# A database keeps the kind of its labels


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix, np.asarray])
def test_a_database_keeps_label_sets_and_grows(form):
    neighbors = HammingNeighbors().fit(CODES[:9], form(MEMBERS[:9] * 1))
    neighbors.add(CODES[9:15], sparse.csr_array(MEMBERS[9:15] * 1))
    neighbors.add(CODES[15:], np.where(MEMBERS, 1, -1)[15:].tolist()).remove([0, 3])
    labels, kept = neighbors.labels_, np.delete(np.arange(N), [0, 3])
    assert sparse.issparse(labels) == (form is not np.asarray)
    labels = labels.toarray() if sparse.issparse(labels) else labels
    np.testing.assert_array_equal(labels, MEMBERS[kept])
    expected = metrics.mean_average_precision(
        CODES, CODES[kept], MEMBERS, MEMBERS[kept]
    )
    assert neighbors.score(CODES, MEMBERS) == expected


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        (CLASSES, CLASSES.astype(str), "mix strings and numbers"),
        (CLASSES.astype(str), CLASSES, "mix numbers and strings"),
        (CLASSES, MEMBERS, "y and the labels of the database must be both vectors"),
        (MEMBERS, CLASSES, "both vectors"),
        (MEMBERS, MEMBERS[:, :2], r"equal width; got shapes \(24, 2\) and \(24, 3\)"),
        (sparse.csr_array(MEMBERS), MEMBERS[:, :2], "equal width"),
        (CLASSES, CLASSES[1:], "inconsistent numbers of samples"),
    ],
)
def test_labels_of_another_kind_are_not_added(labels, more, message):
    neighbors = database(labels)
    before = neighbors._database
    with pytest.raises(ValueError, match=message):
        neighbors.add(CODES, more)
    assert neighbors._database is before


def test_added_labels_stay_exact():
    neighbors = HammingNeighbors().fit(CODES[:2], [2**62 + 1, -5])
    neighbors.add(CODES[:1], np.array([2**63 + 1], np.uint64))
    assert neighbors.labels_.tolist() == [2**62 + 1, -5, 2**63 + 1]


# Labels that only a relevance function reads are its own business


def test_a_relevance_function_gets_labels_as_they_are():
    seen = {}

    def relevance(queries, items):
        seen["queries"], seen["items"] = queries, items
        return np.eye(3)

    def labels_seen(labels):
        codes = CODES[:3]
        metrics.mean_average_precision(
            codes, codes, labels, labels, relevance=relevance
        )
        return seen["items"]

    assert labels_seen([1, "b", None]).tolist() == [1, "b", None]
    assert labels_seen([{1}, {2, 3}, set()]).tolist() == [{1}, {2, 3}, set()]
    assert labels_seen([[1], [2, 3], []]).tolist() == [[1], [2, 3], []]
    assert labels_seen([2**63 + 1, -1, 2**70]).tolist() == [2**63 + 1, -1, 2**70]
    for labels in (np.ones((3, 2)) / 3, [[1], [2], [3]], [[3, 17], [5, 9], [2, 2]]):
        found = labels_seen(labels)
        assert found.dtype == np.asarray(labels).dtype
        np.testing.assert_array_equal(found, labels)


@pytest.mark.slow
def test_reports_compare_label_sets_by_what_they_mean():
    reports = [
        metrics.evaluate(*TWICE, labels, labels, k=5)
        for labels in (MEMBERS * 1, np.where(MEMBERS, 1, -1), sparse.csr_array(MEMBERS))
    ]
    for report in reports:
        kept = report.query_labels
        kept = kept.toarray() if sparse.issparse(kept) else kept
        np.testing.assert_array_equal(kept, MEMBERS)
        assert metrics.compare(reports[0], report).differences["mAP"].mean == 0


def test_unseen_classes_are_found_exactly():
    y = BIG[CLASSES]
    split = UnseenClassSplit([2**63 + 1], n_queries=1, random_state=0).split(y)
    assert set(y[split.train].tolist()) == {2**63, 2**63 + 2}
    with pytest.raises(ValueError, match="not classes of y"):
        UnseenClassSplit([2**63 + 3]).split(y)
    groups = [1, "b"] * (N // 2)
    with pytest.raises(ValueError, match="groups holds values of several kinds"):
        RetrievalSplit(5).split(y, groups=groups)
