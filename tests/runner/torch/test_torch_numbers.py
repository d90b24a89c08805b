"""`stream=torch-2.13` against the torch that is installed, if it is that version on such a processor."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine.streams import TorchStream

torch = pytest.importorskip("torch", reason="torch is not installed")
pytestmark = pytest.mark.skipif(
    not torch.__version__.startswith("2.13.")
    or torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason=f"the numbers are those of torch 2.13 with AVX2, this is {torch.__version__} with "
    f"{torch.backends.cpu.get_cpu_capability()}",
)
SIZES = (1, 15, 16, 17, 100_003, 3, 0, 2_000_000, 5)


@pytest.mark.parametrize("seed", [0, 20, 2**32 - 1])
def test_the_numbers_are_those_of_the_installed_torch(seed):
    torch.manual_seed(seed)
    stream = TorchStream(seed)
    for size in SIZES:
        given = torch.empty(size)
        pairs = [
            (given.uniform_(-0.3, 0.7), stream.uniform(-0.3, 0.7, size)),
            (given.clone().normal_(0.1, 0.02), stream.normal(0.1, 0.02, size)),
            (
                torch.nn.init.trunc_normal_(given.clone(), std=0.02, a=-0.04, b=0.04),
                stream.truncated_normal(0.0, 0.02, -2.0, 2.0, size),
            ),
            (torch.randint(-5, 2**40, (size,)), stream.integers(-5, 2**40, size)),
        ]
        for number, (theirs, ours) in enumerate(pairs):
            np.testing.assert_array_equal(ours, theirs.numpy(), str((number, size)))


def test_a_generator_seeded_with_more_than_32_bits_is_the_same():
    torch.manual_seed(2**40 + 3)
    assert (torch.rand(5).numpy() == TorchStream(2**40 + 3).uniform(0, 1, 5)).all()
