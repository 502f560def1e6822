"""The encoder: checks what it is given, builds a network, trains it, makes codes."""

from skhash.encoder._encoder import DeepHashEncoder

__all__ = ["DeepHashEncoder"]
