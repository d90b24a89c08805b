"""A watched construction: every write to every parameter's memory is noted, whatever the way."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.record.models import held_by  # noqa: E402
from initlab.runner.torch.watch.record.recording import Recording  # noqa: E402


def watched(build):
    """Return {name: (law of each write, in order)} of what `build` makes."""
    with Recording() as recording:
        model = build()
    return {
        one.name: [write.content.name for write in one.history.writes]
        for one in held_by(model, recording)
    }


def test_a_layer_is_written_by_its_constructor():
    found = watched(lambda: nn.Linear(4, 3))
    assert found == {"weight": ["Uniform(-0.5, 0.5)"], "bias": ["Uniform(-0.5, 0.5)"]}


def test_writes_through_data_count():
    def build():
        layer = nn.Linear(4, 3)
        layer.weight.data.normal_(0.0, 0.02)
        layer.bias.data.zero_()
        return layer

    found = watched(build)
    assert found["weight"][1:] == ["Normal(0, 0.02)"]
    assert found["bias"][1:] == ["Constant(0)"]


def test_writes_through_detach_and_no_grad_count():
    def build():
        layer = nn.Linear(4, 3)
        layer.weight.detach().uniform_(-1, 1)
        with torch.no_grad():
            layer.bias.fill_(2.0)
        return layer

    found = watched(build)
    assert found["weight"][1:] == ["Uniform(-1, 1)"]
    assert found["bias"][1:] == ["Constant(2)"]


def test_a_temporary_that_is_initialized_and_then_copied_gives_its_law():
    def build():
        layer = nn.Linear(4, 3)
        values = torch.empty(3, 4)
        nn.init.normal_(values, std=0.1)
        layer.weight.data.copy_(values)
        return layer

    assert watched(build)["weight"][-1] == "Normal(0, 0.1)"


def test_data_that_is_replaced_has_the_history_of_the_new_memory():
    def build():
        layer = nn.Linear(4, 3)
        layer.weight.data = 0.5 * torch.randn(3, 4)
        return layer

    assert watched(build)["weight"] == ["Normal(0, 0.5)"]


def test_arithmetic_with_a_number_changes_the_law():
    def build():
        layer = nn.Linear(4, 3)
        nn.init.normal_(layer.weight, std=0.02)
        layer.weight.data.mul_(0.5)
        layer.bias = nn.Parameter(torch.rand(3) * 2 - 1)
        return layer

    found = watched(build)
    assert found["weight"][-2:] == ["Normal(0, 0.02)", "Normal(0, 0.01)"]
    assert found["bias"] == ["Uniform(-1, 1)"]


def test_functions_of_torch_nn_init_are_one_write_each():
    def build():
        layer = nn.Linear(8, 8)
        nn.init.trunc_normal_(layer.weight, std=0.02, a=-0.04, b=0.04)
        nn.init.orthogonal_(layer.weight, gain=2.0)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.sparse_(layer.weight, 0.5)
        return layer

    found = watched(build)["weight"][1:]
    assert found == [
        "TruncatedNormal(0, 0.02, [-2, 2])",
        "Haar(2)",
        "Normal(0, 0.5)",
        "sparse_(sparsity=0.5, std=0.01)",
    ]


def test_a_cut_that_is_too_far_cuts_nothing():
    def build():
        layer = nn.Linear(8, 8)
        nn.init.trunc_normal_(layer.weight, std=0.02)
        return layer

    assert watched(build)["weight"][-1] == "Normal(0, 0.02)"


def test_a_deep_copy_has_the_law_of_what_was_copied():
    assert watched(lambda: copy.deepcopy(nn.Linear(4, 3)))["weight"] == ["Uniform(-0.5, 0.5)"]


def test_a_model_from_meta_has_the_history_of_its_new_memory():
    def build():
        with torch.device("meta"):
            model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 4))
        model.to_empty(device="cpu")
        nn.init.normal_(model[0].weight, std=0.3)
        return model

    found = watched(build)
    assert found["0.weight"] == ["Normal(0, 0.3)"]
    assert found["1.weight"] == []


@pytest.mark.parametrize("assign", [False, True])
def test_a_state_dict_that_is_loaded_is_a_write(assign):
    source = nn.Linear(4, 3).state_dict()

    def build():
        layer = nn.Linear(4, 3)
        layer.load_state_dict(source, assign=assign)
        return layer

    with Recording() as recording:
        model = build()
    weight = held_by(model, recording)[0].history
    assert weight.writes[-1].loaded if not assign else not weight.seen


def test_weight_norm_has_histories_of_its_originals():
    found = watched(lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)))
    assert found["parametrizations.weight.original1"][-1] == "Uniform(-0.5, 0.5)"
    assert "norm" in found["parametrizations.weight.original0"][-1]


def test_watching_changes_no_value_and_no_state():
    def build():
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(8, 8), nn.LSTM(4, 4), nn.Embedding(5, 4, padding_idx=0))

    plain = build()
    before = torch.are_deterministic_algorithms_enabled()
    with Recording():
        seen = build()
    assert torch.are_deterministic_algorithms_enabled() == before
    for name, value in plain.state_dict().items():
        assert torch.equal(value, seen.state_dict()[name]), name


def test_fresh_memory_holds_nan_only_while_it_is_watched():
    with Recording():
        assert torch.empty(5).isnan().all()
        assert torch.empty(5, dtype=torch.bfloat16).isnan().all()
        assert (torch.empty(5, dtype=torch.int64) == torch.iinfo(torch.int64).max).all()
        assert torch.ones(2).resize_(4)[2:].isnan().all()
        assert torch.ones(2).new_empty(3).isnan().all()
    with pytest.raises(ValueError, match="stop"), Recording():
        raise ValueError("stop")
    assert not torch.ones(100).add(1).isnan().any()


def test_the_record_of_memory_that_is_gone_is_dropped():
    with Recording() as recording:
        for _ in range(10_000):
            torch.zeros(1)
        kept = torch.randn(3)
    assert len(recording) < 6000
    assert recording.last(kept).op == "randn"
