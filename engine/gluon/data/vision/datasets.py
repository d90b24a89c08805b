"""Datasets of images in files that are there (MXNet: gluon/data/vision/datasets.py).

Nothing is downloaded. Where a file is missing, the error says which file belongs where. Folders are
below `$MXNET_HOME/datasets`, by default `~/.mxnet/datasets`, unless `root` is given.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from initlab.engine import image, nd
from initlab.engine.base import data_dir
from initlab.engine.errors import FormatError
from initlab.engine.gluon.data.dataset import Dataset, RecordFileDataset
from initlab.engine.warning import warn

Transform = Callable[[nd.NDArray, Any], Any]
"""(image, label) -> the sample."""
IMAGES = (".jpg", ".jpeg", ".png")


def missing(kind: str, path: Path, what: str) -> FileNotFoundError:
    """Return the error for a file that is not there."""
    return FileNotFoundError(
        f"{kind}: {path} is missing - put {what} there, or give its folder as root; nothing is "
        "downloaded here"
    )


class _InFiles(Dataset):
    """Images and labels that are read at once; sample i is (image, label), or its transform."""

    folder: ClassVar[str]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform | None = None,
    ) -> None:
        default = Path(data_dir()) / "datasets" / self.folder
        self._root = default if root is None else Path(root).expanduser()
        self._train = train
        self._transform = transform
        images, self._label = self._read()
        self._data = nd.array(images, dtype=images.dtype)

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the images (count, height, width, channels) and the labels, int32."""
        raise NotImplementedError

    def __getitem__(self, idx: int) -> Any:
        if self._transform is not None:
            return self._transform(self._data[idx], self._label[idx])
        return self._data[idx], self._label[idx]

    def __len__(self) -> int:
        return len(self._label)


class MNIST(_InFiles):
    """Handwritten digits: 60,000 images (28, 28, 1) of bytes, 10,000 with `train=False`.

    Reads `train-images-idx3-ubyte.gz`, `train-labels-idx1-ubyte.gz` and the two `t10k-…` files,
    packed or unpacked. Raises FileNotFoundError if one is missing, FormatError if it is damaged.
    """

    folder = "mnist"

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        part = "train" if self._train else "t10k"
        labels = self._idx(f"{part}-labels-idx1-ubyte", 1)
        images = self._idx(f"{part}-images-idx3-ubyte", 3)
        if len(images) != len(labels):
            raise FormatError(
                f"{self._root}: {len(images)} images, but {len(labels)} labels - files of one dataset "
                "belong together"
            )
        return images[..., None], labels.astype(np.int32)

    def _idx(self, name: str, axes: int) -> np.ndarray:
        """Return the bytes of an IDX file with this number of axes."""
        packed, plain = self._root / f"{name}.gz", self._root / name
        path = plain if plain.is_file() and not packed.is_file() else packed
        if not path.is_file():
            raise missing(type(self).__name__, path, f"{path.name} of {type(self).__name__}")
        try:
            content = path.read_bytes() if path == plain else gzip.decompress(path.read_bytes())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: is no whole gzip file ({error})") from error
        return idx(path, content, axes)


