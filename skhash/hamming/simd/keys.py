"""Keys in kernels: the functions of `skhash.hamming.keys`, compiled into callers."""

from skhash.hamming import keys
from skhash.hamming.simd.jit import inlined

key_of = inlined(keys.key_of)
distance_of = inlined(keys.distance_of)
index_of = inlined(keys.index_of)
