"""The plan of a module: rows, exact values in its own memory, digests, files."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402

import initlab  # noqa: E402
import initlab.torch as it  # noqa: E402
from initlab.engine.errors import FormatError  # noqa: E402
from initlab.runner.errors import ConfigError  # noqa: E402

ROOT = Path(__file__).parents[3]


def mlp(dtype=torch.float32):
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(dtype)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(6, 4, padding_idx=2)
        self.head = nn.Linear(4, 6, bias=False)
        self.head.weight = self.table.weight

    def forward(self, x):
        return self.head(self.table(x))


def test_the_values_and_the_root_digest_are_those_of_the_same_declared_network(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    layers = "[{kind: dense, units: 32, activation: relu, name: '0'}, {kind: dense, units: 10, name: '2'}]"
    run = initlab.declare(
        "init=he",
        "model=mlp",
        "model.input=[64]",
        f"model.layers={layers}",
        "data=uniform",
        "probe=none",
    ).run()
    module = mlp()
    planned = it.plan(module, "he")
    planned.apply(module)
    for path, tensor in module.state_dict().items():
        assert tensor.numpy().tobytes() == run[path].tobytes()
    assert planned.digests().root == run.manifest.digests.root


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_values_are_drawn_into_the_memory_that_is_there(dtype):
    module = mlp(getattr(torch, dtype))
    before = [p.data_ptr() for p in module.parameters()]
    planned = it.plan(module, "xavier", seed=3)
    planned.apply(module)
    assert [p.data_ptr() for p in module.parameters()] == before
    drawn = planned["0.weight"].draw()
    assert torch.equal(module[0].weight.float(), torch.from_numpy(drawn.astype(np.float32)))


def test_a_tensor_in_another_memory_format_gets_the_same_values():
    plain, last = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last)
    planned = it.plan(plain, "he")
    planned.apply(plain)
    planned.apply(last)
    assert not last.weight.is_contiguous()
    assert torch.equal(plain.weight, last.weight)


def test_a_law_that_is_drawn_whole_is_applied_too():
    module = mlp()
    it.plan(module, "orthogonal").apply(module)
    gram = module[2].weight @ module[2].weight.T
    assert torch.allclose(gram, gram[0, 0] * torch.eye(10), atol=1e-4)


def test_a_module_on_meta_is_planned_without_memory_and_refused_when_values_are_asked_for():
    with torch.device("meta"):
        module = mlp()
    planned = it.plan(module, "he")
    assert planned.digest == it.plan(mlp(), "he").digest
    with pytest.raises(ConfigError, match=r"0.weight: is on meta, .*to_empty"):
        planned.apply(module)
    module.to_empty(device="cpu")
    planned.apply(module)
    assert torch.equal(module[0].weight, torch.from_numpy(planned["0.weight"].draw()))


def test_tied_parameters_are_one_row_and_padding_rows_are_zero():
    module = Tied()
    planned = it.plan(module, {"kind": "normal", "sigma": 0.1})
    assert planned["head.weight"].alias_of == "table.weight"
    planned.apply(module)
    assert not module.table.weight[2].any()
    assert module.table.weight.count_nonzero() == 20
    other = Tied()
    other.head.weight = nn.Parameter(torch.empty(6, 4))
    with pytest.raises(
        ValueError, match="'head.weight' is not tied in the module, planned tied to 'table.weight'"
    ):
        planned.apply(other)


def test_nothing_is_written_if_anything_differs():
    planned = it.plan(mlp(), "he")
    wider = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 11))
    before = wider[0].weight.clone()
    with pytest.raises(
        ValueError, match=r"'2.weight' has shape \(11, 32\) in the module, planned \(10, 32\)"
    ):
        planned.apply(wider)
    with pytest.raises(
        ValueError, match="'0.weight' has dtype float64 in the module, planned float32"
    ):
        planned.apply(mlp(torch.float64))
    with pytest.raises(KeyError, match="no parameter '0.weight' - did you mean"):
        planned.apply(nn.Sequential(nn.ReLU(), nn.Linear(64, 32)))
    assert torch.equal(wider[0].weight, before)


def two():
    return nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))


def test_parameters_that_share_memory_without_being_one_are_refused():
    for share in (lambda w: w, lambda w: w.t(), lambda w: w.view(-1)[:].view(4, 4)):
        module = two()
        planned = it.plan(module, "he")
        module[1].weight = nn.Parameter(share(module[0].weight.data))
        before = module[0].weight.clone()
        with pytest.raises(ConfigError, match=r"1.weight: .*memory with '0.weight'"):
            planned.apply(module)
        assert torch.equal(module[0].weight, before)
    module = two()
    module[1].weight = nn.Parameter(torch.zeros(4, 1).expand(4, 4))
    with pytest.raises(ConfigError, match=r"1.weight: .*more than once"):
        planned.apply(module)


def test_parts_of_one_memory_that_do_not_overlap_are_written():
    memory = torch.zeros(4, 8)
    module = two()
    module[0].weight, module[1].weight = (nn.Parameter(memory[:, n::2]) for n in (0, 1))
    planned = it.plan(module, "he")
    planned.apply(module)
    for path in planned:
        assert np.array_equal(module.get_parameter(path).detach().numpy(), planned[path].draw())


def test_a_tensor_that_torch_reads_negated_gets_the_planned_values():
    module = nn.Linear(7, 5)
    module.weight = nn.Parameter(torch._neg_view(torch.zeros(5, 7)))
    plan = it.plan(module, "he")
    plan.apply(module)
    assert np.array_equal(module.weight.detach().resolve_neg().numpy(), plan["weight"].draw())


def test_torch_sees_that_values_changed_which_a_backward_pass_needs():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    output = module(torch.ones(1, 4))
    it.plan(module, "he").apply(module)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("applied", [False, True])
def test_inference_mode_changes_nothing(made, applied):
    with torch.inference_mode(made):
        module = mlp()
    plan = it.plan(module, "he")
    with torch.inference_mode(applied):
        plan.apply(module)
    for name, parameter in module.named_parameters():
        assert np.array_equal(parameter.detach().numpy(), plan[name].draw())


def test_a_parametrized_weight_is_set_through_its_parametrization():
    module = nn.Sequential(parametrizations.weight_norm(nn.Linear(8, 4)))
    planned = it.plan(module, "he")
    assert set(planned) == {"0.weight", "0.bias"}
    planned.apply(module)
    drawn = torch.from_numpy(planned["0.weight"].draw())
    assert torch.allclose(module[0].weight, drawn, rtol=1e-6)
    assert torch.allclose(module[0].parametrizations.weight.original0.ravel(), drawn.norm(dim=1))


def test_a_parametrization_that_cannot_give_the_values_is_an_error_and_nothing_is_written():
    module = nn.Sequential(nn.Linear(8, 8), parametrizations.spectral_norm(nn.Linear(8, 4)))
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    with pytest.raises(
        ConfigError, match="1.weight: its parametrization cannot give the planned values"
    ):
        it.plan(module, "he").apply(module)
    for name, value in module.named_parameters():
        assert torch.equal(value, before[name]), name


def test_a_module_without_parameters_is_refused():
    with pytest.raises(ConfigError, match="ReLU has no parameters"):
        it.plan(nn.ReLU(), "he")


def test_a_saved_plan_is_loaded_by_torch_under_its_own_names(tmp_path):
    from safetensors.torch import load_file

    module, planned = mlp(), it.plan(mlp(), "he", seed=5)
    planned.save(tmp_path / "model.safetensors")
    module.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(module[0].weight, torch.from_numpy(planned["0.weight"].draw()))
    tied = Tied()
    it.plan(tied, "he", seed=5).save(tmp_path / "tied.safetensors")
    tied.load_state_dict(load_file(tmp_path / "tied.safetensors"))  # strict: every name is there
    assert tied.head.weight is tied.table.weight and not tied.table.weight[2].any()
    with pytest.raises(ConfigError, match="must end in .safetensors"):
        planned.save(tmp_path / "model.pt")
    with pytest.raises((FormatError, OSError)):
        planned.save(tmp_path / "missing" / "model.safetensors")


def test_transformers_loads_a_saved_plan(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11, n_positions=4)
    planned = it.plan(transformers.GPT2LMHeadModel(config), {"kind": "normal", "sigma": 0.02})
    config.save_pretrained(tmp_path)
    planned.save(tmp_path / "model.safetensors")
    loaded = transformers.GPT2LMHeadModel.from_pretrained(tmp_path)
    expected = torch.from_numpy(planned["transformer.wte.weight"].draw())
    assert torch.equal(loaded.lm_head.weight, expected)


def test_a_sharded_tensor_gets_its_part(tmp_path):
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_module, distribute_tensor

    distributed.init_process_group("gloo", f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))

        def sharded(name, part, mesh):
            for key, parameter in part.named_parameters(recurse=False):
                part.register_parameter(
                    key, nn.Parameter(distribute_tensor(parameter, mesh, [Shard(0)]))
                )

        module = distribute_module(mlp(), mesh, sharded)
        planned = it.plan(module, "he")
        planned.apply(module)
        local = module[0].weight.to_local()
        assert torch.equal(local, torch.from_numpy(planned["0.weight"].draw()))
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: it.plan(3, "he"), TypeError, "must be a torch.nn.Module, got int"),
        (lambda: it.plan(mlp(), "hee"), ConfigError, "no initializer 'hee' - did you mean 'he'"),
        (lambda: it.plan(mlp(), "he", seed=-1), ValueError, "seed"),
        (
            lambda: it.plan(mlp(), {"kind": "normal", "sigm": 1}),
            ConfigError,
            "did you mean 'sigma'",
        ),
    ],
)
def test_bad_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_planning_leaves_the_module_and_the_random_state_alone():
    module = mlp()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    it.plan(module, "he").digests()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


SHARDS = """
import sys
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Shard, distribute_tensor
import initlab.torch as it

