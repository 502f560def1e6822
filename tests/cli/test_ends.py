"""Errors of one line, exit statuses, broken pipes, Ctrl-C, and files left whole."""

import os
import re
import signal
import subprocess
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from skhash import HammingNeighbors, save
from skhash.cli import main
from skhash.cli._parser import COMMANDS, make_parser
from tests.cli.conftest import REPOSITORY, process


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_that_is_understood(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out.partition("example:\n")[2]
    examples = [line for line in shown.splitlines() if line.strip()]
    assert examples
    for line in examples:
        words = line.partition(" > ")[0].split()
        assert words[0] == "skhash"
        make_parser().parse_args(words[1:])


def test_every_command_is_a_file_and_a_name():
    folder = Path(sys.modules["skhash.cli"].__file__).parent / "_commands"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments", [[], ["learn"], ["fit"], ["search", "a", "b", "--format", "xml"]]
)
def test_arguments_that_are_not_understood_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().out == ""


def contents(folder):
    """The bytes of all files at any depth."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def test_refusals_of_commands(
    refused, npz, signs, photos, tmp_path, vectors, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "new.skhash"
    bare = tmp_path / "bare.skhash"
    save(HammingNeighbors().fit(np.arange(6, dtype=np.uint8).reshape(2, 3)), bare)
    flat = tmp_path / "flat"
    (photos / "left").rename(flat)
    np.save(tmp_path / "wide.npy", np.zeros((2, 9)))
    np.savez(tmp_path / "n.npz", X=vectors[0], y=np.arange(60))
    X = ("--key", "X")
    before = contents(tmp_path)
    for arguments, message in [
        (("fit", npz, *X, "-o", "model.pkl"), "written into .skhash files, not model"),
        (("fit", npz, *X, "-o", tmp_path / "no" / "m.skhash"), "There is no folder"),
        (("fit", npz, *X, "-o", out, "--loss", "csq"), "--loss csq learns from labels"),
        (("fit", npz, *X, "-o", out, "--label", "y", "--labels", "f"), "not both"),
        (("fit", flat, "-o", out), "holds images without labels"),
        (("encode", npz, npz, "-o", out), "is no .skhash file"),
        (("encode", "none.skhash", npz, "-o", out), "There is no file none.skhash"),
        (("encode", bare, npz, "-o", out), "holds codes without what made them"),
        (("encode", signs, npz, *X, "-o", "a.xls"), "The suffix of a.xls says how"),
        (("encode", signs, npz, *X, "-o", signs), "is read and cannot be written"),
        (("encode", signs, tmp_path / "wide.npy", "-o", out), "the model takes 16"),
        (("search", signs, npz, *X), "is an encoder without a database"),
        (("search", bare, npz, *X), "holds no codes: give what encodes it, --model"),
        (("search", bare, npz, *X, "--model", signs), "has codes of 2 bytes,"),
        (("search", npz, npz), "holds no codes: give what encodes it"),
        (("evaluate", npz, *X, "--model", signs), "has no labels, and retrieval is"),
        (("evaluate", tmp_path / "n.npz", npz, *X, "--label", "y", "--model", signs),
         "numbers never equal text"),
        (("evaluate", npz, "--html", tmp_path), "is a folder; give the name"),
        (("duplicates", npz, *X, "--radius", -1), "radius"),
        (("duplicates", photos, "--size", 8), "hash reads them in its own way"),
        (("info", npz), "it is another file, or cut short"),
        (("info", "none.skhash"), "There is no file none.skhash"),
    ]:  # fmt: skip
        assert re.search(re.escape(message), refused(*arguments)), arguments
        assert contents(tmp_path) == before, arguments


def test_traceback_shows_where(npz, capsys):
    with pytest.raises(ValueError, match="it is another file"):
        main(["info", str(npz), "--traceback"])


def test_errors_that_nobody_foresaw_are_one_line_too(refused, npz, monkeypatch):
    import skhash.archive

    def fails(path):
        raise KeyError("strange\nthing")

    monkeypatch.setattr(skhash.archive, "contents", fails)
    assert refused("info", npz) == r"skhash info: KeyError: 'strange\nthing'"


def test_warnings_are_lines_and_quiet_has_none(run, photos, capsys):
    Image = pytest.importorskip("PIL.Image")
    for name in ("left/0.png", "right/1.png"):
        Image.new("RGBA", (20, 24), (9, 9, 9, 0)).save(photos / name)
    run("duplicates", photos, "--radius", 0)
    main(["duplicates", str(photos)])
    lines = [row for row in capsys.readouterr().err.splitlines() if "warning" in row]
    assert len(lines) == 1
    assert "left/0.png and 1 more: these images have transparent" in lines[0]
    main(["duplicates", str(photos), "--quiet"])
    assert capsys.readouterr().err == ""


def test_warnings_of_the_library_are_lines(capsys, monkeypatch):
    def warns(args, out):
        for _ in range(2):  # said once
            warnings.warn("Look\nhere.", UserWarning, stacklevel=2)

    monkeypatch.setattr("skhash.cli._commands.info.run", warns)
    assert main(["info", "a.skhash"]) == 0
    assert capsys.readouterr().err == "warning: Look here.\n"


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".npy", ".parquet", ".skhash"])
def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    npz, signs, tmp_path, suffix, monkeypatch, capsys
):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"out{suffix}"
    out.write_text("the old one")
    full = OSError(28, "No space left on device", str(out))

    def fails(file):
        raise full

    monkeypatch.setattr(os, "fsync", fails)
    command = ["encode", signs, npz, "--key", "X", "-o", out]
    assert main(list(map(str, command))) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert out.read_text() == "the old one"
    assert not list(tmp_path.glob("*.part"))


def test_tables_keep_to_their_lines(run, tmp_path):
    codes = np.zeros((2, 1), np.uint8)
    ids = np.array(["a\nb", "\x1b[31mred"])
    save(HammingNeighbors().fit(codes, ids=ids), tmp_path / "d.skhash")
    shown = run("duplicates", tmp_path / "d.skhash")
    assert shown == "group  id\n    1  a\\nb\n    1  \\x1b[31mred\n"


@pytest.fixture
def many(tmp_path):
    """A database whose pairs are more than a pipe holds."""
    codes = np.zeros((400, 1), np.uint8)
    save(HammingNeighbors().fit(codes), tmp_path / "many.skhash")
    return tmp_path / "many.skhash"


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(many):
    command = ("duplicates", many, "--pairs", "--format", "csv", "-q")
    with process(*command) as running:
        assert running.stdout.readline() == "left,right,distance\n"
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
@pytest.mark.slow
def test_a_full_disk_under_the_output_is_one_line(signs, many, monkeypatch):
    # Short output fails at the end, much of it in between, unbuffered at once.
    long = ("duplicates", many, "--pairs", "--format", "csv", "-q")
    for command, unbuffered, where in [
        (("info", signs), "", "standard output"),
        (long, "", "(duplicates|standard output)"),
        (("info", signs), "1", "info"),
    ]:
        monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
        with ExitStack() as stack:
            out = stack.enter_context(Path("/dev/full").open("w"))
            running = stack.enter_context(process(*command, stdout=out))
            told = running.stderr.read()
            assert running.wait(60) == 1
        assert re.fullmatch(f"skhash:? {where}: No space left on device\n", told)


@pytest.mark.slow
def test_a_closed_output_is_no_error(signs, npz, tmp_path):
    out = tmp_path / "codes.npz"
    command = ["encode", signs, npz, "--key", "X", "-o", out, "-q"]
    for arguments in (command, ["info", signs]):
        done = subprocess.run(
            ["sh", "-c", 'exec "$0" -m skhash "$@" >&-', sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert out.exists()


@pytest.mark.slow
def test_ctrl_c_in_a_training_ends_quietly_and_leaves_nothing(npz, tmp_path):
    out = tmp_path / "model.skhash"
    command = ("fit", npz, "--key", "X", "--label", "y", "-o", out, "--epochs", 99999)
    with process(*command, start_new_session=True) as running:
        while "epoch" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
        assert "Traceback" not in running.stderr.read()
        assert running.stdout.read() == ""
    assert not out.exists()
    assert not list(tmp_path.glob("*.part"))


def test_ctrl_c_while_a_file_is_written_leaves_the_old_one(
    npz, signs, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out.npz"
    out.write_text("the old one")

    def pressed(*arguments, **how):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", pressed)
    command = ["encode", signs, npz, "--key", "X", "-o", out, "-q"]
    assert main(list(map(str, command))) == 130
    assert capsys.readouterr() == ("", "")
    assert out.read_text() == "the old one"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_help_is_quick_to_load():
    with process("--help") as running:
        assert "skhash duplicates photos" in running.stdout.read()
        assert running.wait(60) == 0
    code = (
        "import sys\nfrom skhash.cli import main\n"
        "try: main(['fit', '--help'])\nexcept SystemExit: pass\n"
        "print(*{'numpy', 'torch', 'sklearn'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == ""


def test_version(capsys):
    import skhash

    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"skhash {skhash.__version__}\n"
