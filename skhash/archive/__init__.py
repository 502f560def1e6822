"""One file of plain values and arrays, that is verified and holds no code.

The file is a ZIP of stored members, which any tool can open: ``manifest.json`` has the
values, ``weights.safetensors`` the arrays that are read as a whole, and what may be
large has an ``.npy`` of its own, to be mapped into memory where it lies.

There is one way to write given content, and the reader knows it: from the manifest it
makes every byte that is neither manifest nor array, and compares. So nothing in a file
is ever trusted that was not expected, and sizes are known before memory is taken.

`write` and `read` are for the parts of skhash that have something to keep: estimators
(`skhash.persistence`), and trainings that were cut (`skhash.encoder`). `contents` tells
what is in a file, and `replacing` writes any other file as whole as these are.
"""

from skhash.archive._atomic import replacing as replacing
from skhash.archive._contents import Contents as Contents
from skhash.archive._contents import contents as contents
from skhash.archive._read import read as read
from skhash.archive._read import release as release
from skhash.archive._values import Node as Node
from skhash.archive._values import storable as storable
from skhash.archive._write import library_versions as library_versions
from skhash.archive._write import write as write
from skhash.archive.errors import LoadError as LoadError
from skhash.archive.errors import refused as refused

# Users need none of these but the error, which `skhash.persistence` exports.
__all__: list[str] = []
