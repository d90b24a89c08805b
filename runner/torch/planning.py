"""The plan of a module: what is drawn for each of its parameters, and the exact values."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.autograd.graph import increment_version

from initlab.engine import dtypes, streams
from initlab.engine.device import gpu, num_gpus, on_stream
from initlab.engine.formats import safetensors
from initlab.engine.formats.base import replacing
from initlab.engine.init import Initializer
from initlab.engine.laws import fill_many
from initlab.engine.laws.base import Task
from initlab.engine.registry import advice
from initlab.engine.streams.key import check_seed
from initlab.runner.diagnosis.cure import PRESETS
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.evidence import snapshot
from initlab.runner.evidence.manifest import Digests
from initlab.runner.plan.model import parse_initializer
from initlab.runner.plan.network import network_of
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan, make_plan
from initlab.runner.torch.body import Body
from initlab.runner.torch.flow import flows_of
from initlab.runner.torch.memory import array_over, dtype_name, overlap, tensor_over
from initlab.runner.torch.mirror import ON_META, mirrored
from initlab.runner.torch.roles import Place, places_of

PART = 1 << 22
"""Elements that are drawn at a time where they cannot be drawn in place."""


@dataclass(frozen=True, repr=False)
class ModulePlan(Plan):
    """A plan whose rows are the parameters of a module, and those of its buffers that have roles."""

    def apply(self, module: nn.Module) -> None:
        """Write the planned values into the parameters of a module, each once, in their own memory.

        The module may be the planned one or another with the same parameters, on any device, in any
        memory format, and sharded (DTensor): each process writes its own part. On a CUDA device the
        values are drawn by that device if CuPy is installed, else on the host. Before anything is
        written, raises KeyError with the nearest path if the paths differ, ValueError if a shape, a
        dtype or a tie does, and ConfigError if a parameter is on meta, or if a parametrization cannot
        give the planned values.
        """
        places = {place.path: place for place in places_of(module)}
        _check(self, places)
        _set_all([(row, places[row.path]) for row in self.owners if places[row.path].parametrized])
        plain = [row for row in self.owners if not places[row.path].parametrized]
        _write_all([(row, places[row.path].tensor) for row in plain])

    def digests(self) -> Digests:
        """Return the tensor-v1 digest of every parameter's planned values and the root digest, those
        of a run that draws the same plan.
        """
        return snapshot.digest_values(_Drawn(self), self.aliases)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the planned values into a safetensors file that torch and transformers load by their
        own names; a tie is written under each of them.

        One tensor is in memory at a time. Raises ConfigError unless the name ends in .safetensors,
        and FormatError if the file cannot be written.
        """
        if Path(path).suffix != ".safetensors":
            raise ConfigError.of("path", f"must end in .safetensors, got '{path}'")
        rows = {row.path: (dtypes.resolve(row.dtype), row.shape) for row in self.rows}
        placed = safetensors.layout(rows, {}, {}, {"format": "pt"})
        with replacing(Path(path)) as file:
            file.write(placed.header)
            for name in placed.entries:
                for part in _parts(self[name]):
                    file.write(part.view(np.uint8).data)


