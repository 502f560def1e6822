"""Databases, each asked in its own language, against all distances bit by bit."""

import json
from contextlib import closing

import numpy as np
import pytest

from skhash import HammingNeighbors
from skhash.export import (
    to_clickhouse,
    to_duckdb,
    to_lancedb,
    to_milvus,
    to_numpy,
    to_qdrant,
    to_sqlite_vec,
)
from skhash.hamming import unpack
from tests.export.samples import (
    CASES,
    QUERY,
    K,
    check,
    codes_of,
    database,
    digits,
    embeddings,
    engine,
    labels_of,
)


@CASES
@pytest.mark.parametrize("by_path", [False, True])
def test_duckdb(tmp_path, n_bits, ids, labels, by_path):
    duckdb = engine("duckdb")
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    path = str(tmp_path / "a.duckdb") if by_path else ":memory:"
    if by_path:
        to_duckdb(neighbors, path, table='od"d')
    with duckdb.connect(path) as connection:
        if not by_path:
            to_duckdb(neighbors, connection, table='od"d')
        found = connection.execute(
            'SELECT id, bit_count(xor(code, ?::BIT)) AS d FROM "od""d" '
            "ORDER BY d, id LIMIT ?",
            [digits(query, n_bits), K],
        ).fetchall()
        check(neighbors, found, query, n_bits)
        texts = connection.execute('SELECT id, code::VARCHAR FROM "od""d"').fetchall()
        if labels:
            of = connection.execute('SELECT id, label FROM "od""d"').fetchall()
            assert dict(of) == labels_of(neighbors)
    bits = [digits(code, n_bits) for code in neighbors.codes_]
    assert [text for _, text in texts] == bits


def test_duckdb_keeps_to_the_callers_transaction():
    duckdb = engine("duckdb")
    with duckdb.connect() as connection:
        connection.execute("BEGIN")
        to_duckdb(database(), connection)
        connection.execute("ROLLBACK")
        assert connection.execute("SHOW TABLES").fetchall() == []
        to_duckdb(database(), connection)
        with pytest.raises(duckdb.CatalogException, match="already exists"):
            to_duckdb(database(13), connection)
        count = connection.execute("SELECT count(*), max(bit_length(code)) FROM items")
        assert count.fetchall() == [(400, 64)]


@CASES
@pytest.mark.parametrize("by_path", [False, True])
def test_clickhouse(tmp_path, n_bits, ids, labels, by_path):
    chdb = engine("chdb")
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    with closing(chdb.connect(":memory:")) as connection:
        if by_path:
            path = tmp_path / "it's.bin"
            create, insert = to_clickhouse(neighbors, path).splitlines()
            connection.query(create)
            # The client's INFILE, in the words of ClickHouse in a process.
            names = create[create.index("(") : create.index(") ENGINE")]
            order = insert[insert.index("(") + 1 : insert.index(")")].split(", ")
            types = {n.split(" ")[0]: n for n in names[1:].split(", ")}
            structure = ", ".join(types[name] for name in order)
            connection.query(
                f"{insert[: insert.index(' FROM')]} SELECT * FROM "
                f"file('{str(path)!s}', RowBinary, '{structure}')".replace(
                    "it's", "it\\'s"
                )
            )
        else:
            to_clickhouse(neighbors, connection)
        rows = connection.query(
            "SELECT id, toInt64(bitHammingDistance(code, unhex("
            f"'{bytes(query).hex()}')::FixedString({len(query)}))) AS d "
            f"FROM items ORDER BY d, id LIMIT {K}",
            "JSONCompactEachRow",
        )
        check(neighbors, pairs_of(rows), query, n_bits)
        if labels:
            rows = connection.query("SELECT id, label FROM items", "JSONCompactEachRow")
            assert dict(pairs_of(rows)) == labels_of(neighbors)


def pairs_of(result):
    """Lines of JSON as pairs; ClickHouse may put large integers in strings."""
    pairs = [json.loads(line) for line in bytes(result.bytes()).splitlines()]
    return [(name, int(d) if str(d).isdigit() else d) for name, d in pairs]


