"""Makes the files beside it with the real libraries: python make.py (torch 2.13.0, onnx, h5py).

`expected.npz` has the values of every tensor as `FILE:NAME`, in float64, as the library itself gives
them.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        self.cell = torch.nn.LSTM(4, 3)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.head.weight = self.embed.weight


def flat(content, path=()):
    if isinstance(content, torch.Tensor):
        yield ".".join(map(str, path)), content.detach().double().numpy()
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from flat(value, (*path, key))
    elif isinstance(content, (list, tuple)):
        for key, value in enumerate(content):
            yield from flat(value, (*path, key))


def torch_files():
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters())
    sum(p.sum() for p in net.parameters()).backward()
    optimizer.step()
    net.bfloat16().float()  # few bits, so that the files are small when compressed
    views = {
        "transposed": torch.arange(12.0).reshape(3, 4).t(),
        "slice": torch.arange(30)[10:20:2],
        "bfloat16": torch.randn(9).bfloat16(),
        "half": torch.randn(3).half(),
        "double": torch.randn(2, dtype=torch.float64),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(3.0),
        "bool": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "uint16": torch.tensor([1, 60000], dtype=torch.uint16),
    }
    unread = {"complex": torch.ones(2, dtype=torch.complex64), "sparse": torch.eye(3).to_sparse(),
              "spread": torch.ones(1).expand(1000), "meta": torch.empty(3, device="meta"),
              "float8": torch.ones(3).to(torch.float8_e4m3fn), "whole": torch.ones(2)}  # fmt: skip
    checkpoint = {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
                  "rng": torch.get_rng_state()[:16].clone(), "args": {"lr": 0.1}}  # fmt: skip
    for name, content in {
        "state.pth": net.state_dict(), "checkpoint.pt": checkpoint, "views.bin": views,
        "whole.pt": net, "unread.pt": unread,
    }.items():  # fmt: skip
        values = net.state_dict() if content is net else content
        if name != "unread.pt":
            yield from ((name, key, value) for key, value in flat(values))
        torch.save(content, HERE / name)
        if content is not net:  # the older layout has the source code of a module's class
            torch.save(content, HERE / f"old_{name}", _use_new_zipfile_serialization=False)
    scripted = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()))
    scripted.save(str(HERE / "scripted.pt"))
    yield from (("scripted.pt", key, value) for key, value in flat(scripted.state_dict()))


def onnx_files():
    rng = np.random.default_rng(0)
    arrays = {
        "float": rng.normal(size=(3, 4)).astype(np.float32), "long": np.arange(5),
        "scalar": np.array(3.0), "half": rng.normal(size=7).astype(np.float16),
        "empty": np.zeros((0, 3), np.float32), "bool": np.array([True, False]),
    }  # fmt: skip
    made = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    made += [
        helper.make_tensor("typed float", TensorProto.FLOAT, [2, 2], [1.0, 2.0, 3.0, 4.0]),
        helper.make_tensor("typed bfloat16", TensorProto.BFLOAT16, [3], [1.0, 2.0, 3.5]),
        helper.make_tensor("typed int", TensorProto.INT32, [3], [1, -2, 300000]),
        helper.make_tensor("typed long", TensorProto.INT64, [3], [1, -2, 3 << 40]),
        helper.make_tensor("typed half", TensorProto.FLOAT16, [2], [1.5, -2]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 4])
    node = helper.make_node("Identity", ["float"], ["y"])
    model = helper.make_model(helper.make_graph([node], "net", [], [output], made))
    for name in ("model.onnx", "beside.onnx"):
        for one in model.graph.initializer:
            yield name, one.name, np.asarray(numpy_helper.to_array(one), np.float64)
    onnx.save(model, HERE / "model.onnx")
    (HERE / "beside.data").unlink(missing_ok=True)
    onnx.save(
        model,
        HERE / "beside.onnx",
        save_as_external_data=True,
        location="beside.data",
        size_threshold=0,
    )


def hdf5_files():
    rng = np.random.default_rng(0)
    arrays = {
        "model_weights/dense/kernel:0": rng.normal(size=(3, 4)).astype(np.float32),
        "packed": np.tile(np.arange(10.0), 20), "big": np.arange(4, dtype=">f4"),
        "flag": np.array([True, False]), "nothing": np.zeros((0, 2)),
    }  # fmt: skip
    with h5py.File(HERE / "keras.h5", "w") as file:
        for name, value in arrays.items():
            file.create_dataset(name, data=value, compression="gzip" if name == "packed" else None)
        file["a_tie"] = file["packed"]
        file["text"] = "words"
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/a")
        file["soft"] = h5py.SoftLink("/packed")
        file["loop/back"] = file["/"]
    for name, value in arrays.items():
        yield "keras.h5", name.replace("/", "."), value.astype(np.float64)


if __name__ == "__main__":
    found = {f"{file}:{name}".replace("/", "|"): value
             for make in (torch_files, onnx_files, hdf5_files) for file, name, value in make()}  # fmt: skip
    np.savez_compressed(HERE / "expected.npz", **found)
