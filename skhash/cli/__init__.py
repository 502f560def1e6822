"""The command line: `skhash`, or `python -m skhash`.

A command is a file of `_commands`, with `add` (its options) and `run`. What it prints
as its result goes to `out`, the real standard output; all else, progress and warnings,
to standard error. Files of vectors, images and labels are read by `_input`.

Nothing but `argparse` is loaded before a command runs: ``skhash --help`` is quick.
"""

from skhash.cli._main import main as main

# Users call the command; its options are what they may rely on.
__all__: list[str] = []
