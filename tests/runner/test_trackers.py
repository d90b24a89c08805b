"""Trackers show a finished run, once, in the library's own format; they never decide whether it is
finished.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.config.compose import compose
from initlab.runner.config.identity import declaration_of
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.plan.validate import revalidate, validate
from initlab.runner.trackers import REGISTRY, Evidence
from initlab.runner.trackers.evidence import flat, spread
from initlab.runner.trackers.mlflow import namer
from initlab.runner.trackers.wandb import coarser

ROOT = Path(__file__).parents[2]
PROBED = ("probe=backward", "stats=[moments,law,histogram]")
TRAINED = ("probe=train", "data=digits", "model.input=[64]", "probe.epochs=2")
SWEPT = ("-m", "seed=range(0,3)")
KINDS = ("tensorboard", "mlflow", "wandb")

READ_TENSORBOARD = """
import glob, json, struct, sys
from tensorboardX.proto.event_pb2 import Event
def records(data):
    at = 0
    while at < len(data):
        [size] = struct.unpack_from("<Q", data, at)
        yield data[at + 12 : at + 12 + size]
        at += size + 16
found = {}
for path in glob.glob(sys.argv[1] + "/events*"):
    for record in records(open(path, "rb").read()):
        event = Event.FromString(record)
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            said = value.simple_value if kind == "simple_value" else None
            if kind == "histo":
                said = [list(value.histo.bucket_limit), list(value.histo.bucket), value.histo.num]
            if kind == "image":
                said = [value.image.width, value.image.height, value.image.encoded_image_string[1:4].decode()]
            if kind == "tensor":
                said = value.tensor.string_val[0].decode()
            found.setdefault(value.tag, []).append([event.step, said])
print(json.dumps(found))
"""

READ_MLFLOW = """
import json, os, sys
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
from mlflow import MlflowClient
client = MlflowClient(tracking_uri="sqlite:///" + os.path.abspath("outputs/mlflow.db"))
found = {}
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id]):
        files = [file.path for file in client.list_artifacts(run.info.run_id)]
        files += [file.path for file in client.list_artifacts(run.info.run_id, "charts")]
        steps = [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, "layers/rms")]
        found.setdefault(experiment.name, []).append({
            "id": run.info.run_id, "name": run.info.run_name, "status": run.info.status, "params": run.data.params,
            "metrics": run.data.metrics, "tags": run.data.tags, "rms": steps, "files": files,
        })
print(json.dumps(found))
"""

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


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which must succeed and say nothing on stderr but
    what the runner says.
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done


def read(folder: Path, script: str, *words: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def manifests(folder: Path, name: str) -> dict[str, dict]:
    """Run id -> manifest, of the runs in `outputs/<name>`."""
    contents = [
        json.loads(path.read_text()) for path in (folder / "outputs" / name).glob("*/manifest.json")
    ]
    return {content["run_id"]: content for content in contents}


def stats_of(folder: Path, name: str, run_id: str) -> dict:
    return json.loads((folder / "outputs" / name / run_id / "stats.json").read_text())


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


def board(folder: Path, name: str) -> dict:
    [path] = (folder / "outputs/tensorboard" / name).iterdir()
    return read(folder, READ_TENSORBOARD, str(path))


@pytest.mark.slow
def test_tensorboard_has_every_figure_at_its_step_once(boards):
    [run_id] = manifests(boards, "probed")
    found, stats = board(boards, "probed"), stats_of(boards, "probed", run_id)
    assert [step for step, _ in found["layers/rms"]] == list(range(len(stats["layers"])))
    assert [value for _, value in found["layers/rms"]] == pytest.approx(
        [layer["rms"] for layer in stats["layers"]], rel=1e-6
    )
    assert [value for _, value in found["gradients/rms"]] == pytest.approx(
        [row["rms"] for row in stats["gradients"]], rel=1e-6
    )
    assert found["figures/loss"] == [[0, pytest.approx(stats["figures"]["loss"], rel=1e-6)]]
    assert found["charts/signal"] == [[0, [840, 360, "PNG"]]]
    assert "_hparams_/experiment" in found


@pytest.mark.slow
def test_tensorboard_has_histograms_parameters_and_tags(boards):
    [(run_id, content)] = manifests(boards, "probed").items()
    found, stats = board(boards, "probed"), stats_of(boards, "probed", run_id)
    [[_, (limits, counts, number)]] = found["values/0.weight"]
    assert number == sum(counts) == stats["parameters"][0]["count"]
    assert limits[0] == stats["parameters"][0]["histogram"][0][0] and counts[0] == 0
    text = found["parameters/text_summary"][0][1] + found["run/text_summary"][0][1]
    assert (
        "| path | declared_std | std | z | verdict |" in text and "| 0.weight | 0.0404145 |" in text
    )
    assert content["digests"]["root"] in text and "probe=backward" in text


@pytest.mark.slow
def test_tensorboard_has_the_training_curve_by_epochs(boards):
    [run_id] = manifests(boards, "trained")
    found, stats = board(boards, "trained"), stats_of(boards, "trained", run_id)
    assert [step for step, _ in found["training/loss"]] == [1, 2]
    assert [value for _, value in found["training/loss"]] == pytest.approx(
        [row["loss"] for row in stats["training"]], rel=1e-6
    )


@pytest.mark.slow
def test_a_sweep_that_changes_directories_is_tracked_where_it_was_started(boards):
    tracked = {path.name for path in (boards / "outputs/tensorboard/swept").iterdir()}
    assert tracked == set(manifests(boards, "swept")) and len(tracked) == 3


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A sweep in two processes at once, tracked by MLflow, and a single run."""
    folder = tmp_path_factory.mktemp("store")
    run(
        folder,
        *SWEPT,
        *PROBED,
        "tracker=mlflow",
        "name=swept",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
    )
    done = run(folder, *PROBED, "tracker=mlflow", "tracker.experiment=mine")
    assert done.stderr == "" and done.stdout.splitlines()[-1].startswith("outputs/runs/")
    return folder


