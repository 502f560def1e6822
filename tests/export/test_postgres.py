"""PostgreSQL: pgvector's own operator in WebAssembly, and COPY through psycopg."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from skhash import HammingNeighbors
from skhash.export import to_numpy, to_pgvector
from tests.export.samples import (
    CASES,
    QUERY,
    K,
    check,
    database,
    digits,
    embeddings,
    engine,
)

# Loads a file by COPY, then asks by `<~>`: exactly, and through an index.
SCRIPT = """
import { readFileSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
const tasks = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
const db = await PGlite.create({ extensions: { vector } });
await db.exec("CREATE EXTENSION vector;");
for (const task of tasks) {
  await db.exec(task.create);
  const blob = new Blob([readFileSync(task.file)]);
  await db.query(task.copy, [], { blob });
  const [rows, , index] = [await db.query(task.rows), await db.exec(task.index),
    await db.query(task.query)];
  answers.push({ exact: (await db.query(task.exact)).rows, rows: rows.rows,
    index: index.rows });
  await db.exec('DROP TABLE "od""d"; RESET enable_seqscan;');
}
await db.close();
console.log(JSON.stringify(answers));
"""


def modules():
    """The folder of the packages of npm, or skip, but for `make test-exports`."""
    folder = os.environ.get("SKHASH_NODE_MODULES", "")
    there = Path(folder, "@electric-sql", "pglite-pgvector").is_dir()
    if os.environ.get("SKHASH_TEST_ENGINES"):
        assert folder, "SKHASH_NODE_MODULES names no folder"
        assert there, f"{folder} lacks pglite-pgvector"
        assert shutil.which("node"), "node is not installed"
    elif not (folder and there and shutil.which("node")):
        pytest.skip("PGlite is not installed (make test-exports)")
    return Path(folder)


def task(neighbors, folder, n_bits, format):
    """What the script is to do with an export."""
    path = folder / f"{n_bits} {format}.copy"
    sql = to_pgvector(neighbors, path, table='od"d', format=format)
    create, copy = sql.splitlines()
    start, form = copy.split(f"'{path}'")
    near = f"code <~> B'{digits(QUERY[n_bits], n_bits)}'"
    query = f'SELECT id, {near} AS d FROM "od""d" ORDER BY {near}'
    return {
        "create": create,
        "file": str(path),
        # psql's own command sends the file; here it is a blob.
        "copy": f"{start.removeprefix(chr(92))}'/dev/blob'{form}",
        "rows": 'SELECT * FROM "od""d"',
        "exact": f"{query}, id LIMIT {K}",
        "index": 'CREATE INDEX ON "od""d" USING hnsw (code bit_hamming_ops); '
        "SET enable_seqscan = off; SET hnsw.ef_search = 500;",
        "query": f"{query} LIMIT {K}",
    }


def test_pgvector_loads_and_finds(tmp_path):
    folder = modules()
    cases = [
        (64, "integers", None, "binary"),
        (13, "strings", "strings", "binary"),
        (100, None, "floats", "binary"),
        (5, None, "integers", "text"),
        (8, "strings", "bool", "text"),
    ]
    samples = [database(n, ids, labels) for n, ids, labels, _ in cases]
    tasks = [
        task(neighbors, tmp_path, n, format)
        for neighbors, (n, _, _, format) in zip(samples, cases, strict=True)
    ]
    script = folder.parent / "test-exports.mjs"  # where node finds the packages
    script.write_text(SCRIPT, "utf-8")
    done = subprocess.run(
        ["node", script],
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for neighbors, (n_bits, *_), answer in zip(samples, cases, answers, strict=True):
        for found in (answer["exact"], answer["index"]):
            pairs = [(row["id"], row["d"]) for row in found]
            check(neighbors, pairs, QUERY[n_bits], n_bits)
        arrays = to_numpy(neighbors)
        for row, code, name in zip(
            answer["rows"], arrays["code"], arrays["id"].tolist(), strict=True
        ):
            assert (row["id"], row["code"]) == (name, digits(code, n_bits))
        if "label" in arrays:
            labels = [row["label"] for row in answer["rows"]]
            assert labels == arrays["label"].tolist()


@pytest.fixture(scope="module")
def connect():
    """Opens connections to a PostgreSQL that is started for these tests."""
    psycopg, pgserver = engine("psycopg"), engine("pgserver")
    # Not among pytest's folders: root's server runs as a user who may not enter those.
    with tempfile.TemporaryDirectory() as folder:
        server = pgserver.get_server(folder)
        yield lambda: psycopg.connect(server.get_uri())
        server.cleanup()


@CASES
def test_postgres_is_filled_through_a_connection(connect, n_bits, ids, labels):
    neighbors, query = database(n_bits, ids, labels), QUERY[n_bits]
    with connect() as connection:
        connection.execute("SELECT 1")  # opens a transaction
        to_pgvector(neighbors, connection)
        found = connection.execute(
            "SELECT id, bit_count(code # %s::bit(%s)) AS d FROM items "
            "ORDER BY d, id LIMIT %s".replace("bit(%s)", f"bit({n_bits})"),
            [digits(query, n_bits), K],
        ).fetchall()
        check(neighbors, found, query, n_bits)
        if labels:
            of = connection.execute("SELECT label FROM items").fetchall()
            assert [label for (label,) in of] == neighbors.labels_.tolist()
        connection.rollback()


def test_postgres_gets_factors(connect):
    neighbors, _ = embeddings()
    with connect() as connection:
        connection.execute("SELECT 1")
        to_pgvector(neighbors, connection, format="text")
        found = connection.execute(
            "SELECT slope, intercept FROM items ORDER BY id"
        ).fetchall()
        connection.rollback()
    arrays = to_numpy(neighbors)
    for name, column in zip(
        ("slope", "intercept"), zip(*found, strict=True), strict=True
    ):
        np.testing.assert_array_equal(np.float32(column), arrays[name])


def test_postgres_keeps_to_the_callers_transaction(connect):
    psycopg = engine("psycopg")
    with connect() as connection:
        connection.execute("CREATE TABLE mine (a int)")
        bad = HammingNeighbors().fit([[1], [2]], ids=["a", "b\0"])
        with pytest.raises(psycopg.Error):  # PostgreSQL has no such text
            to_pgvector(bad, connection)
        # All that was done before is still there, and nothing of what failed.
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(tables).fetchall() == [("mine",)]
        connection.rollback()
        assert connection.execute(tables).fetchall() == []


def test_postgres_commits_where_no_transaction_is_open(connect):
    with connect() as connection, connect() as other:
        to_pgvector(database(), connection)
        assert other.execute("SELECT count(*) FROM items").fetchall() == [(400,)]
        other.rollback()
        connection.execute("DROP TABLE items")


def test_pgvector_has_two_formats(tmp_path):
    with pytest.raises(ValueError, match="format must be 'binary' or 'text', got 'cs"):
        to_pgvector(database(), tmp_path / "a", format="csv")
    assert list(tmp_path.iterdir()) == []


def test_psql_needs_names_without_line_breaks(tmp_path):
    for table, path in [("a\nb", "a"), ("a\rb", "a"), ("a", "a\nb")]:
        with pytest.raises(ValueError, match=r"one line.*a.[nr]b' has a line brea"):
            to_pgvector(database(), tmp_path / path, table=table)
    assert list(tmp_path.iterdir()) == []


def test_binary_copy_of_one_row_by_hand(tmp_path):
    to_pgvector(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]], bool), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"".join(
        [
            b"PGCOPY\n\xff\r\n\x00" + bytes(8),  # signature, flags, extension
            b"\x00\x02",  # two fields
            b"\x00\x00\x00\x08" + bytes(8),  # id 0 in eight bytes
            b"\x00\x00\x00\x06",  # the code's six
            b"\x00\x00\x00\x0b\x80\xa0",  # eleven bits
            b"\xff\xff",  # the end
        ]
    )
