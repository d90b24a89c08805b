"""The engine: MXNet Gluon's parameter system on NumPy and CuPy, with exact streams. `import
initlab.engine as mx` reads like MXNet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine import (
        autograd,
        base,
        context,
        contrib,
        digest,
        formats,
        gluon,
        image,
        init,
        initializer,
        io,
        laws,
        lr_scheduler,
        metric,
        name,
        nd,
        ndarray,
        operator,
        optimizer,
        random,
        registry,
        runtime,
        streams,
        sym,
        symbol,
        test_utils,
        util,
    )
    from initlab.engine.device import (
        Context,
        Device,
        cpu,
        cpu_pinned,
        current_context,
        current_device,
        gpu,
        gpu_memory_info,
        num_gpus,
    )
    from initlab.engine.errors import EngineError, MXNetError
    from initlab.engine.streams import threads

__version__ = "1.9.1"
"""The version of MXNet whose interface this is, for code that compares it."""

__all__ = [
    "Context",
    "Device",
    "EngineError",
    "MXNetError",
    "autograd",
    "base",
    "context",
    "contrib",
    "cpu",
    "cpu_pinned",
    "current_context",
    "current_device",
    "digest",
    "formats",
    "gluon",
    "gpu",
    "gpu_memory_info",
    "image",
    "init",
    "initializer",
    "io",
    "laws",
    "lr_scheduler",
    "metric",
    "name",
    "nd",
    "ndarray",
    "num_gpus",
    "operator",
    "optimizer",
    "random",
    "registry",
    "runtime",
    "streams",
    "sym",
    "symbol",
    "test_utils",
    "threads",
    "util",
]

if not TYPE_CHECKING:
    MODULES = {
        "initlab.engine.device": (
            "Context",
            "Device",
            "cpu",
            "cpu_pinned",
            "current_context",
            "current_device",
            "gpu",
            "gpu_memory_info",
            "num_gpus",
        ),
        "initlab.engine.errors": ("EngineError", "MXNetError"),
        "initlab.engine.streams": ("threads",),
    }
    DEFINED = {name: module for module, names in MODULES.items() for name in names}
    ELSEWHERE = {  # MXNet's modules that are not here
        "mod": "gluon.Trainer",
        "module": "gluon.Trainer",
        "model": "gluon.Trainer",
        "kv": "gluon.Trainer",
        "kvstore": "gluon.Trainer",
        "np": "nd",
        "npx": "nd",
        "rnn": "gluon.rnn",
        "viz": "gluon.Block.summary",
        "visualization": "gluon.Block.summary",
    }
    __getattr__, __dir__ = lazily(__name__, set(__all__) - DEFINED.keys(), DEFINED, ELSEWHERE)

if __name__ == "engine":  # in a checkout: `import engine`, `python -m engine`
    from initlab.doorway import open_doorway

    open_doorway(__name__)
