"""Files that were changed at random, and what became of loading them.

A changed file must be refused by a `LoadError`. One whose checksums were made to fit
what was changed may be loaded where it still says something that could be, and must be
refused by that error, too, where it does not. Nothing else may happen: no other error,
no code, no long wait, no memory beyond twice the file.
"""

import contextlib
import json
import signal
import sys
import time
import tracemalloc
import warnings
from collections import Counter

import joblib

from skhash import load
from skhash.archive._manifest import as_text
from skhash.persistence import LoadError
from tests.archive.sealing import manifest_of, sealed, tail_of

# Seconds after which a load is given up, and bytes that any load may take: the objects
# that values of a manifest become, and what Python and torch keep once they have met
# an error.
PATIENCE, FREE = 5, 1 << 20
# What a file must never lead to.
FORBIDDEN = ("exec", "compile", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
FORBIDDEN += (
    "subprocess.Popen",
    "pickle.find_class",
    "socket.connect",
    "ctypes.dlopen",
)
FORBIDDEN += ("import", "marshal.loads", "os.remove", "os.rename", "shutil.rmtree")

# Libraries that import parts of themselves when these are first used.
LIBRARIES = ("joblib", "numba", "numpy", "scipy", "sklearn", "skorch", "torch")

_ran: list[str] = []
_watching = False


def _hook(event, arguments):
    if _watching and event in FORBIDDEN:
        if event == "import" and arguments[0].split(".")[0] in LIBRARIES:
            return
        _ran.append(f"{event} {arguments!r:.80}")


def watch():
    """Note, from now on, what a load does that no file may lead to."""
    joblib.cpu_count(only_physical_cores=True)  # which asks the system once
    sys.addaudithook(_hook)


def outcome_of(path, size, custom):
    """What became of a file: "loaded", "refused", or what else happened."""
    global _watching

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]
    _ran.clear()
    _watching = True
    try:
        load(path, custom_objects=custom, verify=True)
        found = "loaded"
    except LoadError:
        found = "refused"
    except TimeoutError:
        found = "took long"
    except BaseException as error:
        found = f"raised {type(error).__name__}"
    finally:
        _watching = False
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    if _ran:
        return f"did {_ran[0]}"
    taken = tracemalloc.get_traced_memory()[1] - start
    return "took memory" if taken > 2 * size + FREE else found


NUMBERS = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0" * 4, b"\xff" * 4, b"\xff" * 8)
NUMBERS += (
    b"\x00\x00\x00\x80",
    b"PK\3\4",
    b"PK\1\2",
    b"PK\5\6",
    b"PK\6\6",
    b"\x93NUMPY",
)


def mutated(content, others, rng):
    """A file with something changed: bytes, ranges, its length, parts of another."""
    at = int(rng.integers(len(content)))
    size = int(min(2 ** rng.integers(0, 12), len(content) - at))
    other = others[rng.integers(len(others))]
    start = int(rng.integers(len(other)))
    kind = rng.integers(10)
    made = bytearray(content)
    if kind == 0:
        made[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for place in rng.integers(len(content), size=int(rng.integers(2, 9))):
            made[place] = int(rng.integers(256))
    elif kind == 2:
        number = NUMBERS[rng.integers(len(NUMBERS))]
        made[at : at + len(number)] = number
    elif kind == 3:
        made[at : at + size] = bytes(size)
    elif kind == 4:
        del made[at : at + size]
    elif kind == 5:
        made[at:at] = rng.bytes(size)
    elif kind == 6:
        made[at:at] = made[at : at + size]
    elif kind == 7:
        del made[at:]
    elif kind == 8:  # the same bytes of another file
        made[at : at + size] = other[at : at + size]
    else:  # the beginning of one, the end of another
        made = made[:at] + other[start:]
    return bytes(made)


def resealed(content, others, rng):
    """A file whose manifest or data were changed, and whose checksums fit that."""
    told = json.loads(manifest_of(content))
    other = json.loads(manifest_of(others[rng.integers(len(others))]))
    part = told[("content", "content", "arrays", "versions")[rng.integers(4)]]
    theirs = other["content"]
    places = list(_places(part))
    holder, key = places[rng.integers(len(places))]
    taken = list(_places(theirs))
    values = [
        *(None, True, 0, -1, 1, 2**31, 2**63, 10**12, 0.5, "", "x", [], {}, [[]]),
        *({"$array": "codes"}, {"$float": "inf"}, {"$tuple": []}, "cuda", "meta"),
    ]
    kind = rng.integers(4)
    if kind == 0:
        holder[key] = values[rng.integers(len(values))]
    elif kind == 1:
        from_holder, from_key = taken[rng.integers(len(taken))]
        holder[key] = from_holder[from_key]
    elif kind == 2:
        del holder[key]
    elif isinstance(holder, dict):
        holder["x" + key] = holder.pop(key)
    else:
        holder.append(holder[key])
    with contextlib.suppress(Exception):
        return sealed(content, as_text(told), told["members"])
    return content[: tail_of(content).offset]


def _places(value):
    """Everything in a tree, each by what holds it and its key there."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def count(files, n, rng, folder, custom, *, change=mutated):
    """Outcomes of loading n changed files, and the slowest of them in seconds."""
    contents = [path.read_bytes() for path in files]
    outcomes, slowest, examples = Counter(), 0.0, {}
    path = folder / "changed.skhash"
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while sum(outcomes.values()) < n:
            content = contents[rng.integers(len(contents))]
            made = change(content, contents, rng)
            if made in contents:
                continue
            path.write_bytes(made)
            start = time.perf_counter()
            outcome = outcome_of(path, len(made), custom)
            slowest = max(slowest, time.perf_counter() - start)
            outcomes[outcome] += 1
            examples.setdefault(outcome, made)
    tracemalloc.stop()
    return dict(outcomes), slowest, examples
