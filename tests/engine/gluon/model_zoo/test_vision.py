"""Networks of MXNet's model zoo: importing works, making one says what to write instead."""

from __future__ import annotations

import pytest

from initlab.engine import MXNetError
from initlab.engine.gluon import model_zoo


def test_a_network_is_one_error():
    with pytest.raises(MXNetError, match=r"get_model\('resnet18_v1'\): MXNet's networks are not"):
        model_zoo.vision.get_model("resnet18_v1", pretrained=True)
    with pytest.raises(AttributeError, match=r"vision\.resnet18_v1: MXNet's networks are not here"):
        model_zoo.vision.resnet18_v1(pretrained=True)
