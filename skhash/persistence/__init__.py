"""Estimators in one file: `save` writes it, and `load` runs no code from it."""

from skhash.archive import LoadError
from skhash.persistence._load import load
from skhash.persistence._save import save

__all__ = ["LoadError", "load", "save"]
