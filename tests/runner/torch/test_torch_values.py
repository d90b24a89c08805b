"""`semantics=torch stream=torch-2.13` against the modules of the torch that is installed, if it is that
version on such a processor.
"""

from __future__ import annotations

import numpy as np
import pytest
from torch_nets import NETS, built, words_of

from initlab.engine import formats

torch = pytest.importorskip("torch", reason="torch is not installed")
pytestmark = pytest.mark.skipif(
    not torch.__version__.startswith("2.13.")
    or torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason=f"the values are those of torch 2.13 with AVX2, this is {torch.__version__} with "
    f"{torch.backends.cpu.get_cpu_capability()}",
)


@pytest.mark.parametrize("name", NETS)
def test_a_declared_network_is_the_one_that_torch_builds(name, only_run):
    folder = only_run(*words_of(name))
    ours = formats.get("safetensors").read(folder / "snapshot.safetensors").tensors
    theirs = built(name, torch)
    assert theirs.keys() <= ours.keys()
    for path, tensor in theirs.items():
        np.testing.assert_array_equal(ours[path], tensor.detach().numpy(), path)
