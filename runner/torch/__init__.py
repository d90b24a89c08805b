"""PyTorch modules: planned, drawn, run and watched. The only place that imports torch."""

try:
    import torch as torch
except ImportError as error:
    raise ImportError("initlab.torch needs PyTorch - pip install 'initlab[torch]'") from error
