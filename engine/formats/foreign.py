"""Files that lie where weights should: what they are, by their first bytes or by their names, and what
to do instead.

Pickles are never opened: reading one runs the code in it.
"""

from __future__ import annotations

KIND_BYTES = 512
"""The bytes that tell what a file is."""

RUNS_CODE = "which can run code when it is read, so it is not opened"
FROM_TORCH = (
    "where you trust it, load it with torch and write safetensors.torch.save_file(model.state_dict(), "
    "'FILE.safetensors')"
)
AS_NPZ = "write its arrays with numpy.savez('FILE.npz', **{'0.weight': array, ...})"

PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib")
OTHER_SUFFIXES = {
    ".h5": f"an HDF5 file by its name - {AS_NPZ}",
    ".hdf5": f"an HDF5 file by its name - {AS_NPZ}",
    ".keras": f"a Keras model by its name - {AS_NPZ}",
    ".npy": f"one array without a name, by its name - {AS_NPZ}",
    ".msgpack": f"a msgpack file by its name - {AS_NPZ}",
    ".onnx": f"an ONNX model by its name - {AS_NPZ}",
    ".gguf": f"a GGUF file by its name - {AS_NPZ}",
}


def other_kind(first: bytes) -> str | None:
    """Return what a file is that begins with these bytes, if it is what often lies in the place of
    weights, and what to do; else None.
    """
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if text.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file it stands for - fetch that with git lfs pull"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page (HTML), not weights - download the file itself"
    if text.startswith((b"<?xml", b'{"error', b'{"message', b"not found", b"access denied")):
        return "the answer of a server, not weights - download the file itself"
    if first.startswith(b"PK\x03\x04") and b"data.pkl" in first:
        return f"a pickle in a zip file, as torch.save writes it, {RUNS_CODE} - {FROM_TORCH}"
    if _is_pickle(first):
        return f"a pickle, {RUNS_CODE} - {FROM_TORCH}"
    if first.startswith(b"\x89HDF"):
        return f"an HDF5 file - {AS_NPZ}"
    if first.startswith(b"\x93NUMPY"):
        return f"one array without a name (.npy) - {AS_NPZ}"
    if first.startswith(b"GGUF"):
        return f"a GGUF file - {AS_NPZ}"
    return None


def other_suffix(suffix: str) -> str | None:
    """Return what a file with this suffix is, if it is weights that no format here reads, and what to
    do; else None.
    """
    if suffix.lower() in PICKLED:
        return f"a pickle by its name, {RUNS_CODE} - {FROM_TORCH}"
    return OTHER_SUFFIXES.get(suffix.lower())


def _is_pickle(first: bytes) -> bool:
    """Return whether the bytes begin a pickle of protocol 2 or later.

    A safetensors file can begin alike, with the length of its header, and then has a brace.
    """
    begins = first[:1] == b"\x80" and first[1:2] in (b"\2", b"\3", b"\4", b"\5")
    return begins and len(first) > 8 and first[8:9] != b"{"
