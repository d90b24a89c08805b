"""The models that are made while a watch is on, and the tensors they have."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.modules import module as registration

from initlab.runner.errors import ConfigError
from initlab.runner.torch.watch.record.found import Held
from initlab.runner.torch.watch.record.history import History, history
from initlab.runner.torch.watch.record.recording import Recording, view_of


class Models:
    """Notes every module that gets a parameter, a buffer or a part, by torch's own hooks."""

    def __init__(self) -> None:
        self._seen: dict[int, weakref.ref[Any]] = {}
        self._hooks: list[Any] = []

    def start(self) -> None:
        """Begin to note modules."""

        def note(module: Any, name: str, part: Any) -> None:
            for one in (module, part):
                if isinstance(one, torch.nn.Module) and id(one) not in self._seen:
                    self._seen[id(one)] = weakref.ref(one)

        self._hooks = [
            registration.register_module_parameter_registration_hook(note),
            registration.register_module_buffer_registration_hook(note),
            registration.register_module_module_registration_hook(note),
        ]

    def stop(self) -> None:
        """Take torch's hooks away."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def the_model(self) -> Any:
        """Return the one module that is part of no other. Raises ConfigError unless there is one."""
        found = self._roots()
        if len(found) > 1:
            gc.collect()
            found = self._roots()
        if len(found) == 1:
            return found[0]
        if not found:
            said = "no model was built in the watch, or none is there any more - keep what the build gives"
        else:
            named = ", ".join(type(one).__name__ for one in found)
            said = f"{len(found)} models were built in the watch ({named}) - say which, as model=…"
        raise ConfigError.of("model", said)

    def _roots(self) -> list[Any]:
        alive = [one for one in (ref() for ref in self._seen.values()) if one is not None]
        parts = {id(part) for one in alive for part in one._modules.values()}
        roots = [one for one in alive if id(one) not in parts]
        return [one for one in roots if next(_named(one), None) is not None]


def _named(model: Any) -> Iterator[tuple[str, Any, Any, bool, bool]]:
    """Yield (name, tensor, the module that has it, whether it is a parameter, whether a state dict has
    it), under every name that it has.
    """
    for prefix, module in model.named_modules(remove_duplicate=False):
        for name, tensor in module._parameters.items():
            if tensor is not None:
                yield f"{prefix}.{name}".lstrip("."), tensor, module, True, True
    for prefix, module in model.named_modules(remove_duplicate=False):
        for name, tensor in module._buffers.items():
            if tensor is not None:
                kept = name not in module._non_persistent_buffers_set
                yield f"{prefix}.{name}".lstrip("."), tensor, module, False, kept


def held_by(model: Any, recording: Recording) -> tuple[Held, ...]:
    """Return every parameter and buffer of a model, with its history. Raises ConfigError for one on the
    meta device, which has no values.
    """
    found: list[Held] = []
    owners: dict[object, str] = {}
    for name, tensor, module, is_parameter, kept in _named(model):
        local = getattr(tensor, "_local_tensor", tensor)
        _check_values(name, local)
        if local.layout != torch.strided:
            nothing = History((), False, False, ())
            found.append(Held(name, local, module, is_parameter, kept, None, nothing, False))
            continue
        view = view_of(local)
        key = (local.untyped_storage()._cdata, view) if local.numel() else id(tensor)
        tied_to = owners.get(key)
        owners.setdefault(key, name)
        past = history(recording.last(local), view)
        is_root = module is model
        found.append(Held(name, local, module, is_parameter, kept, tied_to, past, is_root))
    return tuple(found)


def _check_values(name: str, tensor: Any) -> None:
    """Raise ConfigError for a tensor without values."""
    if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
        said = "has no shape yet - give the model a batch in the watch, so that its lazy layers are made"
        raise ConfigError.of(name, said)
    no_memory = tensor.layout == torch.strided and tensor.untyped_storage().device.type == "meta"
    if tensor.device.type == "meta" or no_memory:
        raise ConfigError.of(
            name,
            "is on the meta device, so it has no values - in the watch, give it memory "
            "(model.to_empty(device=…)) and initialize it",
        )
