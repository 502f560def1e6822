"""What metrics ask of dask arrays, as `skhash.metrics.elsewhere` says it."""

import numpy as np

from skhash.distributed._codes import ShardedCodes
from skhash.distributed._duplicates import count_leaks, find_duplicates
from skhash.distributed._encode import encode as encode_chunks
from skhash.hamming import pack

__all__ = [
    "count_leaks",
    "database_of",
    "encode",
    "find_duplicates",
]


def database_of(codes, labels):
    """Codes of a dask array as shards, with their labels."""
    return ShardedCodes(codes, labels)


def encode(encoder, X):
    """Codes of items by an encoder of any output, again a dask array."""
    return encode_chunks(AsCodes(encoder), X)


class AsCodes:
    """An encoder whose outputs are codes: real ones become bits by ``> 0``."""

    def __init__(self, encoder):
        self.encoder = encoder

    def transform(self, X):
        """Packed codes of items."""
        output = self.encoder.transform(X)
        output = output.toarray() if hasattr(output, "toarray") else np.asarray(output)
        if output.dtype == np.uint8:
            return output
        # Chunks must not be looked at one by one, to tell bytes from outputs.
        return pack(output if output.dtype == bool else output > 0)