def test_clickhouse_leaves_nothing_behind_after_an_error(monkeypatch):
    chdb = engine("chdb")
    with closing(chdb.connect(":memory:")) as connection:
        monkeypatch.setattr(
            "skhash.export._clickhouse._binary", lambda rows: iter([b"\0\0\0"])
        )
        with pytest.raises(RuntimeError):
            to_clickhouse(database(), connection)
        assert bytes(connection.query("SHOW TABLES").bytes()) == b""
        monkeypatch.undo()
        to_clickhouse(database(), connection)
        with pytest.raises(RuntimeError, match="already exists"):
            to_clickhouse(database(13), connection)
        assert bytes(connection.query("SELECT count() FROM items").bytes()) == b"400\n"


# Its last character would escape the quote behind it.
STRANGE = "it's\"x\\"


def test_clickhouse_writes_a_backslash_of_a_name_twice(tmp_path):
    sql = to_clickhouse(database(), tmp_path / "a.bin", table=STRANGE)
    create, insert = sql.splitlines()
    assert create.startswith('CREATE TABLE "it\'s""x\\\\" ("id" ')
    assert insert.startswith('INSERT INTO "it\'s""x\\\\" ("id"')


def test_clickhouse_makes_tables_of_any_name(monkeypatch):
    chdb = engine("chdb")
    with closing(chdb.connect(":memory:")) as connection:
        to_clickhouse(database(), connection, table=STRANGE)
        shown = bytes(connection.query("SHOW TABLES", "JSONCompactEachRow").bytes())
        assert json.loads(shown) == [STRANGE]
        count = r'SELECT count() FROM "it\'s""x\\"'
        assert bytes(connection.query(count).bytes()) == b"400\n"
        connection.query(count.replace("SELECT count() FROM", "DROP TABLE"))
        monkeypatch.setattr(
            "skhash.export._clickhouse._binary", lambda rows: iter([b"\0\0\0"])
        )
        with pytest.raises(RuntimeError):
            to_clickhouse(database(), connection, table=STRANGE)
        assert bytes(connection.query("SHOW TABLES").bytes()) == b""


def opened():
    """A connection of apsw with sqlite-vec."""
    apsw, vec = engine("apsw"), engine("sqlite_vec")
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(vec.loadable_path())
    return connection


@CASES
def test_sqlite_vec(n_bits, ids, labels):
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    with closing(opened()) as connection:
        to_sqlite_vec(neighbors, connection, table='od"d')
        found = connection.execute(
            'SELECT id, distance FROM "od""d" WHERE code MATCH vec_bit(?) AND k = ?',
            [bytes(query), K],
        ).fetchall()
        check(neighbors, found, query, n_bits)
        codes = dict(connection.execute('SELECT id, code FROM "od""d"').fetchall())
        if labels:
            of = connection.execute('SELECT id, label FROM "od""d"').fetchall()
            assert dict(of) == labels_of(neighbors)
    ids = range(400) if neighbors.ids_ is None else neighbors.ids_.tolist()
    assert codes == dict(zip(ids, map(bytes, neighbors.codes_), strict=True))


def test_sqlite_vec_by_path_and_factors(tmp_path):
    apsw, vec = engine("apsw"), engine("sqlite_vec")
    neighbors, _ = embeddings()
    to_sqlite_vec(neighbors, tmp_path / "a.db")
    with closing(apsw.Connection(str(tmp_path / "a.db"))) as connection:
        connection.enable_load_extension(True)
        connection.load_extension(vec.loadable_path())
        found = connection.execute("SELECT id, slope, intercept FROM items").fetchall()
    assert_factors(neighbors, found)


def assert_factors(neighbors, found):
    """Hold rows of id, slope and intercept to the estimator's."""
    arrays = to_numpy(neighbors)
    columns = list(zip(*sorted(found), strict=True))
    for name, column in zip(("id", "slope", "intercept"), columns, strict=True):
        np.testing.assert_allclose(column, arrays[name], 1e-6)


