"""Batches split over devices, norms that are cut, and files by their SHA-1."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from initlab.engine import cpu, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn, utils


def test_a_batch_is_split_in_order():
    parts = utils.split_and_load(np.arange(6), [cpu(0), cpu(1)])
    assert [(p.context, p.asnumpy().tolist()) for p in parts] == [
        (cpu(0), [0, 1, 2]),
        (cpu(1), [3, 4, 5]),
    ]
    assert [p.shape for p in utils.split_data(nd.ones((5, 2)), 2, even_split=False)] == [
        (3, 2),
        (2, 2),
    ]
    assert [p.shape for p in utils.split_data(nd.ones((2, 2)), 3, even_split=False)] == [
        (1, 2),
        (1, 2),
        (0, 2),
    ]
    assert [
        p.shape for p in utils.split_data(nd.ones((2, 5)), 3, batch_axis=1, even_split=False)
    ] == [
        (2, 2),
        (2, 2),
        (2, 1),
    ]
    with pytest.raises(
        ValueError,
        match=r"shape \(5, 2\) cannot be evenly split into 2 slices along axis 0. Use a batch size that's multiple of 2",
    ):
        utils.split_data(nd.ones((5, 2)), 2)


def test_the_norm_of_many_arrays_is_cut():
    arrays = [nd.ones((3,)), nd.ones((2, 2), ctx=cpu(1)) * 2]
    assert utils.clip_global_norm(arrays, 1.0) == pytest.approx(np.sqrt(19))
    assert sum((a**2).sum().asscalar() for a in arrays) == pytest.approx(1.0)
    before = [a.asnumpy() for a in arrays]
    norm = utils.clip_global_norm(arrays, 10.0, check_isfinite=False)
    assert norm.shape == (1,)
    assert all((a.asnumpy() == b).all() for a, b in zip(arrays, before, strict=True))
    with pytest.warns(
        UserWarning, match="nan or inf is detected. Clipping results will be undefined."
    ):
        assert np.isnan(utils.clip_global_norm([nd.array([np.nan])], 1.0))
    with pytest.raises(AssertionError, match="at least one array"):
        utils.clip_global_norm([], 1.0)


def test_a_file_is_known_by_its_sha1(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"weights")
    assert utils.check_sha1(path, hashlib.sha1(b"weights").hexdigest())
    assert not utils.check_sha1(path, "0" * 40)


def test_a_download_is_a_file_that_is_there_or_one_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = "https://example.org/a/data.bin"
    with pytest.raises(MXNetError) as caught:
        utils.download(url)
    assert (
        str(caught.value)
        == f"nothing is downloaded here - get {url} and put it at {tmp_path}/data.bin"
    )
    (tmp_path / "data.bin").write_bytes(b"abc")
    assert utils.download(url) == utils.download(url, tmp_path) == str(tmp_path / "data.bin")
    assert utils.download(url, "data.bin", sha1_hash="a9993e364706816aba3e25717850c26c9cd0d89d")
    with pytest.raises(MXNetError, match="its SHA-1 is not 00 - get"):
        utils.download(url, sha1_hash="00")
    with pytest.raises(MXNetError, match="nothing is downloaded here"):
        utils.download(url, overwrite=True)


def test_a_hooks_handle_is_found_where_mxnet_has_it():
    layer = nn.Flatten()
    assert isinstance(layer.register_forward_hook(lambda *args: None), utils.HookHandle)


def test_the_address_of_files_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("MXNET_GLUON_REPO", "https://example.org/files/")
    assert utils._get_repo_url() == "https://example.org/files/"
    assert utils._get_repo_file_url("models", "a.zip") == "https://example.org/files/models/a.zip"
    monkeypatch.delenv("MXNET_GLUON_REPO")
    assert utils._get_repo_url() == "the repository of MXNet/"


def test_a_file_takes_the_place_of_another(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    utils.replace_file(tmp_path / "new", tmp_path / "old")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("old", "new")]
