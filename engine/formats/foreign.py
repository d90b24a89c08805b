"""Files that lie where weights should: what they are, by their first bytes or by their names, and what
to do instead.
"""

from __future__ import annotations

from collections.abc import Callable

KIND_BYTES = 512
"""The bytes that tell what a file is."""

RUNS_CODE = "which can run code when it is read, so it is not opened"
FROM_TORCH = (
    "where you trust it, load it and write safetensors.torch.save_file(model.state_dict(), "
    "'FILE.safetensors')"
)
AS_NPZ = "write its arrays with numpy.savez('FILE.npz', **{'0.weight': array, ...})"

PICKLED = (".pkl", ".pickle", ".joblib")
OTHER_SUFFIXES = {
    ".keras": f"a Keras model by its name - {AS_NPZ}",
    ".npy": f"one array without a name, by its name - {AS_NPZ}",
    ".msgpack": f"a msgpack file by its name - {AS_NPZ}",
    ".gguf": f"a GGUF file by its name - {AS_NPZ}",
}
ANSWERS = (
    b"<?xml",
    b'{"error',
    b'{"message',
    b"not found",
    b"404: not found",
    b"entry not found",
    b"repository not found",
    b"access denied",
    b"access to model",
    b"invalid credentials",
    b"invalid username",
    b"unauthorized",
    b"forbidden",
)
"""How servers begin what they send in place of a file."""
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of the older layout of torch.save: its magic number."""


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda first: first.startswith(starts)


def _text_begins(*starts: bytes) -> Callable[[bytes], bool]:
    def begins(first: bytes) -> bool:
        text = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
        return text.startswith(starts)

    return begins


def _is_torch(first: bytes) -> bool:
    return first.startswith(OLD_TORCH) or (first.startswith(b"PK\3\4") and b"data.pkl" in first)


def _is_pickle(first: bytes) -> bool:
    """Return whether the bytes begin a pickle of protocol 2 or later.

    A safetensors file can begin alike, with the length of its header, and then has a brace.
    """
    begins = first[:1] == b"\x80" and first[1:2] in (b"\2", b"\3", b"\4", b"\5")
    return begins and len(first) > 8 and first[8:9] != b"{"


def _is_safetensors(first: bytes) -> bool:
    length = int.from_bytes(first[:8], "little")
    return first[8:9] == b"{" and 2 <= length < 1 << 27


def _is_packed(*starts: bytes) -> Callable[[bytes], bool]:
    """Return whether a file begins so, and not like a safetensors file with such a length."""
    return lambda first: first.startswith(starts) and not _is_safetensors(first)


def _is_tar(first: bytes) -> bool:
    return first[257:265] in (b"ustar\x0000", b"ustar  \0")


KINDS: tuple[tuple[str, Callable[[bytes], bool], str], ...] = (
    ("", lambda first: not first, "empty - download or copy it again"),
    (
        "",
        _text_begins(b"version https://git-lfs"),
        "a Git LFS pointer, not the file it stands for - fetch that with git lfs pull",
    ),
    (
        "",
        _text_begins(b"<!doctype html", b"<html", b"<head", b"<body"),
        "a web page (HTML), not weights - download the file itself",
    ),
    (
        "",
        _text_begins(*ANSWERS),
        "the answer of a server, not weights - download the file itself",
    ),
    ("pth", _is_torch, "a file of torch.save by its content - call it FILE.pth"),
    ("pth", _is_pickle, f"a pickle, {RUNS_CODE} - {FROM_TORCH}"),
    ("hdf5", _begins(b"\x89HDF"), "an HDF5 file by its content - call it FILE.h5"),
    ("", _begins(b"\x93NUMPY"), f"one array without a name (.npy) - {AS_NPZ}"),
    ("", _begins(b"GGUF"), f"a GGUF file - {AS_NPZ}"),
    ("", _is_packed(b"\x1f\x8b\x08"), "a gzip file - unpack it with gunzip"),
    ("", _is_packed(b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"), "a compressed file - unpack it"),
    ("", _is_tar, "a tar archive - unpack it with tar -xf"),
    (
        "safetensors",
        _is_safetensors,
        "a safetensors file by its content - call it FILE.safetensors",
    ),
)
"""(the format that reads it, whether a file of these first bytes is one, what it is and what to do)."""


def other_kind(first: bytes, reader: str = "") -> str | None:
    """Return what a file is that begins with these bytes, if it is what often lies in the place of
    weights, and what to do; else None. Files that the format `reader` reads are no others to it.
    """
    for format_name, is_one, said in KINDS:
        if not (reader and format_name == reader) and is_one(first):
            return said
    return None


def other_suffix(suffix: str) -> str | None:
    """Return what a file with this suffix is, if it is weights that no format here reads, and what to
    do; else None.
    """
    if suffix.lower() in PICKLED:
        return f"a pickle by its name, {RUNS_CODE} - {FROM_TORCH}"
    return OTHER_SUFFIXES.get(suffix.lower())