@pytest.fixture(scope="module")
def stored(store) -> dict:
    return read(store, READ_MLFLOW)


@pytest.mark.slow
def test_no_run_of_two_processes_that_write_at_once_is_lost(store, stored):
    assert (
        sorted(run["name"] for run in stored["swept"]) == sorted(manifests(store, "swept"))
        and len(stored["swept"]) == 3
    )
    assert {run["status"] for run in stored["swept"]} == {"FINISHED"}
    assert len(stored["mine"]) == 1


@pytest.mark.slow
def test_mlflow_has_params_metrics_with_steps_tags_and_files(store, stored):
    for tracked in stored["swept"]:
        content, stats = (
            manifests(store, "swept")[tracked["name"]],
            stats_of(store, "swept", tracked["name"]),
        )
        assert (
            tracked["params"]["seed"] == str(content["seed"])
            and tracked["params"]["model.layers.0.units"] == "256"
        )
        assert tracked["rms"] == [
            [depth, layer["rms"]] for depth, layer in enumerate(stats["layers"])
        ]
        assert tracked["metrics"]["figures/loss"] == stats["figures"]["loss"]
        assert tracked["tags"]["initlab.root"] == content["digests"]["root"]
        assert f"seed={content['seed']}" in tracked["tags"]["initlab.overrides"]
        assert {"parameters.json", "histograms.json", "charts/signal.png"} <= set(tracked["files"])


@pytest.mark.slow
def test_mlflow_skips_what_it_has_and_replaces_what_was_made_again(store, stored):
    before = {run["id"] for run in stored["mine"]}
    run(store, *PROBED, "tracker=mlflow", "tracker.experiment=mine", "resume=true")
    assert {run["id"] for run in read(store, READ_MLFLOW)["mine"]} == before
    evidence = {path: path.read_text() for path in store.rglob("manifest.json")}
    run(store, *PROBED, "tracker=mlflow", "tracker.experiment=mine")
    [after] = read(store, READ_MLFLOW)["mine"]
    same = evidence == {
        path: path.read_text() for path in store.rglob("manifest.json")
    }  # made in as many milliseconds
    assert (after["id"] in before) == same


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_that_is_not_installed_is_refused_before_anything_starts(
    kind, command, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, REGISTRY.get(kind).packages[0], None)
    done = command(f"tracker={kind}")
    assert (done.code, done.err) == (
        2,
        f"error: tracker: {kind} is not installed - pip install 'initlab[{kind}]'\n",
    )
    done = command("-m", "seed=1,2", f"tracker={kind}")
    assert done.code == 2 and f"{kind} is not installed" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_working_directory_is_not_the_library(command, tmp_path, monkeypatch):
    (tmp_path / "nowhere_installed").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(REGISTRY.get("wandb"), "packages", ("nowhere_installed",))
    assert "wandb is not installed" in command("tracker=wandb", "dry_run=true").err