def test_sqlite_vec_writes_all_or_nothing():
    apsw = engine("apsw")
    with closing(opened()) as connection:
        connection.execute("BEGIN")
        to_sqlite_vec(database(), connection, table="kept")
        with pytest.raises(apsw.SQLError, match="exists"):
            to_sqlite_vec(database(13), connection, table="kept")
        bad = HammingNeighbors().fit([[1], [2]], ids=["a", "b\0c"])
        real = connection.executemany

        class Failing:
            """A connection that is lost in the middle."""

            execute = connection.execute

            def executemany(self, *arguments):
                real(*arguments)
                raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            to_sqlite_vec(bad, Failing(), table="lost")
        connection.execute("COMMIT")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%vec0%'"
        ).fetchall()
        assert tables == [("kept",)]
        assert connection.execute("SELECT count(*) FROM kept").fetchall() == [(400,)]


@CASES
@pytest.mark.parametrize("by_path", [False, True])
def test_lancedb(tmp_path, n_bits, ids, labels, by_path):
    lancedb = engine("lancedb")
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    connection = lancedb.connect(str(tmp_path))
    table = to_lancedb(neighbors, tmp_path if by_path else connection, table="a")
    found = (
        connection.open_table("a")
        .search(query, vector_column_name="code")
        .distance_type("hamming")
        .limit(K)
        .to_list()
    )
    pairs = [(row["id"], row["_distance"]) for row in found]
    check(neighbors, pairs, query, n_bits)
    if labels:
        rows = table.to_arrow().to_pylist()
        assert {row["id"]: row["label"] for row in rows} == labels_of(neighbors)
    with pytest.raises(ValueError, match="already exists"):
        to_lancedb(neighbors, connection, table="a")


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    """A client of Milvus in a file."""
    pymilvus = engine("pymilvus")
    engine("milvus_lite")
    client = pymilvus.MilvusClient(str(tmp_path_factory.mktemp("milvus") / "a.db"))
    yield client
    client.close()


@CASES
def test_milvus(milvus, n_bits, ids, labels):
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    name = f"items_{n_bits}"
    to_milvus(neighbors, milvus, collection=name)
    found = milvus.search(name, [bytes(query)], anns_field="code", limit=K)
    pairs = [(hit["id"], hit["distance"]) for hit in found[0]]
    check(neighbors, pairs, query, n_bits)
    if labels:
        rows = milvus.query(name, filter="", limit=400, output_fields=["id", "label"])
        assert {row["id"]: row["label"] for row in rows} == labels_of(neighbors)
    with pytest.raises(ValueError, match="already: name another"):
        to_milvus(neighbors, milvus, collection=name)
    assert milvus.has_collection(name)


def test_milvus_leaves_nothing_behind_after_an_error(milvus, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("gone")

    monkeypatch.setattr(type(milvus), "insert", fail)
    with pytest.raises(OSError, match="gone"):
        to_milvus(database(), milvus, collection="lost")
    assert not milvus.has_collection("lost")


@CASES
def test_qdrant(n_bits, ids, labels):
    qdrant = engine("qdrant_client")
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    signs = np.where(unpack(query[None], n_bits)[0], 1.0, -1.0).tolist()
    with closing(qdrant.QdrantClient(":memory:")) as client:
        to_qdrant(neighbors, client)
        found = client.query_points("items", query=signs, limit=K).points
        pairs = [(p.payload["id"], (n_bits - p.score) / 2) for p in found]
        check(neighbors, pairs, query, n_bits)
        if ids != "strings":
            assert [p.id for p in found] == [p.payload["id"] for p in found]
        if labels:
            points, _ = client.scroll("items", limit=400)
            of = {p.payload["id"]: p.payload["label"] for p in points}
            assert of == labels_of(neighbors)
        with pytest.raises(ValueError, match="already: name another"):
            to_qdrant(neighbors, client)
        assert client.count("items").count == 400


def test_qdrant_leaves_nothing_behind_after_an_error(monkeypatch):
    qdrant = engine("qdrant_client")
    with closing(qdrant.QdrantClient(":memory:")) as client:
        monkeypatch.setattr(client, "upsert", None)
        with pytest.raises(TypeError):
            to_qdrant(database(), client)
        assert not client.collection_exists("items")


def test_codes_alone_are_enough():
    duckdb = engine("duckdb")
    codes = codes_of(13)
    with duckdb.connect() as connection:
        to_duckdb(codes, connection, n_bits=13)
        found = connection.execute("SELECT * FROM items WHERE id = 7").fetchall()
    assert found == [(7, digits(codes[7], 13))]
