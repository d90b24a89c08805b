"""NumPy's `.npz`: one `.npy` a tensor in a zip, uncompressed. Dates are fixed and names sorted, so that the bytes are canonical."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any, BinaryIO, ClassVar

import numpy as np

from engine import dtypes
from engine.errors import FormatError, MXNetError
from engine.formats.base import REGISTRY, Format, Snapshot, checked, little_endian

OURS = "__initlab__"
"""The entry that holds our JSON as bytes: `aliases`, `metadata`, and the `dtypes` that `.npy` cannot name (bfloat16)."""
DATE = (1980, 1, 1, 0, 0, 0)


class Npz(Format):
    """`.npz`, read by `numpy.load(path, allow_pickle=False)`. bfloat16 tensors appear there as uint16."""

    name: ClassVar[str] = "npz"
    suffix: ClassVar[str] = ".npz"

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """The tensors by name, then our own entry."""
        arrays, other = {}, {}
        for name in sorted(snapshot.tensors):
            checked(name != OURS, f"a tensor cannot be called '{OURS}'")
            array = little_endian(snapshot.tensors[name])
            if array.dtype.name == "bfloat16":
                other[name] = array.dtype.name
                array = array.view(np.uint16)
            arrays[name] = array
        ours = {"aliases": snapshot.aliases, "metadata": snapshot.metadata, "dtypes": other}
        text = json.dumps(ours, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("utf-8")
        arrays[OURS] = np.frombuffer(text, np.uint8)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy", DATE)
                entry.external_attr = 0o644 << 16
                with archive.open(entry, "w", force_zip64=True) as target:
                    np.lib.format.write_array(target, array, version=(1, 0), allow_pickle=False)

    def parse(self, data: bytes) -> Snapshot:
        """Every entry is read and its checksum checked."""
        arrays: dict[str, np.ndarray] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.infolist():
                    name = entry.filename.removesuffix(".npy")
                    checked(name not in arrays, f"is damaged: it has '{name}' twice")
                    with archive.open(entry) as source:
                        arrays[name] = np.lib.format.read_array(source, allow_pickle=False)
                        checked(not source.read(1), f"is damaged: tensor '{name}' is followed by other bytes")
        except FormatError:
            raise
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError, OSError, OverflowError) as error:
            raise FormatError(f"is damaged, cut short or no npz file ({error})") from None
        ours = _ours(arrays.pop(OURS, None))
        for name, dtype in ours["dtypes"].items():
            checked(name in arrays and arrays[name].dtype == np.uint16, f"is damaged: tensor '{name}' is not there as announced")
            try:
                arrays[name] = arrays[name].view(dtypes.resolve(dtype))
            except MXNetError as error:
                raise FormatError(str(error)) from None
        return Snapshot(arrays, ours["aliases"], ours["metadata"])


def _ours(entry: np.ndarray | None) -> dict[str, Any]:
    if entry is None:
        return {"aliases": {}, "metadata": {}, "dtypes": {}}
    try:
        ours = json.loads(entry.tobytes().decode("utf-8"))
        proper = all(isinstance(ours[key], dict) for key in ("aliases", "metadata", "dtypes"))
    except (ValueError, KeyError, TypeError):
        proper = False
    checked(proper, "is damaged: its alias table is not as we write it")
    return ours


REGISTRY.add(Npz.name, Npz())
