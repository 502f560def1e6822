"""How far a long work is, as it is told."""

import io
import re
import time

import pytest

from skhash import progress
from skhash.progress import Progress, announced, followed


class Terminal(io.StringIO):
    def isatty(self):
        return True


def opened_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    return stream


def test_a_terminal_has_one_line_that_is_rewritten(monkeypatch):
    terminal = opened_terminal(monkeypatch)
    line = Progress("work", 4)
    for step in range(4):
        line.tell(f"part {step}", loss=f"{step / 10}")
        line.advance()
        line.look()
    line.close("all done")
    written = terminal.getvalue()
    assert written.count("\n") == 1
    assert written.endswith("all done\n")
    drawn = [part.strip() for part in written.split("\r") if part.strip()]
    assert re.match(r"part 3 \|#{20}\| 100 %, 00:00 left, loss 0\.3", drawn[-2])


def test_with_a_unit_the_rate_is_shown(monkeypatch):
    terminal = opened_terminal(monkeypatch)
    line = Progress("reading", 4, unit="images")
    line.advance(2)
    time.sleep(0.01)
    line.look()
    line.close()
    drawn = [part.strip() for part in terminal.getvalue().split("\r") if part.strip()]
    assert re.match(
        r"reading \|#{10} {10}\|  50 %, +[\d.]+k? images/s, 00:00 left$", drawn[-1]
    )


def test_the_output_of_a_notebook_is_rewritten_too(monkeypatch):
    cell = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr("sys.stdout", cell)
    line = Progress("work", 2)
    line.advance(2)
    line.close("all done")
    assert cell.getvalue().count("\n") == 1
    assert "\r" in cell.getvalue()


def test_a_log_has_a_line_every_few_seconds(capsys, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))
    line = Progress("work", 20)
    for _ in range(20):
        line.advance()
    line.close("all done")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "all done"
    shares = [int(re.search(r"(\d+) %", line)[1]) for line in lines[:-1]]
    assert shares == [25, 50, 75, 100]


def test_silence(monkeypatch):
    terminal = opened_terminal(monkeypatch)
    line = Progress("work", 4, verbose=0)
    line.tell("part", loss=1)
    line.advance(4)
    line.look()
    line.close("all done")
    assert list(followed([[1], [2]], "work", 2, verbose=0)) == [[1], [2]]
    with announced("work", 0):
        pass
    assert terminal.getvalue() == ""


def test_parts_come_as_they_are(capsys, monkeypatch):
    parts = [[1, 2], [3]]
    assert list(followed(parts, "work", 3)) == parts
    assert capsys.readouterr().out == ""  # it was quick
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    assert list(followed(parts, "work", 3)) == parts
    *lines, last = capsys.readouterr().out.splitlines()
    assert [re.search(r"(\d+) %", line)[1] for line in lines] == ["67", "100"]
    assert re.fullmatch(r"work: done in \d\.\d s", last)


def test_an_error_takes_the_line_away(monkeypatch):
    terminal = opened_terminal(monkeypatch)
    monkeypatch.setattr(progress, "PATIENCE", 0)

    def parts():
        yield [1]
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(followed(parts(), "work", 2))
    assert "done" not in terminal.getvalue()
    assert not progress._Bar._instances


def test_a_quick_work_draws_nothing_in_a_terminal(monkeypatch):
    terminal = opened_terminal(monkeypatch)
    list(followed([[1, 2], [3]], "work", 3))
    assert terminal.getvalue().strip() == ""


def test_work_of_unknown_length(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    with announced("building", 1):
        time.sleep(0.3)
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(r"building: \d\d:\d\d", line) for line in lines)
    assert re.fullmatch(r"building: done in \d\.\d s", last)


def test_an_error_ends_the_line(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with pytest.raises(ValueError, match="broken"), announced("building", 1):
        raise ValueError("broken")
    assert "done" not in capsys.readouterr().out
