"""Files of weights are found where they are; nothing is downloaded or deleted."""

from __future__ import annotations

import pytest

from initlab.engine import MXNetError
from initlab.engine.gluon.model_zoo import model_store


def test_a_file_that_is_there_is_found(tmp_path):
    (tmp_path / "net-0123abcd.params").touch()
    assert model_store.get_model_file("net", tmp_path) == str(tmp_path / "net-0123abcd.params")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MXNetError, match=f"get net.params and put it in {tmp_path}"):
        model_store.get_model_file("net", root=tmp_path)
    with pytest.raises(MXNetError, match="nothing is deleted here"):
        model_store.purge(tmp_path)


def test_other_packages_can_add_to_the_table_of_files():
    assert isinstance(model_store._model_sha1, dict)
