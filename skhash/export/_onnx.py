"""Models as ONNX files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from skhash.archive import library_versions, replacing
from skhash.export._module import Model, check_dtype
from skhash.export._program import quiet, told, traced

_OPSET = 18
# What protobuf can hold, less room for the graph.
_MOST_BYTES = (1 << 31) - (1 << 24)


def to_onnx(
    estimator: Any,
    path: str | PathLike[str],
    *,
    dtype: str = "float32",
    embedding: bool = False,
) -> None:
    """Write a fitted model into an ONNX file, which runs without skhash and torch.

    Preprocessing, network and packing are in the graph: items go in, codes come out,
    in any language that has an ONNX runtime. The file is written whole or not at all.
    Needs the extra ``export``: ``pip install "skhash[export]"``.

    Parameters
    ----------
    estimator : DeepHashEncoder, method of `skhash.baselines`, or Pipeline
        Fitted. A pipeline ends in one of these; before may stand StandardScaler,
        MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, SimpleImputer, PCA and
        TruncatedSVD. Networks of your own are exported if torch can.
    path : str or path
        The file, made or replaced.
    dtype : {"float32", "float64", "uint8"}, default="float32"
        What X will be.
    embedding : bool, default=False
        Whether the real outputs z are an output, too.

    Raises
    ------
    TypeError
        If the estimator, or a step of it, is of another class.
    ValueError
        If `dtype` is another, the network cannot be put into a graph, or its weights
        take 2 GB, which is more than one file can hold.
    NotFittedError
        If the estimator is not fitted.
    ImportError
        If onnx or onnxscript is not installed.
    OSError
        If the file cannot be written.

    See Also
    --------
    to_torch : The same as a program of torch.export.

    Notes
    -----
    The graph is of opset 18, IR version 10. Its input ``X`` has the shape
    (n, `*input_shape_`) or, for pipelines and shallow methods, (n, n_features), with
    any n. Its output ``codes`` is uint8 of shape (n, ceil(n_bits / 8)), the first bit
    highest, whatever the estimator's `output`; with `embedding`, ``z`` is float32 of
    shape (n, n_bits).

    Codes equal those of `transform` but where z is next to zero, since sums are rounded
    otherwise. Values are not checked: NaN gives some code. The metadata of the file
    tells ``skhash_version``, ``classes``, ``n_bits`` and, of an encoder, ``loss``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import onnxruntime
    >>> from sklearn.datasets import load_digits
    >>> from skhash import DeepHashEncoder
    >>> from skhash.export import to_onnx
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X.astype(np.float32)
    >>> encoder = DeepHashEncoder(16, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.onnx"
    ...     to_onnx(encoder, path)
    ...     session = onnxruntime.InferenceSession(path)
    >>> (codes,) = session.run(["codes"], {"X": X})
    >>> np.array_equal(codes, encoder.transform(X))
    True
    """
    check_dtype(dtype)
    _import_onnx()
    target = Path(path)
    if not target.resolve().parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(target.parent)!r} to write to."
        )
    model = Model.of(estimator, embedding=embedding)
    size = sum(each.nbytes for each in model.module.state_dict().values())
    if size > _MOST_BYTES:
        raise ValueError(
            f"The weights take {size / 1e9:.1f} GB, and an ONNX file holds 2 GB at "
            "most. Use skhash.export.to_torch, or a smaller network."
        )
    content = _graph(model, dtype).SerializeToString()
    with replacing(target) as file:
        file.write(content)


def _import_onnx() -> None:
    """Say early what is missing."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Writing ONNX files needs onnx and onnxscript: "
            'pip install "skhash[export]".'
        ) from error


def _graph(model: Model, dtype: str) -> Any:
    """The graph, as `onnx.ModelProto`.

    Raises
    ------
    ValueError
        If the network cannot be put into one.
    """
    import onnx
    import torch

    program = traced(model, dtype)
    outputs = ["codes", "z"] if model.module.embedding else ["codes"]
    try:
        with quiet():
            exported: Any = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=_OPSET,
                input_names=["X"],
                output_names=outputs,
                verbose=False,
            )
    except Exception as error:
        raise ValueError(
            f"This {model.classes[-1]} cannot be put into an ONNX graph, whose network "
            f"may do what ONNX has no operation for: {told(error)}"
        ) from error
    graph = exported.model_proto
    _tidy(graph)
    graph.producer_name, graph.producer_version = "skhash", library_versions()["skhash"]
    onnx.helper.set_model_props(graph, _metadata(model))
    onnx.checker.check_model(graph, full_check=True)
    return graph


def _tidy(model: Any) -> None:
    """Name the number of items, and leave out where on this machine the code lies."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for values in (model.graph.metadata_props, model.graph.value_info):
        del values[:]
    for value in (*model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _metadata(model: Model) -> dict[str, str]:
    """What the file tells of its model."""
    told = {
        "skhash_version": library_versions()["skhash"],
        "classes": ", ".join(model.classes),
        "n_bits": str(model.n_bits),
    }
    last = model.steps[-1]
    if hasattr(last, "loss_"):
        told["loss"] = type(last.loss_).__name__
    return told
