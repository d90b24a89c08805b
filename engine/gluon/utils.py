"""Gluon's module of the same name: batches over several devices, and gradient clipping (MXNet:
gluon/utils.py).

The engine opens no network connection, so `download` finds a file that is there, or says where it
belongs.
"""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initlab.engine import nd
from initlab.engine.device import Device
from initlab.engine.errors import MXNetError
from initlab.engine.nd import NDArray
from initlab.engine.symbol import Symbol
from initlab.engine.warning import warn
from initlab.lazy import lazily

tensor_types = (NDArray, Symbol)
"""What a block may be called with (MXNet: `gluon.tensor_types`)."""


def shape_is_known(shape: Any) -> bool:
    """Return whether the length of every axis is known; None, () and 0 mean unknown.

    Raises AssertionError for a negative length.
    """
    if shape is None or len(shape) == 0:
        return False
    for size in shape:
        if size == 0:
            return False
        if size < 0:
            raise AssertionError(
                f"shape dimension size cannot be less than 0, while received {size}"
            )
    return True


def split_data(
    data: NDArray, num_slice: int, batch_axis: int = 0, even_split: bool = True
) -> list[NDArray]:
    """Split an array into `num_slice` parts along `batch_axis`.

    If the division is not even, the first parts are longer by 1; with `even_split` it raises
    ValueError instead.
    """
    size = data.shape[batch_axis]
    if even_split and size % num_slice:
        raise ValueError(
            f"data with shape {data.shape} cannot be evenly split into {num_slice} slices along axis "
            f"{batch_axis}. Use a batch size that's "
            f"multiple of {num_slice} or set even_split=False to allow uneven partitioning of data."
        )
    each, extra = divmod(size, num_slice)
    ends = [0]
    for number in range(num_slice):
        ends.append(ends[-1] + each + (number < extra))
    parts = zip(ends[:-1], ends[1:], strict=True)
    if batch_axis == 0:
        return [
            data[start:end] for start, end in parts
        ]  # a part may be empty, which slice_axis refuses
    return [data.slice_axis(axis=batch_axis, begin=start, end=end) for start, end in parts]


def split_and_load(
    data: Any, ctx_list: list[Device], batch_axis: int = 0, even_split: bool = True
) -> list[NDArray]:
    """Split a batch along `batch_axis` and copy one part to each device."""
    if not isinstance(data, NDArray):
        data = nd.array(data, ctx=ctx_list[0])
    if len(ctx_list) == 1:
        return [data.as_in_context(ctx_list[0])]
    parts = split_data(data, len(ctx_list), batch_axis, even_split)
    return [part.as_in_context(ctx) for part, ctx in zip(parts, ctx_list, strict=True)]


def clip_global_norm(arrays: list[NDArray], max_norm: float, check_isfinite: bool = True) -> Any:
    """Scale arrays in place so that the Euclidean norm of all their elements is at most `max_norm`.

    Returns the norm before scaling: a float, with a UserWarning if it is not finite, or without
    `check_isfinite` an array of shape (1,). Raises AssertionError if no array is given.
    """
    if not arrays:
        raise AssertionError("clip_global_norm needs at least one array")
    where = arrays[0].context
    total = nd.zeros((1,), ctx=where, dtype=arrays[0].dtype)
    for array in arrays:
        flat = array.reshape((-1,))
        total = total + nd.dot(flat, flat).as_in_context(where)
    norm = total.sqrt()
    if check_isfinite and not math.isfinite(norm.asscalar()):
        warn("nan or inf is detected. Clipping results will be undefined.")
    scale = nd.minimum(max_norm / (norm + 1e-8), 1.0)
    for array in arrays:
        array *= scale.as_in_context(array.context)
    return norm.asscalar() if check_isfinite else norm


def download(
    url: str,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    sha1_hash: str | None = None,
    retries: int = 5,
    verify_ssl: bool = True,
) -> str:
    """Return the path of the file that MXNet would store for `url`, if it is there already.

    That is `path`, or in the folder `path` (by default the working directory) the last part of the
    URL. Raises MXNetError if there is no such file, it has another SHA-1, or `overwrite`.
    """
    folder = Path.cwd() if path is None else Path(path).expanduser()
    file = folder / url.rsplit("/", 1)[-1] if path is None or folder.is_dir() else folder
    if overwrite or not file.is_file():
        raise MXNetError(f"nothing is downloaded here - get {url} and put it at {file}")
    if sha1_hash and not check_sha1(file, sha1_hash):
        raise MXNetError(f"{file}: its SHA-1 is not {sha1_hash} - get {url} again and put it there")
    return str(file)


def _get_repo_url() -> str:
    return os.environ.get("MXNET_GLUON_REPO", "the repository of MXNet/").rstrip("/") + "/"


def _get_repo_file_url(namespace: str, filename: str) -> str:
    return f"{_get_repo_url()}{namespace}/{filename}"


def replace_file(src: str | os.PathLike[str], dst: str | os.PathLike[str]) -> None:
    """Put the file `src` in the place of `dst`."""
    os.replace(src, dst)


def check_sha1(filename: str | os.PathLike[str], sha1_hash: str) -> bool:
    """Return whether the SHA-1 of a file is `sha1_hash`, in hex."""
    digest = hashlib.sha1(usedforsecurity=False)
    with open(filename, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == sha1_hash


if not TYPE_CHECKING:  # MXNet defines the class here
    __getattr__, __dir__ = lazily(__name__, (), {"HookHandle": "initlab.engine.gluon.block"})
