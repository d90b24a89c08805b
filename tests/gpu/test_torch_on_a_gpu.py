"""What only a real GPU can show of `initlab.torch`: a plan writes the same bits into CUDA tensors."""

from __future__ import annotations

import pytest

from initlab.engine.device import num_gpus

pytestmark = pytest.mark.skipif(num_gpus() == 0, reason="no gpu(0)")
torch = pytest.importorskip("torch", reason="needs the extra torch")
if not torch.cuda.is_available():
    pytest.skip("torch finds no GPU", allow_module_level=True)


def built(device: str, dtype):
    from torch import nn

    return nn.Sequential(
        nn.Embedding(100, 33), nn.Linear(33, 257), nn.LayerNorm(257), nn.Conv2d(3, 5, 3)
    ).to(device=device, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("init", ["he", "xavier", "truncated_normal", "orthogonal"])
def test_a_plan_writes_the_bits_of_the_cpu(init, dtype):
    import initlab.torch

    here, there = (built(device, getattr(torch, dtype)) for device in ("cpu", "cuda"))
    for model in (here, there):
        initlab.torch.plan(model, init).apply(model)
    for (path, one), other in zip(here.named_parameters(), there.parameters(), strict=True):
        assert other.is_cuda and torch.equal(one, other.cpu()), path


def test_a_tensor_in_another_memory_format_gets_the_same_values():
    import initlab.torch

    here, there = built("cpu", torch.float32), built("cuda", torch.float32)
    there = there.to(memory_format=torch.channels_last)
    initlab.torch.plan(here, "he").apply(here)
    initlab.torch.plan(there, "he").apply(there)
    assert torch.equal(here[3].weight, there[3].weight.cpu())


def test_a_plan_on_a_stream_of_its_own_is_done_before_the_next_operation_of_that_stream():
    import initlab.torch

    here, there = torch.nn.Linear(4096, 4096), torch.nn.Linear(4096, 4096, device="cuda")
    initlab.torch.plan(here, "he").apply(here)
    with torch.cuda.stream(torch.cuda.Stream()):
        initlab.torch.plan(there, "he").apply(there)
        copied = there.weight.detach().clone()
    torch.cuda.synchronize()
    assert torch.equal(here.weight.detach(), copied.cpu())
