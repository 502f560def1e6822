"""Tensors taken for arrays, without torch."""

from typing import Any


def as_array(X: Any) -> Any:
    """An array of a tensor, be it on a GPU, of a graph or bfloat16; all else as it is.

    Told by its methods, so that nothing here imports torch.
    """
    if not hasattr(X, "detach"):
        return X
    tensor = X.detach().cpu()
    return (tensor.float() if tensor.dtype.itemsize == 2 else tensor).numpy()
