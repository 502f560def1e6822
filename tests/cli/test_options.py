"""Numbers that options take, and what is said of them."""

import numpy as np
import pytest

from skhash import HammingNeighbors, save
from skhash.cli import main


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("search", "a", "b", "-k", "0"), "-k"),
        (("search", "a", "b", "-k", "1.5"), "-k"),
        (("evaluate", "a", "-k", "-1"), "-k"),
        (("fit", "a", "-o", "b", "--bits", "0"), "--bits"),
        (("fit", "a", "-o", "b", "--epochs", "-1"), "--epochs"),
        (("fit", "a", "-o", "b", "--seed", "-1"), "--seed"),
        (("duplicates", "a", "--bits", "0"), "--bits"),
    ],
)
def test_numbers_that_are_none_end_with_2_and_name_the_option(
    arguments, option, capsys
):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: must be a whole number from" in said


def test_one_item_has_no_duplicates(refused, photos, tmp_path):
    np.save(tmp_path / "one.npy", np.ones((1, 4)))
    for path in (photos / "left" / "0.png", tmp_path / "one.npy"):
        told = refused("duplicates", path)
        assert "holds one item, and duplicates are found among several" in told


def test_one_of_a_kind_is_told_in_the_singular(run, tmp_path, capsys):
    path = tmp_path / "d.skhash"
    save(HammingNeighbors().fit(np.zeros((2, 1), np.uint8)), path)
    assert main(["duplicates", str(path)]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "1 group, 2 of 2 items, within 0 of 8 bits"


def test_ids_too_large_for_engines(refused, tmp_path):
    path = tmp_path / "d.skhash"
    ids = np.array([1, 2**63], np.uint64)
    save(HammingNeighbors().fit(np.zeros((2, 1), np.uint8), ids=ids), path)
    told = refused("export", path, tmp_path / "a.npz")
    assert "has the id 9223372036854775808, and engines hold whole numbers" in told
    assert "--id of a column of text" in told