class _Drawn(Mapping[str, np.ndarray]):
    """The planned values of the owners, drawn when they are asked for."""

    def __init__(self, plan: Plan) -> None:
        self._rows = {row.path: row for row in plan.owners}

    def __getitem__(self, path: str) -> np.ndarray:
        return self._rows[path].draw()

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def plan(
    module: nn.Module,
    init: str | Mapping[str, object] | Initializer,
    seed: int = 0,
    example: torch.Tensor | Sequence[torch.Tensor] | None = None,
) -> ModulePlan:
    """Return what an initializer draws for a module under a seed, without drawing or allocating.

    The module is not changed; it may be on meta (`with torch.device("meta"): …`). `init` is an
    initializer, its name in a config, or a mapping of name and options: `{"kind": "normal", "sigma":
    0.02}`. Rows are named as torch names the parameters. A bias is zero and a norm's scale one unless
    the initializer names them, as in declared networks; the table is in `initlab.torch.roles`. The
    values are those of a declared network with the same paths, shapes and roles, and of a run of
    `model=` of the module.

    Initializers that go by the structure of a network, like `gpt2` or `fixup`, need an `example` of the
    module's input, a tensor or several: it is sent through once, in eval mode, which computes nothing if
    both are on meta.

    Raises ConfigError with every parameter whose role is not known, or that the initializer cannot
    fill; TypeError if `module` is no module; ValueError if the seed is outside 0 to 2^64-1.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    seed = check_seed(seed)
    problems = Problems()
    with problems.under("init"):
        given = dict(init) if isinstance(init, Mapping) else init
        if isinstance(given, str) and given in PRESETS:
            kind, options = PRESETS[given]
            given = {"kind": kind, **options} if options else given
        initializer = parse_initializer(given)
    problems.raise_any()
    if next(module.parameters(), None) is None:
        said = "has no parameters - quantized modules keep their weights elsewhere"
        raise ConfigError.of("", f"{type(module).__name__} {said}")
    body = Body(module)
    if example is not None:
        body.flows = flows_of(module, [example] if isinstance(example, torch.Tensor) else example)
    network = network_of(mirrored(body, called=False))
    with streams.using(streams.VERSION):
        try:
            made = make_plan(network, (), initializer, seed)
        except ConfigError as error:
            if example is None and initializer.needs_network() and "layers follow" in str(error):
                kind = type(initializer).__name__
                said = f"is not given, and {kind} goes by the structure of the network"
                raise ConfigError.of("example", f"{said} - give an input of the module") from error
            raise
    return ModulePlan(made.rows, made.output, made.remarks)


def _check(planned: Plan, places: Mapping[str, Place]) -> None:
    for path in planned:
        if path not in places:
            raise KeyError(f"the module has no parameter '{path}' - {advice(path, places)}")
    for path in places:
        if path not in planned:
            raise KeyError(f"the plan has no parameter '{path}' - {advice(path, planned)}")
    owners: dict[object, str] = {}
    for path, row in planned.items():
        tensor = places[path].tensor
        if tensor.is_meta:
            raise ConfigError.of(path, ON_META)
        if tuple(tensor.shape) != row.shape:
            said = f"'{path}' has shape {tuple(tensor.shape)} in the module, planned {row.shape}"
            raise ValueError(said)
        if dtype_name(tensor.dtype) != row.dtype:
            said = (
                f"'{path}' has dtype {dtype_name(tensor.dtype)} in the module, planned {row.dtype}"
            )
            raise ValueError(said)
        owner = owners.setdefault(places[path].key, path)
        if owner != (row.alias_of or path):
            tied = f"tied to '{owner}'" if owner != path else "not tied"
            wanted = f"tied to '{row.alias_of}'" if row.alias_of else "with values of its own"
            raise ValueError(f"'{path}' is {tied} in the module, planned {wanted}")
    _check_memory([places[path] for path in owners.values() if not places[path].parametrized])


def _check_memory(places: Sequence[Place]) -> None:
    """Raise ConfigError if two parameters, or two elements of one, are the same memory: what is
    written to one would change the other.
    """
    by_memory: dict[int, list[Place]] = {}
    for place in places:
        tensor = place.tensor
        if _is_sharded(tensor) or not tensor.numel():
            continue
        if 0 in tensor.stride() and any(
            n > 1 and not step for n, step in zip(tensor.shape, tensor.stride(), strict=True)
        ):
            said = "has elements that use the same memory more than once - clone it"
            raise ConfigError.of(place.path, said)
        others = by_memory.setdefault(tensor.untyped_storage().data_ptr(), [])
        for other in others:
            if overlap(tensor, other.tensor):
                said = f"shares memory with '{other.path}' but is a parameter of its own"
                raise ConfigError.of(place.path, f"{said} - clone it, or let both be one parameter")
        others.append(place)


@torch.no_grad()
def _write_all(rows: Sequence[tuple[Row, torch.Tensor]]) -> None:
    """Write the values of rows into the memory of their tensors. Those that can be drawn in place, on
    the host, are drawn as one block of work.
    """
    in_place: list[Task] = []
    for row, tensor in rows:
        if row.law.sliceable and _is_plain(tensor):
            assert row.key is not None
            increment_version(tensor)
            flat = array_over(tensor).reshape(-1)
            in_place.append((row.law, row.key, row.shape, 0, flat))
        else:
            _write(row, tensor.detach())
    fill_many(in_place)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Return whether the memory of a tensor on the host holds its elements in C order, as they are."""
    return (
        tensor.device.type == "cpu"
        and tensor.is_contiguous()
        and not tensor.is_neg()
        and not _is_sharded(tensor)
    )


