"""Which columns of a table are vectors, ids and labels, as the user or names say."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from skhash.cli._input.options import Reading
from skhash.hints import hint

# Numbers in columns of such names, or such endings, are hardly part of a vector.
_NO_FEATURES = {"", "y", "unnamed: 0", "__index_level_0__"}
_NO_FEATURE = re.compile(
    r"(?:.*[_\W])?(?:(?:id|uuid|key|code|label|target|cluster|group|time|timestamp|date)"
    r"s?|idx|ts|index(?:es)?|class(?:es)?|category|categories)",
    re.DOTALL,
)


class Roles(NamedTuple):
    """Names of the columns of vectors, in order, and of those with ids and labels."""

    vectors: list[str]
    id: str | None
    label: str | None


def roles(file: str, kinds: dict[str, str], reading: Reading) -> Roles:
    """What each column is.

    Parameters
    ----------
    file : str
        For messages.
    kinds : dict of str to {"number", "integer", "list", "other"}
        What the values of each column are; "integer" where the file tells such apart.
    reading : Reading
        What the user says.
    """
    for option in ("id", "label"):
        _check_known(file, kinds, f"--{option}", getattr(reading, option))
    if reading.key:
        raise ValueError(f"{file} has columns, not arrays: give --columns NAME.")
    named = {reading.id, reading.label}
    if reading.columns:
        vectors = _asked_for(file, kinds, reading.columns)
    else:
        free = {name: kind for name, kind in kinds.items() if name not in named}
        lists = [name for name, kind in free.items() if kind == "list"]
        if len(lists) > 1:
            raise ValueError(
                f"{file} has several columns of lists, {', '.join(lists)}: say which "
                "one holds the vectors, --columns NAME."
            )
        vectors = lists or list(free)
        if not lists:
            _refuse_doubtful(file, free)
    used = [kinds[name] for name in vectors]
    if used.count("list") > 1 or ("list" in used and len(used) > 1):
        raise ValueError(
            f"{file}: vectors are one column of lists, or columns of numbers, not "
            f"{', '.join(vectors)} together."
        )
    if wrong := [name for name in vectors if kinds[name] == "other"]:
        raise ValueError(f"{file}: column {wrong[0]!r} holds no numbers. {_REMEDY}")
    if not vectors:
        raise ValueError(f"{file} has no column left for the vectors.")
    return Roles(vectors, reading.id, reading.label)


_REMEDY = (
    "Say what it is, --id NAME or --label NAME, or which columns the vectors are, "
    "--columns NAME ..."
)


def _refuse_doubtful(file: str, kinds: dict[str, str]) -> None:
    """Refuse columns that, by name or type, are hardly part of a vector."""
    if len(kinds) < 2:
        return
    for name in kinds:
        # itemId is item_id
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip()).lower()
        if plain in _NO_FEATURES or _NO_FEATURE.fullmatch(plain):
            what = f"column {name!r} looks like" if name else "a column without name is"
            raise ValueError(f"{file}: {what} no part of a vector. {_REMEDY}")
    whole = [name for name, kind in kinds.items() if kind == "integer"]
    if whole and "number" in kinds.values():
        raise ValueError(
            f"{file}: column {whole[0]!r} holds whole numbers among columns that do "
            f"not, and may be no part of a vector. {_REMEDY}"
        )


def _asked_for(file: str, kinds: dict[str, str], patterns: list[str]) -> list[str]:
    """Columns by name or pattern, each once, in the order of the patterns."""
    found: dict[str, None] = {}
    for pattern in patterns:
        one = [name for name in kinds if name == pattern]
        some = one or [name for name in kinds if fnmatchcase(name, pattern)]
        if not some:
            _check_known(file, kinds, "--columns", pattern)
        found.update(dict.fromkeys(some))
    return list(found)


def _check_known(
    file: str, kinds: dict[str, str], option: str, name: str | None
) -> None:
    if name is not None and name not in kinds:
        some = ", ".join(list(kinds)[:8]) + (", ..." if len(kinds) > 8 else "")
        raise ValueError(
            f"{file} has no column {name!r} for {option}; it has {some}."
            f"{hint(name, kinds)}"
        )
