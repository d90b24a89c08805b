"""Which model is meant, and the tensors it has."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.torch.watch.record.models import held_by  # noqa: E402
from initlab.runner.torch.watch.record.recording import Recording  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


def test_the_watched_model_is_found_or_must_be_named():
    with watch() as w:
        inner = nn.Linear(2, 2)
        model = nn.Sequential(inner, nn.ReLU())
        nn.Linear(3, 3)
    assert w.examined().model is model
    with watch() as w:
        a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    with pytest.raises(ConfigError, match=r"2 models .*\(Linear, Linear\) - say which, as model="):
        w.check()
    assert w.check(model=a).ok and w.check(model=b).ok
    with watch() as w:
        pass
    with pytest.raises(ConfigError, match="no model was built in the watch"):
        w.check()


def test_parameters_on_meta_have_no_values_to_check():
    with watch() as w, torch.device("meta"):
        model = nn.Linear(2, 2)
    with pytest.raises(
        ConfigError, match=r"weight: is on the meta device, so it has no values - in"
    ):
        w.check(model=model)


def test_the_hooks_of_torch_are_put_back_also_after_an_exception():
    from torch.nn.modules import module

    def hooks():
        return [
            len(module._global_parameter_registration_hooks),
            len(module._global_buffer_registration_hooks),
            len(module._global_module_registration_hooks),
        ]

    before = hooks()
    with pytest.raises(RuntimeError, match="build"), watch():
        assert hooks() != before
        raise RuntimeError("build")
    assert hooks() == before
    assert not torch.ones(50).add(1).isnan().any()


def test_a_tensor_is_held_under_every_name_and_knows_the_first():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2)
            self.b = self.a
            self.c = nn.Linear(2, 2, bias=False)
            self.c.weight = self.a.weight
            self.register_buffer("kept", torch.ones(2))
            self.register_buffer("lost", torch.ones(2), persistent=False)

    held = {one.name: one for one in held_by(Shared(), Recording())}
    assert {name: one.tied_to for name, one in held.items() if one.tied_to} == {
        "b.weight": "a.weight", "b.bias": "a.bias", "c.weight": "a.weight",
    }  # fmt: skip
    assert [held[name].kept for name in ("a.weight", "kept", "lost")] == [True, True, False]


def test_views_of_one_memory_with_other_shapes_are_no_ties():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            flat = torch.ones(8)
            self.a, self.b = nn.Parameter(flat[:4]), nn.Parameter(flat[4:])
            self.c = nn.Parameter(flat.view(2, 4))

    assert [one.tied_to for one in held_by(Halves(), Recording())] == [None] * 3


def test_lazy_layers_have_no_shape_to_check():
    with watch() as w:
        model = nn.LazyLinear(4)
    with pytest.raises(ConfigError, match="weight: has no shape yet - give the model a batch"):
        w.check(model=model)
    with w:
        model(torch.ones(1, 3))
    assert w.check(model=model).ok


def test_fake_tensors_have_no_values_to_check():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with watch() as w, FakeTensorMode():
        model = nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="weight: is on the meta device"):
        w.check(model=model)


def test_a_sparse_buffer_is_left_alone():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("graph", torch.eye(4).to_sparse())
            self.register_buffer("made", torch.empty(4, 4, layout=torch.sparse_coo))

    with watch() as w:
        model = Model()
    assert w.check(model=model, allow=[]).ok
