"""What MLflow is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tracked import PROBED, SWEPT, manifests, read, run, stats_of

from initlab.runner.trackers.mlflow import namer

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


def test_names_are_what_mlflow_takes_and_stay_distinct():
    name = namer()
    assert [name(wanted) for wanted in ("init.rules..*bias", "init.rules..?bias", "a/b")] == [
        "init.rules.._bias",
        "init.rules.._bias_2",
        "a/b",
    ]
