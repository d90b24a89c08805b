"""`stream`: a run may draw the own numbers of MXNet 1.9.1 or torch 2.13, and says so in all that it
leaves."""

from __future__ import annotations

import json

import numpy as np
import pytest
from words import last_of_each

from initlab.engine import formats
from initlab.engine.streams import TorchStream
from initlab.runner.check.verify import verify

NET = (
    "model.layers=[{kind: dense, name: a, units: 4, activation: relu}, {kind: dense, name: b, units: 3, bias_initializer: {kind: normal, "
    "sigma: 1.0}}]"
)


MXNET = [NET, "model.input=[5]", "init=uniform", "stream=mxnet-1.9.1", "seed=9"]


# mx.random.seed(9); net.initialize(mx.init.Uniform(0.07)); net(mx.nd.zeros((2, 5))), as real MXNet
# 1.9.1
# prints it
WANTED = {
    "deferred": {
        "a.weight": [
            -0.033223360776901245,
            0.06167035549879074,
            0.0685388371348381,
            -0.025074414908885956,
        ],
        "b.bias": [0.15143348276615143, 0.10627899318933487, 1.2122468948364258],
    },
    "eager": {
        "a.weight": [
            -0.06002884358167648,
            0.0324738472700119,
            -0.06442869454622269,
            0.02228756994009018,
        ],
        "b.bias": [-1.5869625806808472, 0.2581867575645447, 1.1710257530212402],
    },
}


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


def test_the_values_are_those_of_mxnet(only_run):
    got = tensors(only_run(*MXNET))
    np.testing.assert_array_equal(
        got["a.weight"].ravel()[:4], np.array(WANTED["deferred"]["a.weight"], np.float32)
    )
    np.testing.assert_array_equal(got["b.bias"], np.array(WANTED["deferred"]["b.bias"], np.float32))


def test_the_order_of_drawing_counts_so_eager_values_are_others(only_run):
    got = tensors(only_run(*MXNET, "init_mode=eager"))
    np.testing.assert_array_equal(
        got["a.weight"].ravel()[:4], np.array(WANTED["eager"]["a.weight"], np.float32)
    )
    np.testing.assert_array_equal(got["b.bias"], np.array(WANTED["eager"]["b.bias"], np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@pytest.mark.parametrize("mode", ["deferred", "eager"])
def test_such_a_run_is_verified_from_its_manifest(dtype, mode, only_run):
    folder = only_run(*last_of_each(*MXNET, f"dtype={dtype}", f"init_mode={mode}", "init=normal"))
    assert tensors(folder)["a.weight"].dtype == dtype
    answer = verify(folder)
    assert answer.code == 0, answer.text


def test_the_stream_stands_in_manifest_and_plan_and_changes_the_run_id(only_run):
    folder = only_run(*MXNET)
    content = json.loads((folder / "manifest.json").read_text())
    assert (
        content["stream"]
        == content["canonical"]["stream"]
        == content["config"]["stream"]
        == "mxnet-1.9.1"
    )
    rows = json.loads((folder / "plan.json").read_text())["rows"]
    assert {json.dumps(row["stream"]) for row in rows} == {'{"version": "mxnet-1.9.1"}'}
    other = only_run(*last_of_each(*MXNET, "stream=mxnet-1.9.1-xvariate", "init=normal"))
    assert other.name != folder.name


def test_the_plan_says_that_the_stream_is_drawn_from_in_order(command):
    done = command(*MXNET, "task=plan")
    assert done.code == 0
    assert "mxnet-1.9.1, in order" in done.out


def test_a_run_leaves_the_stream_of_its_process_alone(command):
    from initlab.engine import streams

    command(*MXNET)
    assert streams.version() == streams.VERSION


def test_streams_mix_in_a_sweep_and_in_a_process(command, tmp_path):
    done = command(
        "-m", *last_of_each(*MXNET[:3], "stream=initlab-1,mxnet-1.9.1", "init=normal,uniform")
    )
    assert done.code == 0, done.err
    manifests = [
        json.loads(path.read_text()) for path in tmp_path.glob("outputs/*/*/manifest.json")
    ]
    assert sorted(m["stream"] for m in manifests) == ["initlab-1"] * 2 + ["mxnet-1.9.1"] * 2
    assert all(verify(path.parent).code == 0 for path in tmp_path.glob("outputs/*/*/manifest.json"))


def test_the_environment_chooses_the_default(only_run, monkeypatch):
    monkeypatch.setenv("ENGINE_STREAM", "mxnet-1.9.1")
    assert (
        json.loads((only_run(NET, "model.input=[5]") / "manifest.json").read_text())["stream"]
        == "mxnet-1.9.1"
    )


def test_a_manifest_whose_stream_is_not_its_configs_is_damaged(only_run):
    folder = only_run(*MXNET)
    content = json.loads((folder / "manifest.json").read_text())
    content["stream"] = "initlab-1"
    (folder / "manifest.json").write_text(json.dumps(content))
    answer = verify(folder)
    assert (answer.code, "its stream is initlab-1, its config's mxnet-1.9.1" in answer.text) == (
        2,
        True,
    ), answer.text


TORCH = [NET, "model.input=[5]", "init=normal", "init.sigma=1", "stream=torch-2.13", "seed=9"]


@pytest.mark.parametrize("mode", ["deferred", "eager"])
def test_torchs_numbers_are_drawn_layer_by_layer_in_both_modes(mode, only_run):
    """torch.manual_seed(9); then normal_() of the weight of a, the weight of b, the bias of b."""
    folder = only_run(*TORCH, f"init_mode={mode}")
    got, stream = tensors(folder), TorchStream(9)
    for path in ("a.weight", "b.weight", "b.bias"):
        wanted = stream.normal(0, 1, got[path].size).reshape(got[path].shape)
        np.testing.assert_array_equal(got[path], wanted)
    answer = verify(folder)
    assert answer.code == 0, answer.text
    rows = json.loads((folder / "plan.json").read_text())["rows"]
    assert {json.dumps(row["stream"]) for row in rows} == {'{"version": "torch-2.13"}'}


def test_torchs_truncated_normals_are_a_runs_too(only_run):
    got = tensors(only_run(*last_of_each(*TORCH[:2], *TORCH[4:], "init=truncated_normal")))
    wanted = TorchStream(9).truncated_normal(0.0, 0.01, -2.0, 2.0, 20).reshape(4, 5)
    np.testing.assert_array_equal(got["a.weight"], wanted)
