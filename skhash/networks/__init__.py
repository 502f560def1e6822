"""Networks: standardise -> body -> head, made by functions of (input_shape, n_bits).

``input_shape`` is what the network sees of one item: ``(n_features,)``, or
``(channels, height, width)`` for images. The body computes features, the head is the
hash layer: its real outputs z have one column per bit, and a bit is ``z > 0``.

`NETWORKS` holds the ready-made functions by name, for ``DeepHashEncoder(network=...)``.
"""

from skhash.networks._build import NETWORKS, wrap
from skhash.networks._build import build_network as build_network
from skhash.networks._build import output_width as output_width
from skhash.networks._convnet import convnet
from skhash.networks._layers import HashNetwork, hash_layer
from skhash.networks._layers import Standardize as Standardize
from skhash.networks._layers import parts as parts
from skhash.networks._layers import set_mode as set_mode
from skhash.networks._random import borrowed_generator as borrowed_generator
from skhash.networks._standard import linear, mlp, residual

# The names above that are not here are for the encoder: users need none of them.
__all__ = [
    "NETWORKS",
    "HashNetwork",
    "convnet",
    "hash_layer",
    "linear",
    "mlp",
    "residual",
    "wrap",
]
