"""Models as programs of torch.export."""

from __future__ import annotations

from typing import Any

from torch.export import ExportedProgram

from skhash.export._module import Model, check_dtype
from skhash.export._program import traced


def to_torch(
    estimator: Any, *, dtype: str = "float32", embedding: bool = False
) -> ExportedProgram:
    """A fitted model as a program of `torch.export`, which needs no skhash to run.

    It goes from items to packed codes: preprocessing, network and packing. What torch
    does with programs can be done with it: ``torch.export.save`` and ``load``,
    ``torch.compile(program.module())``, AOTInductor for C++, ExecuTorch for phones.

    Parameters
    ----------
    estimator : DeepHashEncoder, method of `skhash.baselines`, or Pipeline
        Fitted. A pipeline ends in one of these; before may stand StandardScaler,
        MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, SimpleImputer, PCA and
        TruncatedSVD.
    dtype : {"float32", "float64", "uint8"}, default="float32"
        What X will be.
    embedding : bool, default=False
        Whether the program returns the real outputs z, too.

    Returns
    -------
    program : torch.export.ExportedProgram
        ``program.module()`` is a function of X, of shape (n, `*input_shape_`) or, for
        pipelines and shallow methods, (n, n_features), with any n. It returns codes, a
        uint8 tensor of shape (n, ceil(n_bits / 8)), the first bit highest, whatever
        the estimator's `output`; with `embedding` the pair (codes, z), z of float32
        and shape (n, n_bits). It is on the CPU.

    Raises
    ------
    TypeError
        If the estimator, or a step of it, is of another class.
    ValueError
        If `dtype` is another, or torch cannot trace the network.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_onnx : The same as an ONNX file.

    Notes
    -----
    Codes equal those of `transform` but where z is next to zero, since sums are rounded
    otherwise in batches of another size. Values are not checked: NaN gives some code.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skhash.baselines import ITQ
    >>> from skhash.export import to_torch
    >>> X, _ = load_digits(return_X_y=True)
    >>> program = to_torch(ITQ(16, random_state=0).fit(X))
    >>> program.module()(torch.from_numpy(X[:5]).float()).shape
    torch.Size([5, 2])
    """
    check_dtype(dtype)
    return traced(Model.of(estimator, embedding=embedding), dtype)
