"""Datasets in files: each format as it is written, what is missing, what is damaged."""

from __future__ import annotations

import gzip
import io
import tarfile

import numpy as np
import pytest

from initlab.engine import gluon
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.gluon.data import vision

RNG = np.random.RandomState(0)
DIGITS = RNG.randint(0, 256, (4, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 0, 9, 1], np.uint8)
PHOTOS = RNG.randint(0, 256, (3, 3, 32, 32)).astype(np.uint8)


def idx(values):
    return (
        bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">u4").tobytes() + values.tobytes()
    )


def write_digits(folder, part="train", pack=gzip.compress, ending=".gz"):
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(idx(DIGITS)))
    (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(LABELS)))


@pytest.mark.parametrize("kind", [vision.MNIST, vision.FashionMNIST])
def test_digits_are_read(kind, tmp_path):
    write_digits(tmp_path)
    found = kind(root=tmp_path)
    assert len(found) == 4
    image, label = found[2]
    assert (image.shape, image.dtype, label.dtype) == ((28, 28, 1), np.uint8, np.int32)
    assert (image.asnumpy()[..., 0] == DIGITS[2]).all()
    assert label == 9
    images, labels = found[1:3]
    assert (images.shape, labels.tolist()) == ((2, 28, 28, 1), [0, 9])


def test_files_may_be_unpacked_and_the_test_part_has_other_names(tmp_path):
    write_digits(tmp_path, "t10k", bytes, "")
    found = vision.MNIST(root=tmp_path, train=False, transform=lambda x, y: (x / 255, y + 1))
    assert found[0][1] == 4
    with pytest.raises(FileNotFoundError, match=r"train-labels-idx1-ubyte\.gz is missing - put"):
        vision.MNIST(root=tmp_path)


def test_batches_of_digits(tmp_path):
    write_digits(tmp_path)
    transform = vision.transforms.ToTensor()
    loader = gluon.data.DataLoader(vision.MNIST(tmp_path).transform_first(transform), 2)
    (images, labels), _ = loader
    assert (images.shape, images.dtype) == ((2, 1, 28, 28), np.float32)
    assert labels.asnumpy().tolist() == [3, 0]


def test_the_default_folder_is_below_a_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("MXNET_HOME", str(tmp_path))
    write_digits(tmp_path / "datasets")
    (tmp_path / "datasets").rename(tmp_path / "files")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "files").rename(tmp_path / "datasets" / "fashion-mnist")
    assert len(vision.FashionMNIST()) == 4
    with pytest.raises(FileNotFoundError) as caught:
        vision.MNIST()
    assert str(caught.value) == (
        f"MNIST: {tmp_path}/datasets/mnist/train-labels-idx1-ubyte.gz is missing - put "
        "train-labels-idx1-ubyte.gz of MNIST there, or give its folder as root; nothing is downloaded "
        "here"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "is no whole gzip file"),
        (gzip.compress(idx(LABELS))[:-9], "is no whole gzip file"),
        (gzip.compress(b"abcd"), "is no IDX file of bytes with 1 axes: begins with 61626364"),
        (gzip.compress(b""), "begins with nothing"),
        (gzip.compress(idx(DIGITS)), "begins with 00000803"),
        (gzip.compress(idx(LABELS)[:-1]), "says 4 values, but has 3"),
        (gzip.compress(b"\0\0\x08\x01\xff\xff\xff\xff"), "says 4294967295 values, but has 0"),
        (gzip.compress(idx(LABELS[:3])), "4 images, but 3 labels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip writes the time
)
def test_damaged_digits_are_one_error(content, said, tmp_path):
    write_digits(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(FormatError, match=said):
        vision.MNIST(tmp_path)


def rows(*labels):
    first = np.array(labels, np.uint8).T.reshape(len(PHOTOS), -1)
    return np.concatenate([first, PHOTOS.reshape(len(PHOTOS), -1)], axis=1).tobytes()


def test_photographs_are_read(tmp_path):
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}.bin").write_bytes(rows((i, 1, 2)))
    found = vision.CIFAR10(tmp_path)
    assert len(found) == 15
    image, label = found[3]
    assert (image.shape, image.dtype, label) == ((32, 32, 3), np.uint8, 2)
    assert (image.asnumpy() == PHOTOS[0].transpose(1, 2, 0)).all()
    with pytest.raises(
        FileNotFoundError,
        match=r"CIFAR10: .*test_batch\.bin is missing - put test_batch\.bin, or cifar-10-binary\.tar\.gz,",
    ):
        vision.CIFAR10(tmp_path, train=False)
    (tmp_path / "test_batch.bin").write_bytes(rows((1, 2, 3))[:-1])
    with pytest.raises(FormatError, match="9218 bytes are not rows of 3073 bytes"):
        vision.CIFAR10(tmp_path, train=False)


def packed(path, **files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-100-binary/{name}.bin")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def test_photographs_are_read_from_their_archive_which_stays_packed(tmp_path):
    archive = tmp_path / "cifar-100-binary.tar.gz"
    packed(archive, train=rows((1, 2, 3), (11, 12, 13)), readme=b"")
    assert [y for _, y in vision.CIFAR100(tmp_path)] == [1, 2, 3]
    assert [y for _, y in vision.CIFAR100(tmp_path, fine_label=True)] == [11, 12, 13]
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]
    with pytest.raises(FormatError, match=r"has no file test\.bin"):
        vision.CIFAR100(tmp_path, train=False)
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(FormatError, match="is no whole archive"):
        vision.CIFAR100(tmp_path)


def test_a_folder_of_images_has_a_folder_a_class(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for name in ("dog", "cat"):
        (tmp_path / name).mkdir()
        pillow.fromarray(PHOTOS[0].transpose(1, 2, 0)).save(tmp_path / name / "1.PNG")
    (tmp_path / "dog" / "notes.txt").write_text("")
    (tmp_path / "list.csv").write_text("")
    with pytest.warns(UserWarning, match="Ignoring .*") as warned:
        found = vision.ImageFolderDataset(tmp_path)
    assert [str(w.message).rpartition("/")[2] for w in warned] == [
        "notes.txt of type .txt. Only support .jpg, .jpeg, .png",
        "list.csv, which is not a directory.",
    ]
    assert (found.synsets, len(found)) == (["cat", "dog"], 2)
    image, label = found[1]
    assert (image.asnumpy() == PHOTOS[0].transpose(1, 2, 0)).all()
    assert label == 1
    with pytest.raises(FileNotFoundError, match="put a folder with one folder of images a class"):
        vision.ImageFolderDataset(tmp_path / "none")


def test_record_files_are_refused():
    with pytest.raises(MXNetError, match=r"a\.rec: RecordIO files are not read here - unpack"):
        vision.ImageRecordDataset("a.rec")
