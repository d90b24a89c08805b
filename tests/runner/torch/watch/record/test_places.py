"""Whose code an operation was called from."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.record.places import Call, shown  # noqa: E402
from initlab.runner.torch.watch.record.recording import Recording  # noqa: E402


def places(build):
    """Return the places of the writes to the tensor that `build` gives, the last first."""
    with Recording() as recording:
        tensor = build()
    return [event.place for event in recording.last(tensor).past if not event.unset]


def test_a_layer_of_torch_writes_in_its_own_name_where_it_is_constructed():
    (place,) = places(lambda: nn.Linear(2, 2).weight)
    assert place.constructing and place.writer == ("torch/nn/modules/linear.py", "reset_parameters")
    assert place.chain[0][:2] == ("test_places.py", "<lambda>")


def test_a_reset_on_purpose_is_the_callers():
    layer = nn.Linear(2, 2)

    def build():
        layer.reset_parameters()
        return layer.weight

    (place,) = places(build)
    assert not place.constructing and place.writer == ("test_places.py", "build")


def test_calls_of_torch_nn_init_have_their_arguments():
    (place, *_) = places(lambda: nn.init.trunc_normal_(torch.empty(9), std=0.02))
    call = Call("trunc_normal_", (("mean", 0.0), ("std", 0.02), ("a", -2.0), ("b", 2.0)))
    assert place.calls[-1] == call
    assert str(call) == "trunc_normal_(mean=0, std=0.02, a=-2, b=2)"


def test_loading_is_seen_as_such():
    layer = nn.Linear(2, 2)

    def build():
        layer.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)})
        return layer.weight

    assert places(build)[0].loading


def test_python_s_own_library_is_nobodys_code():
    import copy

    (place,) = places(lambda: copy.deepcopy(torch.ones(2)))[:1]
    assert place.chain[0][:2] == ("test_places.py", "<lambda>")


def test_a_file_is_shown_within_its_package(tmp_path):
    package = tmp_path / "net" / "layers"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    assert shown(str(package / "attention.py")) == "net/layers/attention.py"
    assert shown(str(tmp_path / "train.py")) == "train.py"
    assert shown(nn.init.__file__) == "torch/nn/init.py"