def _write(row: Row, tensor: torch.Tensor) -> None:
    """Write the row's values into the memory of its tensor."""
    if _is_sharded(tensor):
        _write_shard(row, tensor)
    elif _write_there(row, tensor):
        return
    elif not tensor.is_contiguous() or not row.law.sliceable:
        tensor.copy_(_tensor(row.draw()))
    else:
        flat, start = tensor.view(-1), 0
        for part in _parts(row):
            flat[start : start + part.size] = _tensor(part)
            start += part.size


def _write_there(row: Row, tensor: torch.Tensor) -> bool:
    """Write the row's values, drawn by the tensor's own CUDA device; return whether that could be
    done. It takes CuPy, a law that draws element by element, and a dtype that kernels draw.
    """
    index = tensor.device.index or 0
    if tensor.device.type != "cuda" or row.key is None or index >= num_gpus():
        return False
    with on_stream(gpu(index), torch.cuda.current_stream(tensor.device).cuda_stream):
        drawn = row.law.draw_on(gpu(index), row.key, row.shape, row.dtype)
        if drawn is None:
            return False
        tensor.copy_(torch.from_dlpack(drawn))
        del drawn
    return True


def _parts(row: Row) -> Iterator[np.ndarray]:
    """Yield the row's values, flat, some at a time where its law allows it."""
    size = math.prod(row.shape)
    if not row.law.sliceable:
        yield np.ascontiguousarray(row.draw()).reshape(-1)
        return
    assert row.key is not None
    for start in range(0, size, PART):
        part = np.empty(min(PART, size - start), dtypes.resolve(row.dtype))
        row.law.fill(row.key, row.shape, start, part)
        yield part


def _tensor(values: np.ndarray) -> torch.Tensor:
    return tensor_over(np.ascontiguousarray(values))


def _is_sharded(tensor: torch.Tensor) -> bool:
    return hasattr(tensor, "device_mesh")


def _write_shard(row: Row, tensor: torch.Tensor) -> None:
    """Write this process's part of a DTensor."""
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    shape, offset = compute_local_shape_and_global_offset(
        row.shape, tensor.device_mesh, tensor.placements
    )
    if math.prod(shape):
        where = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
        tensor.to_local().copy_(_tensor(row.draw(where)))


@torch.no_grad()
def _set_all(rows: Sequence[tuple[Row, Place]]) -> None:
    """Set the parametrized parameters. Raises ConfigError if one then has other values than planned;
    all are as before then.
    """
    held = {id(place.owner): place.owner.parametrizations for _, place in rows}
    before = [(one, one.detach().clone()) for part in held.values() for one in part.parameters()]
    try:
        for row, place in rows:
            values = _tensor(row.draw()).to(place.tensor.device)
            setattr(place.owner, place.name, values)
            if not torch.allclose(getattr(place.owner, place.name), values, rtol=1e-5, atol=1e-7):
                said = (
                    "its parametrization cannot give the planned values - plan a law that it allows"
                )
                raise ConfigError.of(place.path, said)
    except BaseException:
        for one, values in before:
            one.copy_(values)
        raise
