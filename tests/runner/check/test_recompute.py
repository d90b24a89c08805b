"""Values are drawn again and held against the snapshot, to the bit or to a stated tolerance."""

from __future__ import annotations

import json

import numpy as np
from altered import answer, change_manifest, change_snapshot

from initlab.engine import digest, formats


def test_haar_matrices_are_compared_with_the_snapshot_to_a_stated_tolerance(only_run, capsys):
    folder = only_run("init=orthogonal")
    code, text = answer(folder, capsys)
    assert code == 0
    assert "; 2 of them within 0 (max abs), '0.weight' the farthest; " in text

    def nudge(snapshot):
        snapshot.tensors["0.weight"][0, 0] += np.float32(0.1)

    change_snapshot(folder, nudge)
    changed = formats.get("safetensors").read(folder / "snapshot.safetensors").tensors["0.weight"]
    change_manifest(
        folder,
        lambda m: m["digests"]["tensors"].update({"0.weight": digest.tensor_digest(changed).hex()}),
    )
    code, text = answer(folder, capsys)
    assert code == 1
    assert "parameter '0.weight': distance of the Gram matrix from gain^2 I is 0." in text


def test_delta_orthogonal_kernels_are_compared_and_their_zeros_counted(only_run, capsys):
    folder = only_run("model=lenet", "init=delta_orthogonal")
    code, text = answer(folder, capsys)
    assert (code, "5 of them within 0 (max abs), 'conv1.weight' the farthest" in text) == (
        0,
        True,
    ), text
    weights = ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight", "head.weight"]
    assert json.loads((folder / "manifest.json").read_text())["exactness"] == dict.fromkeys(
        weights, "tolerance"
    )
    judged = {
        row["path"]: row for row in json.loads((folder / "stats.json").read_text())["parameters"]
    }
    assert judged["conv2.weight"]["verdict"] == judged["fc1.weight"]["verdict"] == "ok"
    kernel = (
        formats.get("safetensors").read(folder / "snapshot.safetensors").tensors["conv2.weight"]
    )
    assert np.count_nonzero(kernel) == np.count_nonzero(kernel[:, :, 1, 1]) == 16 * 6

    def nudge(snapshot):
        snapshot.tensors["conv2.weight"][0, 0, 0, 0] = np.float32(1e-9)

    change_snapshot(folder, nudge)
    changed = (
        formats.get("safetensors").read(folder / "snapshot.safetensors").tensors["conv2.weight"]
    )
    change_manifest(
        folder,
        lambda m: m["digests"]["tensors"].update(
            {"conv2.weight": digest.tensor_digest(changed).hex()}
        ),
    )
    code, text = answer(folder, capsys)
    assert code == 1
    assert (
        "parameter 'conv2.weight': elements beside the centre tap that are not 0 is 1, at most 0 is allowed"
        in text
    )


def test_exact_delta_orthogonal_kernels_are_verified_to_the_bit_without_a_snapshot(
    only_run, capsys
):
    code, text = answer(
        only_run("model=lenet", "init=delta_orthogonal", "init.exact=true", "snapshot=none"), capsys
    )
    assert (code, "max abs" in text) == (0, False), text


def test_haar_matrices_without_a_snapshot_are_unverifiable(only_run, capsys):
    code, text = answer(only_run("init=orthogonal", "snapshot=none"), capsys)
    assert code == 2
    assert (
        "parameter '0.weight' is unverifiable: its law Haar(1) is exact to a tolerance only and there is no snapshot"
        in text
    )


def test_a_run_that_loaded_a_snapshot_is_verified_while_the_file_is_the_same(
    only_run, capsys, tmp_path
):
    source = only_run("init=normal")
    (tmp_path / "first.safetensors").write_bytes((source / "snapshot.safetensors").read_bytes())
    words = ["init=load", "init.param=first.safetensors", "init.default_init={kind: he}"]
    layers = "model.layers=[{kind: dense, units: 256, activation: relu}, {kind: dense, units: 10}, {kind: dense, name: more, units: 3}]"
    folder = only_run(*words, layers)
    loaded, first = (
        formats.get("safetensors").read(f / "snapshot.safetensors").tensors
        for f in (folder, source)
    )
    assert all(loaded[path].tobytes() == values.tobytes() for path, values in first.items())
    assert loaded["more.weight"].std() > 0.1
    assert answer(folder, capsys)[0] == 0
    other = only_run("init=normal", "seed=9")
    (tmp_path / "first.safetensors").write_bytes((other / "snapshot.safetensors").read_bytes())
    code, text = answer(folder, capsys)
    assert (code, "the file of init.param has changed since the run" in text) == (2, True)
    (tmp_path / "first.safetensors").unlink()
    assert answer(folder, capsys)[0] == 2
