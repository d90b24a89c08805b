"""The diagnosis of a module as it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from initlab.runner.diagnosis.block import diagnosed
from initlab.runner.diagnosis.cure import torch_of
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.torch.body import Body
from initlab.runner.torch.memory import array_over
from initlab.runner.torch.mirror import adopt, mirrored


def diagnose(
    module: nn.Module,
    inputs: torch.Tensor | np.ndarray,
    labels: torch.Tensor | np.ndarray | None = None,
    seed: int = 0,
    measure: Sequence[str] = (),
) -> Diagnosis:
    """Return what is known to hurt in a module as it is, from one pass of a batch on the CPU.

    `inputs` (batch, …) are a tensor or an array; whole numbers are token numbers if they enter an
    embedding. `labels` are whole numbers, one for each vector of scores (batch, …, classes) that the
    module returns; a model of transformers returns its `logits`. `measure` is that of
    `initlab.diagnose`. Values, gradients and torch's random state are the same afterwards.

    Raises ConfigError if a parameter's role is not known or is on meta, or inputs or labels have a
    wrong type or shape; TypeError if `module` is no module; MXNetError with torch's message if the
    module cannot take the inputs.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    held = [(part, dict(part._parameters), dict(part._buffers)) for part in module.modules()]
    root = mirrored(Body(module))
    adopt(root, module)
    try:
        y = None if labels is None else _array(labels)
        return diagnosed(root, _array(inputs), y, seed, measure, torch_of)
    finally:
        for part, parameters, buffers in held:
            part._parameters.update(parameters)
            part._buffers.update(buffers)


def _array(given: torch.Tensor | np.ndarray) -> np.ndarray:
    return array_over(given.cpu()) if isinstance(given, torch.Tensor) else np.asarray(given)
