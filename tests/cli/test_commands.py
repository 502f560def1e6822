"""What each command does, held against the library."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import skhash
from skhash import DeepHashEncoder, HammingNeighbors
from skhash.baselines import RandomHyperplanes
from skhash.cli import main
from skhash.cli._commands import duplicates
from skhash.datasets import read_images
from skhash.metrics import evaluate, neighbor_recall
from tests.cli.conftest import objects, table

Image = pytest.importorskip("PIL.Image")


def hamming_distances(a, b):
    """Bits that differ, of all pairs."""
    return np.unpackbits(a[:, None] ^ b[None], axis=2).sum(axis=2)


@pytest.mark.slow
def test_fit_learns_what_the_encoder_learns(run, npz, vectors, tmp_path):
    X, y, _ = vectors
    out = tmp_path / "model.skhash"
    options = ("--bits", 8, "--epochs", 2, "--seed", 3, "--loss", "hashnet", "-q")
    assert run("fit", npz, "--key", "X", "--label", "y", "-o", out, *options) == ""
    wanted = DeepHashEncoder(8, loss="hashnet", max_epochs=2, random_state=3).fit(X, y)
    model = skhash.load(out)
    np.testing.assert_array_equal(model.transform(X), wanted.transform(X))
    assert model.verbose == 0


@pytest.mark.slow
def test_fit_without_labels_keeps_near_vectors_near(tmp_path, capsys):
    X, out = load_digits().data[:300].astype(np.float32), tmp_path / "model.skhash"
    np.save(tmp_path / "X.npy", X)
    command = ("fit", tmp_path / "X.npy", "-o", out, "--bits", 16, "--epochs", 1)
    assert main(list(map(str, command))) == 0
    assert "trained 1 epoch in" in capsys.readouterr().err
    learned = skhash.load(out).transform(X)
    drawn = RandomHyperplanes(16, random_state=0).fit(X).transform(X)
    recall = [
        neighbor_recall(codes, codes, X, X, k=10, exclude_self=True)
        for codes in (learned, drawn)
    ]
    assert recall[0] > 1.5 * recall[1]  # about twice


@pytest.mark.slow
def test_from_photos_to_the_photos_most_alike(run, photos, tmp_path, capsys):
    model, database = tmp_path / "model.skhash", tmp_path / "database.skhash"
    run("fit", photos, "-o", model, "--bits", 8, "--epochs", 2, "--size", "16x18")
    assert skhash.load(model).input_shape_ == (16, 18, 3)
    run("encode", model, photos, "-o", database)
    encoder, neighbors = [step for _, step in skhash.load(database).steps]
    files = sorted(photos.glob("*/*.png"))
    X = read_images(files, size=(16, 18)).data
    np.testing.assert_array_equal(neighbors.codes_, encoder.transform(X))
    assert neighbors.labels_.tolist() == ["left"] * 4 + ["right"] * 4
    found = table(run("search", database, files[5], "-k", 2, "--format", "csv"))
    distances, names = neighbors.kneighbors(encoder.transform(X[5:6]), 2)
    assert [row["id"] for row in found] == names[0].tolist()
    assert [int(row["distance"]) for row in found] == distances[0].tolist()
    assert [row["query"] for row in found] == [str(files[5])] * 2
    told = objects(run("evaluate", database, photos, "-k", 3, "--format", "jsonl"))
    labels = neighbors.labels_
    wanted = evaluate(neighbors.codes_, neighbors.codes_, labels, labels, k=3, n_bits=8)
    assert told[0]["scores"] == wanted.to_dict()["scores"]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".csv", ".npy"])
def test_codes_are_written_and_searched_in_every_form(
    run, npz, signs, vectors, tmp_path, suffix
):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    X, _, ids = vectors
    out = tmp_path / f"codes{suffix}"
    reading = ("--key", "X", "--id", "ids")
    run("encode", signs, npz, *reading, "--label", "y", "-o", out)
    codes = skhash.load(signs).transform(X)
    how = ("--model", signs, *reading, "-k", 60, "--format", "csv")
    found = table(run("search", out, npz, *how))
    assert len(found) == 60 * 60
    rows = {name: row for row, name in enumerate(ids.tolist())}
    distances = hamming_distances(codes, codes)
    for each in found:
        row = int(each["id"]) if suffix == ".npy" else rows[each["id"]]
        assert int(each["distance"]) == distances[rows[each["query"]], row]
    as_codes = table(run("search", out, out, "--codes", "-k", 60, "--format", "csv"))
    assert [e["distance"] for e in as_codes] == [e["distance"] for e in found]
    if suffix != ".npy":
        told = objects(run("evaluate", out, "-k", 5, "--format", "jsonl"))[0]
        y = vectors[1]
        wanted = evaluate(codes, codes, y, y, k=5, exclude_self=True)
        assert told["scores"] == wanted.to_dict()["scores"]


def test_parquet_of_codes_is_as_other_programs_read_it(
    run, npz, signs, vectors, tmp_path
):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "codes.parquet"
    run("encode", signs, npz, "--key", "X", "--id", "ids", "-o", out)
    written = parquet.read_table(out)
    codes = skhash.load(signs).transform(vectors[0])
    assert written.column("id").to_pylist() == vectors[2].tolist()
    assert written.column("code").to_pylist() == [row.tobytes() for row in codes]
    assert written.schema.metadata == {b"n_bits": b"16", b"ids": b"given"}


@pytest.mark.slow
def test_search_within_a_radius_and_of_vectors(run, npz, vectors, tmp_path):
    X, _, ids = vectors
    path = tmp_path / "vectors.skhash"
    skhash.save(skhash.EmbeddingNeighbors().fit(X, ids=ids), path)
    how = ("--key", "X", "--format", "csv")
    found = table(run("search", path, npz, *how, "--radius", 6))
    d = np.linalg.norm(X[:, None].astype(float) - X[None], axis=2)
    wanted = {(str(i), ids[j]) for i, j in np.argwhere(d <= 6)}
    assert {(row["query"], row["id"]) for row in found} == wanted
    some = int(found[0]["query"]), ids.tolist().index(found[0]["id"])
    assert float(found[0]["distance"]) == pytest.approx(d[some], abs=1e-4)
    nearest = table(run("search", path, npz, *how, "-k", 1))
    assert [row["id"] for row in nearest] == ids.tolist()


def groups_by_hand(codes, radius):
    """Connected groups of several rows, by a walk from each row."""
    near = hamming_distances(codes, codes) <= radius
    left, found = set(range(len(codes))), []
    while left:
        group, ahead = set(), {min(left)}
        while ahead:
            group |= ahead
            ahead = {int(j) for i in ahead for j in np.flatnonzero(near[i])} - group
        left -= group
        if len(group) > 1:
            found.append(sorted(group))
    return found


@pytest.mark.slow
def test_duplicates_among_photos_are_found_without_a_model(run, photos, pixels, capsys):
    name = "left/2.png"
    picture = Image.fromarray(pixels[name])
    picture.resize((48, 40)).save(photos / "copy.jpg", quality=70)
    found = objects(run("duplicates", photos, "--format", "jsonl"))
    copies = [row["group"] for row in found if row["id"] in ("copy.jpg", name)]
    assert len(copies) == 2
    assert copies[0] == copies[1]


@pytest.mark.parametrize("radius", [0, 2, 4])
def test_duplicates_among_vectors_are_the_groups_of_near_codes(
    run, npz, signs, vectors, radius
):
    codes = skhash.load(signs).transform(vectors[0])
    how = ("--key", "X", "--radius", radius, "--format", "jsonl")
    for more in ((), ("--model", signs)):
        found = objects(run("duplicates", npz, *how, *more))
        groups = {}
        for row in found:
            groups.setdefault(row["group"], []).append(row["id"])
        assert list(groups.values()) == groups_by_hand(codes, radius)
    pairs = objects(run("duplicates", npz, *how, "--pairs"))
    distances = hamming_distances(codes, codes)
    assert {(p["left"], p["right"], p["distance"]) for p in pairs} == {
        (i, j, distances[i, j])
        for i, j in np.argwhere(distances <= radius).tolist()
        if i < j
    }


@pytest.mark.parametrize("held", [0, 7, 1 << 20])
def test_groups_do_not_depend_on_how_many_pairs_are_held(held, monkeypatch):
    monkeypatch.setattr("skhash.cli._commands.duplicates._HELD", held)
    rng = np.random.default_rng(0)
    n = 30
    left, right = rng.integers(0, n, (2, 60))
    parts = [(left[i : i + 4], right[i : i + 4], None) for i in range(0, 60, 4)]
    for some in (parts[:4], parts, parts * 300, []):
        graph = np.eye(n, dtype=bool)
        for one, other, _ in some[:15]:
            graph[one, other] = graph[other, one] = True
        reached = np.linalg.matrix_power(graph.astype(float), n) > 0
        wanted = {tuple(np.flatnonzero(row).tolist()) for row in reached}
        wanted = sorted(list(group) for group in wanted if len(group) > 1)
        assert duplicates._groups(iter(some), n) == wanted


def test_duplicates_hold_few_pairs(monkeypatch):
    monkeypatch.setattr("skhash.cli._commands.duplicates._HELD", 1000)
    most, joined = [], duplicates._joined

    def watched(group, pairs):
        most.append(sum(len(left) for left, _ in pairs))
        return joined(group, pairs)

    monkeypatch.setattr(duplicates, "_joined", watched)
    one = np.zeros(100, int), np.arange(100), None
    assert duplicates._groups(iter([one] * 500), 100) == [list(range(100))]
    assert max(most) <= 1100
    assert sum(most) == 50_000


def test_duplicates_of_a_database_of_codes(run, tmp_path):
    path = tmp_path / "codes.skhash"
    codes = np.array([[0], [255], [1], [254]], np.uint8)
    skhash.save(HammingNeighbors().fit(codes, ids=["w", "x", "y", "z"]), path)
    shown = run("duplicates", path, "--radius", 1)
    assert shown.split() == ["group", "id", *("1", "w", "1", "y", "2", "x", "2", "z")]
    assert run("duplicates", path, "--radius", 0) == ""


def test_evaluate_writes_the_page_and_prints_the_report(
    run, npz, signs, vectors, tmp_path
):
    page = tmp_path / "report.html"
    reading = ("--key", "X", "--label", "y")
    shown = run("evaluate", npz, npz, "--model", signs, *reading, "--html", page)
    assert shown.startswith("Retrieval report\n")
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "60 queries against 60 items, codes of 2 bytes" in text
    codes, y = skhash.load(signs).transform(vectors[0]), vectors[1]
    given = evaluate(codes, codes, y, y)
    assert f"{given.scores['mAP'][0]:.4f}" in shown
    # Without queries no item finds itself.
    rows = table(run("evaluate", npz, "--model", signs, *reading, "--format", "csv"))
    wanted = evaluate(codes, codes, y, y, exclude_self=True).scores
    assert [row["metric"] for row in rows] == list(wanted)
    for row in rows:
        found = [float(row[name]) for name in ("mean", "low", "high")]
        np.testing.assert_allclose(found, wanted[row["metric"]])
    assert wanted["mAP"] != given.scores["mAP"]


def test_info_says_what_is_in_a_file(run, signs):
    told = {row["what"]: row["value"] for row in objects(run_info(run, signs))}
    assert told["estimator"] == "RotatedSigns"
    assert told["  random_state"] == 0
    assert told["bytes"] == signs.stat().st_size
    assert told["written by skhash"] == skhash.__version__
    assert "verified" not in told
    assert "verified" in run("info", signs, "--verify")
    assert "mean_" in run("info", signs, "--arrays")


def run_info(run, path):
    return run("info", path, "--format", "jsonl")
