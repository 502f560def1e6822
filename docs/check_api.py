"""Check the built pages: every public name is in the search index, once.

    python docs/check_api.py docs/_build/html

The public names are those of ``__all__`` of the package and its public parts. One that
is offered at two places, as the neighbours are, may be described at either.
"""

import importlib
import inspect
import pkgutil
import sys
from collections import defaultdict
from pathlib import Path

from sphinx.util.inventory import InventoryFile

import skhash


def public_objects() -> dict[int, list[str]]:
    """Names of each public class, function and module by the object's identity."""
    parts = [
        part.name
        for part in pkgutil.walk_packages(skhash.__path__, "skhash.")
        if part.ispkg and "._" not in part.name
    ]
    names = defaultdict(list)
    for part in ["skhash", *parts]:
        module = importlib.import_module(part)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isroutine(value):
                names[id(value)].append(f"{part}.{name}")
    return names


def described(folder: Path) -> set[str]:
    """Names of all objects that the pages describe."""
    content = (folder / "objects.inv").read_bytes()
    inventory = InventoryFile.loads(content, uri="").data
    return {
        name for kind in inventory if kind.startswith("py:") for name in inventory[kind]
    }


def main(folder: str) -> int:
    """Print the names at fault; the exit status tells whether there are any."""
    found = described(Path(folder))
    faults = []
    for names in public_objects().values():
        pages = [name for name in names if name in found]
        if len(pages) != 1:
            faults.append(f"{names[0]} is described {len(pages)} times")
    print("\n".join([*faults, f"{len(faults)} public names are not described once"]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
