"""The record of how often an index pays, and timing in turn."""

from skhash.hamming.indexes.cost import FADING, PASSED, TRIED, Record, least_seconds


def test_an_index_that_never_answers_is_tried_now_and_then():
    record = Record()
    assert record.promises(10)
    record.note(10, TRIED, 0)
    tries = []
    for _ in range(4 * (PASSED + 1)):
        tries.append(record.promises(10))
        if tries[-1]:
            record.note(10, 1, 0)
    assert sum(tries) == 4
    # Other numbers of neighbours are another matter, 8 to 15 are one.
    assert record.promises(100)
    assert not record.promises(15)


def test_an_index_that_answers_again_is_tried_again():
    record = Record()
    record.note(10, 10 * TRIED, 0)
    for _ in range(2 * FADING):
        record.note(10, TRIED, TRIED)
    assert all(record.promises(10) for _ in range(3 * PASSED))


def test_calls_are_timed_in_turn():
    called = []
    seconds = least_seconds(lambda: called.append("a"), lambda: called.append("b"))
    assert called == ["a", "b"] * 3
    assert all(0 <= each < 60 for each in seconds)
