"""`python -m skhash` is the command `skhash`."""

from skhash.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
