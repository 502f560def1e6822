"""Documents: BSON, and lines of JSON for search engines."""

import json

import numpy as np
import pytest

from skhash.export import to_bson, to_elasticsearch, to_opensearch, to_vespa
from skhash.hamming import pack
from tests.export.samples import CASES, database, embeddings, engine, labels_of


@CASES
def test_bson(tmp_path, n_bits, ids, labels):
    bson = engine("bson")
    neighbors = database(n_bits, ids, labels)
    to_bson(neighbors, tmp_path / "a.bson")
    documents = bson.decode_all((tmp_path / "a.bson").read_bytes())
    names = range(400) if neighbors.ids_ is None else neighbors.ids_.tolist()
    assert [each["_id"] for each in documents] == list(names)
    for document, code in zip(documents, neighbors.codes_, strict=True):
        expected = bson.Binary.from_vector(
            code.tolist(), bson.binary.BinaryVectorDtype.PACKED_BIT, -n_bits % 8
        )
        assert document["code"] == expected
    if labels:
        of = {each["_id"]: each["label"] for each in documents}
        assert of == labels_of(neighbors)


def test_bson_of_the_specification(tmp_path):
    """11 bits, the first and the last but one of which are set: 10 05 80 a0."""
    bson = engine("bson")
    to_bson(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]], bool), tmp_path / "a.bson")
    (document,) = bson.decode_all((tmp_path / "a.bson").read_bytes())
    assert bytes(document["code"]) == bytes.fromhex("100580a0")
    assert document["code"].subtype == 9


# Vectors of the engines' own documentation: Elasticsearch's dense_vector page,
# Vespa's page on binarizing vectors, OpenSearch's on binary vectors.
DOCUMENTED = [
    ("8100012a7f", [-127, 0, 1, 42, 127]),
    ("80", [-128]),
    ("07", [7]),
]


@pytest.mark.parametrize(("hexadecimal", "signed"), DOCUMENTED)
def test_search_engines_get_the_bytes_of_their_documentation(
    tmp_path, hexadecimal, signed
):
    codes = np.frombuffer(bytes.fromhex(hexadecimal), np.uint8)[None]
    for export in (to_elasticsearch, to_opensearch):
        export(codes, tmp_path / "bulk")
        action, document = map(json.loads, (tmp_path / "bulk").open())
        assert action == {"index": {"_index": "items", "_id": "0"}}
        assert document == {"id": 0, "code": signed}
    to_vespa(codes, tmp_path / "feed")
    (document,) = map(json.loads, (tmp_path / "feed").open())
    assert document == {
        "put": "id:items:items::0",
        "fields": {"id": 0, "code": {"values": signed}},
    }


def test_first_bit_is_the_sign():
    assert pack([[1, 0, 0, 0, 0, 0, 0, 0]]).view(np.int8).tolist() == [[-128]]


@pytest.mark.parametrize(
    "index",
    [
        "Items",
        "my items",
        "a*",
        "a,b",
        'a"b',
        "a#b",
        "a:b",
        "a\\b",
        "_a",
        "-",
        "..",
        "",
    ],
)
def test_names_that_no_index_has_are_refused(tmp_path, index):
    for export in (to_elasticsearch, to_opensearch):
        with pytest.raises(ValueError, match=r"cannot be named.*small letters"):
            export([[1]], tmp_path / "bulk", index=index)
    assert list(tmp_path.iterdir()) == []
    for name in ("my-items_2", ".hidden", "été"):
        to_elasticsearch([[1]], tmp_path / "bulk", index=name)


@pytest.mark.parametrize("schema", ["my-items {", "2a", "été", "a:b", "a\n", ""])
def test_names_that_no_schema_has_are_refused(tmp_path, schema):
    with pytest.raises(ValueError, match=r"cannot be named.*letters, digits and _"):
        to_vespa([[1]], tmp_path / "feed", schema=schema)
    assert list(tmp_path.iterdir()) == []
    assert to_vespa([[1]], tmp_path / "feed", schema="_Items2").count("_Items2") == 2


def test_names_are_strings(tmp_path):
    for export in (to_elasticsearch, to_opensearch):
        with pytest.raises(TypeError, match="index must be a string, got 7"):
            export([[1]], tmp_path / "a", index=7)
    with pytest.raises(TypeError, match="schema must be a string, got None"):
        to_vespa([[1]], tmp_path / "a", schema=None)


@CASES
def test_lines_of_search_engines_hold_all(tmp_path, n_bits, ids, labels):
    neighbors = database(n_bits, ids, labels)
    body = to_elasticsearch(neighbors, tmp_path / "a", index="my")
    to_opensearch(neighbors, tmp_path / "b", index="my")
    to_vespa(neighbors, tmp_path / "c", schema="my")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "a").open(encoding="utf-8")]
    found = [document for line, document in zip(lines[::2], lines[1::2], strict=True)]
    fed = [json.loads(line)["fields"] for line in (tmp_path / "c").open()]
    names = range(400) if neighbors.ids_ is None else neighbors.ids_.tolist()
    assert [each["id"] for each in found] == list(names)
    codes = np.array([each["code"] for each in found], np.int8).view(np.uint8)
    np.testing.assert_array_equal(codes, neighbors.codes_)
    for document, each in zip(found, fed, strict=True):
        assert each == document | {"code": {"values": document["code"]}}
    properties = body["mappings"]["properties"]
    assert properties.keys() == found[0].keys()
    assert properties["code"]["dims"] == 8 * neighbors.codes_.shape[1]


def test_mappings_name_what_the_engines_know(tmp_path):
    neighbors, _ = embeddings()
    elastic = to_elasticsearch(neighbors, tmp_path / "a")["mappings"]["properties"]
    opened = to_opensearch(neighbors, tmp_path / "a")
    schema = to_vespa(neighbors, tmp_path / "a")
    assert elastic["slope"] == elastic["intercept"] == {"type": "float"}
    assert elastic["code"]["element_type"] == "bit"
    assert opened["settings"] == {"index": {"knn": True}}
    code = opened["mappings"]["properties"]["code"]
    assert (code["data_type"], code["dimension"]) == ("binary", 64)
    assert "field code type tensor<int8>(x[8]) {" in schema
    assert schema.count("{") == schema.count("}")
