"""Networks: standardise -> body -> head, made by functions of (input_shape, n_bits).

``input_shape`` is what the network sees of one item: ``(n_features,)``, or
``(channels, height, width)`` for images. The body computes features, the head is the
hash layer: its real outputs z have one column a bit, and a bit is ``z > 0``.
"""

from skhash.networks._build import NETWORKS, build, output_width, wrap
from skhash.networks._layers import (
    Dropout,
    HashNetwork,
    Standardize,
    hash_layer,
    parts,
    set_mode,
)
from skhash.networks._random import borrowed_generator
from skhash.networks._standard import convnet, linear, mlp

__all__ = [
    "NETWORKS",
    "Dropout",
    "HashNetwork",
    "Standardize",
    "borrowed_generator",
    "build",
    "convnet",
    "hash_layer",
    "linear",
    "mlp",
    "output_width",
    "parts",
    "set_mode",
    "wrap",
]
