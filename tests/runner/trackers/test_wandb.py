"""What W&B is told."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tracked import PROBED, SWEPT, TRAINED, manifests, read, run, stats_of

READ_WANDB = """
import json, struct, sys
from wandb.proto.wandb_internal_pb2 import Record
data = open(sys.argv[1], "rb").read()
at, whole, found = 7, b"", {"history": [], "config": {}, "summary": {}}
while at + 7 <= len(data):
    if 32768 - at % 32768 < 7:  # the end of a block holds no header
        at += 32768 - at % 32768
        continue
    _, size, kind = struct.unpack_from("<IHB", data, at)
    whole += data[at + 7 : at + 7 + size]
    at += 7 + size
    if kind in (2, 3):  # the first or a middle part
        continue
    record, whole = Record.FromString(whole), b""
    name = lambda item: item.key or "/".join(item.nested_key)
    if record.WhichOneof("record_type") == "run":
        found["run"] = [record.run.run_id, record.run.project, record.run.run_group]
        found["config"] |= {name(item): json.loads(item.value_json) for item in record.run.config.update}
    if record.WhichOneof("record_type") == "history":
        found["history"].append({name(item): json.loads(item.value_json) for item in record.history.item})
    if record.WhichOneof("record_type") == "summary":
        found["summary"] |= {name(item): json.loads(item.value_json) for item in record.summary.update}
    if record.WhichOneof("record_type") == "exit":
        found["exit"] = record.exit.exit_code
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def boards(tmp_path_factory) -> Path:
    """A probed run, made twice; a trained one; and a sweep whose jobs change their working
    directory.
    """
    folder = tmp_path_factory.mktemp("boards")
    for _ in range(2):
        done = run(folder, *PROBED, "tracker=tensorboard", "name=probed")
        assert done.stderr == "" and done.stdout.splitlines()[-1].startswith("outputs/probed/")
    run(folder, *TRAINED, "tracker=tensorboard", "name=trained")
    run(folder, *SWEPT, "tracker=tensorboard", "name=swept", "hydra.job.chdir=true")
    return folder


@pytest.fixture(scope="module")
def offline(tmp_path_factory) -> Path:
    """A sweep tracked by W&B offline, and one of its runs again."""
    folder = tmp_path_factory.mktemp("offline")
    run(folder, *SWEPT, *PROBED, "tracker=wandb", "name=swept")
    done = run(folder, *PROBED, "tracker=wandb", "name=swept", "seed=1")
    assert done.stderr == "" and done.stdout.splitlines()[-1].startswith("outputs/swept/")
    return folder


@pytest.mark.slow
def test_wandb_has_each_run_once_offline(offline):
    files = list((offline / "outputs/wandb/swept/wandb").glob("offline-run-*/*.wandb"))
    assert (
        sorted(path.stem.removeprefix("run-") for path in files)
        == sorted(manifests(offline, "swept"))
        and len(files) == 3
    )


@pytest.mark.slow
def test_wandb_has_config_history_by_depth_and_media(offline):
    path = next((offline / "outputs/wandb/swept/wandb").glob("offline-run-*/*.wandb"))
    found = read(offline, READ_WANDB, str(path))
    run_id = path.stem.removeprefix("run-")
    content, stats = manifests(offline, "swept")[run_id], stats_of(offline, "swept", run_id)
    assert found["run"] == [run_id, "swept", "swept"] and found["exit"] == 0
    assert (
        found["config"]["seed"] == content["seed"]
        and found["config"]["initlab"]["initlab.root"] == content["digests"]["root"]
    )
    rms = [[row["depth"], row["layers/rms"]] for row in found["history"] if "layers/rms" in row]
    assert rms == [[depth, layer["rms"]] for depth, layer in enumerate(stats["layers"])]
    [once] = [row for row in found["history"] if "parameters/_type" in row]
    assert once["parameters/_type"] == "table-file" and once["charts/signal/_type"] == "image-file"
    assert sum(once["values/0.weight/values"]) == stats["parameters"][0]["count"]
    assert found["summary"]["figures/loss"] == stats["figures"]["loss"]


def processes_in(folder: Path) -> list[int]:
    """The processes whose working directory is `folder`, as Linux tells."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found += [int(link.parent.name)] if link.readlink() == folder else []
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs Linux's /proc")
def test_no_process_of_wandb_is_left_behind(offline):
    assert processes_in(offline) == []
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], cwd=offline, stdin=subprocess.PIPE
    ) as process:
        assert processes_in(offline) == [process.pid]
        process.communicate(b"\n")


@pytest.mark.slow
def test_a_tracked_run_changes_no_digest(boards, offline):
    found = [manifests(boards, "swept"), manifests(offline, "swept")]
    roots = [
        {run["seed"]: run["digests"]["tensors"]["0.weight"] for run in runs.values()}
        for runs in found
    ]
    assert roots[0] == roots[1] and len(roots[0]) == 3