rank, store = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)
mesh = init_device_mesh("cpu", (2,))
module = nn.Sequential(nn.Linear(64, 33), nn.ReLU(), nn.Linear(33, 10))
whole = nn.Sequential(nn.Linear(64, 33), nn.ReLU(), nn.Linear(33, 10))
fully_shard(module, mesh=mesh)
columns = nn.Parameter(distribute_tensor(whole[0].weight.detach(), mesh, [Shard(1)]))
planned = it.plan(module, "he", seed=4)
planned.apply(module)
it.plan(whole, "he", seed=4).apply(whole)
for (name, a), (_, b) in zip(module.named_parameters(), whole.named_parameters()):
    assert a.placements[0].dim == 0, a.placements
    assert torch.equal(a.full_tensor(), b), name
whole[0].weight = columns
it.plan(whole, "he", seed=4).apply(whole)
assert torch.equal(columns.full_tensor(), module[0].weight.full_tensor())
distributed.destroy_process_group()
print("equal")
"""


@pytest.mark.slow
def test_each_process_writes_its_own_part_of_a_module_that_fsdp2_shards(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", SHARDS]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, cwd=ROOT
        )
        for rank in range(2)
    ]
    assert [one.communicate(timeout=240)[0] for one in ranks] == [b"equal\n"] * 2


def test_parameters_that_require_no_gradient_are_frozen():
    module = mlp()
    module[0].requires_grad_(False)
    plan = it.plan(module, "he")
    assert [row.path for row in plan.rows if row.frozen] == ["0.weight", "0.bias"]
    assert str(plan).splitlines()[2].endswith("frozen")
    plan.apply(module)
    assert [one.requires_grad for one in module.parameters()] == [False, False, True, True]
    normed = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    assert not any(row.frozen for row in it.plan(normed, "he").rows)


def test_a_diagnosis_asks_no_gradient_of_what_requires_none():
    module = mlp()
    it.plan(module, "he").apply(module)
    module[0].requires_grad_(False)
    inputs = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    assert not it.diagnose(module, inputs, torch.arange(64) % 10).findings
    assert not module[0].weight.requires_grad


def test_a_padding_row_is_zero_whichever_member_of_a_tie_comes_first(tmp_path):
    class HeadFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 6, bias=False)
            self.table = nn.Embedding(6, 4, padding_idx=2)
            self.head.weight = self.table.weight

    planned = it.plan(HeadFirst(), {"kind": "normal", "sigma": 0.1})
    assert planned["table.weight"].alias_of == "head.weight"
    assert [
        row for row, values in enumerate(planned["head.weight"].draw()) if not values.any()
    ] == [2]


def test_a_loaded_table_keeps_its_padding_row(tmp_path):
    values = np.ones((6, 4), np.float32)
    np.savez(tmp_path / "table.npz", **{"0.weight": values})
    module = nn.Sequential(nn.Embedding(6, 4, padding_idx=2))
    it.plan(module, {"kind": "load", "param": str(tmp_path / "table.npz")}).apply(module)
    assert np.array_equal(module[0].weight.detach().numpy(), values)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_file_is_loaded_into_the_memory_of_the_module_in_parts(dtype, tmp_path):
    values = np.random.default_rng(0).normal(size=(2000, 1000)).astype(dtype)
    np.savez(tmp_path / "w.npz", weight=values)
    module = nn.Linear(1000, 2000, bias=False)
    planned = it.plan(module, {"kind": "load", "param": str(tmp_path / "w.npz")})
    tracemalloc.start()
    planned.apply(module)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20
    assert np.array_equal(module.weight.detach().numpy(), values.astype(np.float32))