@pytest.mark.slow
def test_a_tracker_that_fails_leaves_a_finished_run_and_a_warning(tmp_path):
    (tmp_path / "taken").write_text("")
    done = run(tmp_path, "tracker=tensorboard", "tracker.folder=taken")
    [folder] = (tmp_path / "outputs/runs").iterdir()
    [line] = done.stderr.splitlines()
    assert (
        line.startswith("warning: tracker tensorboard failed (")
        and "the run itself is finished" in line
    )
    log = (folder / "runner.log").read_text()
    assert line.removeprefix("warning: ") in log and "Traceback" in log
    assert (folder / "manifest.json").exists()
    swept = run(
        tmp_path, "-m", "seed=0,1", "tracker=tensorboard", "tracker.folder=taken", "resume=true"
    )
    assert swept.stderr.count("the run itself is finished") == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_changes_no_run_id(kind):
    plain, tracked = (
        validate(declaration_of(compose([f"tracker={name}"]))) for name in ("none", kind)
    )
    assert tracked.tracker.kind == kind
    assert (plain.run_id, plain.canonical) == (tracked.run_id, tracked.canonical)


@pytest.mark.slow
def test_a_tracked_run_changes_no_digest(boards, offline):
    found = [manifests(boards, "swept"), manifests(offline, "swept")]
    roots = [
        {run["seed"]: run["digests"]["tensors"]["0.weight"] for run in runs.values()}
        for runs in found
    ]
    assert roots[0] == roots[1] and len(roots[0]) == 3


@pytest.mark.slow
def test_a_tracked_run_can_be_verified_where_the_library_is_missing(monkeypatch):
    plain = validate(declaration_of(compose(["tracker=mlflow"]))).resolved
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert revalidate(plain).tracker.kind == "none"


@pytest.mark.parametrize(
    ("kind", "option", "value", "said"),
    [
        (
            "mlflow",
            "uri",
            "file:runs",
            "must be a database or a server, got 'file:runs' - use sqlite:///outputs/mlflow.db",
        ),
        ("mlflow", "experiment", "", "must be a text that is not empty or null"),
        ("wandb", "mode", "onlin", "cannot be 'onlin' - did you mean 'online'"),
        ("wandb", "project", 3, "must be a text that is not empty or null, got 3"),
        ("tensorboard", "folder", "", "must be a text that is not empty, got ''"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(kind, option, value, said):
    with pytest.raises(OptionError) as error:
        REGISTRY.get(kind)(**{option: value})
    assert (error.value.option, said in error.value.problem) == (option, True), error.value.problem


def test_bars_with_a_gap_become_a_histogram_without():
    found = spread(
        {"histogram": [[-1.0, -0.5, 3], [0.0, 0.5, 2], [0.5, 1.0, 4]], "mean": 0.1, "rms": 0.6}
    )
    assert (found.edges, found.counts) == ([-1.0, -0.5, 0.0, 0.5, 1.0], [3, 0, 2, 4])
    coarse = coarser(found, 3)
    assert (coarse.edges, coarse.counts) == ([-1.0, 0.0, 1.0], [3, 6])


def test_names_are_what_mlflow_takes_and_stay_distinct():
    name = namer()
    assert [name(wanted) for wanted in ("init.rules..*bias", "init.rules..?bias", "a/b")] == [
        "init.rules.._bias",
        "init.rules.._bias_2",
        "a/b",
    ]


def test_figures_that_are_not_finite_are_numbers_again(only_run):
    stats = Statistics(
        parameters=[],
        figures={"loss": "nan", "kept": None, "name": "x"},
        layers=[{"rms": 1.0}, {"rms": None}, {"rms": "inf"}],
    )
    evidence = Evidence("runs", RunFolder(only_run("init=normal")).manifest, stats)
    assert str(evidence.metrics["figures/loss"]) == "nan" and "figures/kept" not in evidence.metrics
    [rms] = evidence.series
    assert (rms.steps, rms.values) == ([0, 2], [1.0, float("inf")])


def test_a_tracker_is_given_names_without_brackets():
    config = {"model": {"layers": [{"units": 4}, {"kernel": [3, 5]}]}, "vars": {}}
    assert flat(config) == {
        "model.layers.0.units": 4,
        "model.layers.1.kernel.0": 3,
        "model.layers.1.kernel.1": 5,
        "vars": {},
    }
