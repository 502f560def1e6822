"""A file for each command: `add` says its options, `run` does it."""
