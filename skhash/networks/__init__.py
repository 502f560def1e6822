"""Networks: standardise -> body -> head, made by functions of (input_shape, n_bits).

``input_shape`` is what the network sees of one item: ``(n_features,)``, or
``(channels, height, width)`` for images. The body computes features, the head is the
hash layer: its real outputs z have one column per bit, and a bit is ``z > 0``.

`NETWORKS` holds the ready-made functions by name, for ``DeepHashEncoder(network=...)``.
"""

from skhash.networks._build import NETWORKS, wrap
from skhash.networks._layers import HashNetwork, hash_layer
from skhash.networks._standard import convnet, linear, mlp

__all__ = [
    "NETWORKS",
    "HashNetwork",
    "convnet",
    "hash_layer",
    "linear",
    "mlp",
    "wrap",
]