def idx(path: Path, content: bytes, axes: int) -> np.ndarray:
    """Return the array of bytes in an IDX file: a magic number, lengths of axes, and values.

    Raises FormatError if it has other axes, another dtype, or another length than it says.
    """
    start = 4 + 4 * axes
    if content[:4] != bytes((0, 0, 8, axes)) or len(content) < start:
        raise FormatError(
            f"{path}: is no IDX file of bytes with {axes} axes: begins with {content[:4].hex() or 'nothing'}"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", axes, 4))
    size = int(np.prod(np.array(shape, dtype=object)))
    if len(content) - start != size:
        raise FormatError(f"{path}: says {size} values, but has {len(content) - start}")
    return np.frombuffer(content, np.uint8, size, start).reshape(shape)


class FashionMNIST(MNIST):
    """Articles of clothing in ten classes, in files of the same names and form as MNIST's."""

    folder = "fashion-mnist"


class CIFAR10(_InFiles):
    """Photographs in ten classes: 50,000 images (32, 32, 3) of bytes, 10,000 with `train=False`.

    Reads `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, or these within
    `cifar-10-binary.tar.gz`. Raises FileNotFoundError if one is missing, FormatError if it is
    damaged.
    """

    folder = "cifar10"
    archive: ClassVar[str] = "cifar-10-binary.tar.gz"
    train_files: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
    test_files: ClassVar[tuple[str, ...]] = ("test_batch.bin",)
    labels: ClassVar[int] = 1
    """The number of labels before each image."""
    _column = 0

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        names = self.train_files if self._train else self.test_files
        row = self.labels + 3 * 32 * 32
        parts = []
        for name in names:
            content = self._content(name)
            if not content or len(content) % row:
                raise FormatError(
                    f"{self._root / name}: {len(content)} bytes are not rows of {row} bytes"
                )
            parts.append(np.frombuffer(content, np.uint8).reshape(-1, row))
        rows = np.concatenate(parts)
        images = rows[:, self.labels :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), rows[:, self._column].astype(np.int32)

    def _content(self, name: str) -> bytes:
        """Return the bytes of a file of the folder, or of one in its archive."""
        path, packed = self._root / name, self._root / self.archive
        if path.is_file():
            return path.read_bytes()
        if not packed.is_file():
            kind = type(self).__name__
            raise missing(kind, path, f"{name}, or {self.archive}, of {kind}'s binary version")
        try:
            with tarfile.open(packed) as tar:
                member = next((m for m in tar if m.isfile() and Path(m.name).name == name), None)
                file = None if member is None else tar.extractfile(member)
                content = None if file is None else file.read()
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise FormatError(f"{packed}: is no whole archive ({error})") from error
        if content is None:
            raise FormatError(f"{packed}: has no file {name}")
        return content


class CIFAR100(CIFAR10):
    """Photographs in 100 classes, or in their 20 groups unless `fine_label`; form as in CIFAR10.

    Reads `train.bin` and `test.bin`, or these within `cifar-100-binary.tar.gz`.
    """

    folder = "cifar100"
    archive: ClassVar[str] = "cifar-100-binary.tar.gz"
    train_files: ClassVar[tuple[str, ...]] = ("train.bin",)
    test_files: ClassVar[tuple[str, ...]] = ("test.bin",)
    labels: ClassVar[int] = 2

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        fine_label: bool = False,
        train: bool = True,
        transform: Transform | None = None,
    ) -> None:
        self._column = int(fine_label)
        super().__init__(root, train, transform)


class ImageFolderDataset(Dataset):
    """Images in one folder a class: `root/car/1.jpg`; sample i is (image, number of its class).

    `synsets` are the names of the classes, `items` the (file, number) of all images. `flag` 0 makes
    them grey. Reading an image needs Pillow. Raises FileNotFoundError if there is no folder `root`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        flag: int = 1,
        transform: Transform | None = None,
    ) -> None:
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise missing(type(self).__name__, folder, "a folder with one folder of images a class")
        self._flag = flag
        self._transform = transform
        self.synsets: list[str] = []
        self.items: list[tuple[str, int]] = []
        for path in sorted(folder.iterdir()):
            if not path.is_dir():
                warn(f"Ignoring {path}, which is not a directory.")
                continue
            self.synsets.append(path.name)
            for file in sorted(path.iterdir()):
                if file.suffix.lower() in IMAGES:
                    self.items.append((str(file), len(self.synsets) - 1))
                else:
                    said = f"{file} of type {file.suffix}. Only support {', '.join(IMAGES)}"
                    warn(f"Ignoring {said}")

    def __getitem__(self, idx: int) -> Any:
        file, label = self.items[idx]
        picture = image.imread(file, self._flag)
        return (picture, label) if self._transform is None else self._transform(picture, label)

    def __len__(self) -> int:
        return len(self.items)


class ImageRecordDataset(RecordFileDataset):
    """MXNet's dataset of images in a RecordIO file, which is not read here either."""
