"""MLflow: writes a run to its tracking store, a database file or a server."""

from __future__ import annotations

import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from initlab.engine.errors import OptionError
from initlab.engine.options import Text
from initlab.runner.trackers.base import Tracker, register
from initlab.runner.trackers.evidence import TABLE, Evidence

SQLITE = "sqlite:///"
SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https")
LONGEST_KEY = 250
LONGEST_VALUE = 6000
METRICS, PARAMS = 1000, 100
"""How many of them MLflow takes at once."""


@register
@dataclass
class Mlflow(Tracker):
    """Writes a run to the store of MLflow.

    If the same run is tracked in the experiment already, it is skipped if its evidence is the same,
    as after `resume=true`; otherwise the new run is written and the older one deleted. Files of a
    database's runs go to the folder `mlflow-files` next to it. Processes that write to one database
    file take turns, by a lock on the file `<database>.lock`.

    Example: initlab tracker=mlflow tracker.experiment=widths
    """

    packages = ("mlflow", "sqlalchemy", "alembic")
    uri: Text = "sqlite:///outputs/mlflow.db"
    """The store: a database or a server."""
    experiment: Text | None = None
    """The experiment; null: the run's name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        scheme = urlsplit(self.uri).scheme
        if scheme.partition("+")[0] not in SCHEMES:
            raise OptionError(
                "uri",
                f"must be a database or a server, got {self.uri!r} - use {SQLITE}outputs/mlflow.db",
            )

    def track(self, evidence: Evidence) -> None:
        """Write the run unless it is there. Older versions are deleted last, so a failure loses
        nothing.
        """
        database = (
            Path(self.uri.removeprefix(SQLITE)).absolute() if self.uri.startswith(SQLITE) else None
        )
        if database is not None:
            database.parent.mkdir(parents=True, exist_ok=True)
        with taking_turns(database) if database is not None else nullcontext():
            client = _client(self.uri if database is None else f"{SQLITE}{database}")
            experiment = self._experiment(client, self.experiment or evidence.name, database)
            older = client.search_runs([experiment], f"tags.`initlab.run_id` = '{evidence.run_id}'")
            done = [
                run
                for run in older
                if run.info.status == "FINISHED"
                and run.data.tags.get("initlab.evidence") == evidence.tags["initlab.evidence"]
            ]
            if not done:
                _write(client, experiment, evidence)
            for run in older:
                if not done or run.info.run_id != done[0].info.run_id:
                    client.delete_run(run.info.run_id)

    def _experiment(self, client: Any, name: str, database: Path | None) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        files = (
            None
            if database is None
            else (database.parent / "mlflow-files" / re.sub(r"[^\w.-]", "_", name)).as_uri()
        )
        return str(client.create_experiment(name, artifact_location=files))


@contextmanager
def taking_turns(database: Path) -> Iterator[None]:
    """Lock the database against other processes, inside a `with`.

    SQLite would refuse them, and MLflow creates its tables at its first start.
    """
    descriptor = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _client(uri: str) -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # telemetry would use the network
    from mlflow import MlflowClient

    for name in ("alembic", "mlflow"):  # they log every table that they create
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri)


def _write(client: Any, experiment: str, evidence: Evidence) -> None:
    tags = evidence.tags | {"mlflow.source.name": "initlab"}
    run = client.create_run(experiment, run_name=evidence.run_id, tags=tags).info.run_id
    try:
        _write_figures(client, run, evidence)
        _write_files(client, run, evidence)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run)


def _write_figures(client: Any, run: str, evidence: Evidence) -> None:
    from mlflow.entities import Metric, Param

    key = namer()
    params = [
        Param(key(name), str(value)[:LONGEST_VALUE]) for name, value in evidence.params.items()
    ]
    key = namer()
    metrics = [Metric(key(name), value, 0, 0) for name, value in evidence.metrics.items()]
    for series in evidence.series:
        name = key(series.name)
        metrics += [
            Metric(name, value, 0, step)
            for step, value in zip(series.steps, series.values, strict=True)
        ]
    for part in batches(params, PARAMS):
        client.log_batch(run, params=part)
    for part in batches(metrics, METRICS):
        client.log_batch(run, metrics=part)


def _write_files(client: Any, run: str, evidence: Evidence) -> None:
    client.log_dict(run, {"columns": list(TABLE), "data": evidence.table}, "parameters.json")
    client.set_tag(run, "mlflow.loggedArtifacts", '[{"path": "parameters.json", "type": "table"}]')
    if evidence.spreads:
        spreads = {
            path: {"edges": spread.edges, "counts": spread.counts}
            for path, spread in evidence.spreads.items()
        }
        client.log_dict(run, spreads, "histograms.json")
    with TemporaryDirectory() as folder:
        for picture in evidence.pictures:
            file = Path(folder) / f"{picture.name}.png"
            file.write_bytes(picture.png)
            client.log_artifact(run, str(file), "charts")


def batches(items: list[Any], size: int) -> Iterable[list[Any]]:
    """Yield `items` in order, at most `size` at a time."""
    return (items[i : i + size] for i in range(0, len(items), size))


def namer() -> Callable[[str], str]:
    """Return a function that makes unique names from letters, digits and `_-. :/`, as MLflow
    requires.
    """
    given: set[str] = set()

    def name(wanted: str) -> str:
        allowed = re.sub(r"[^A-Za-z0-9_\-. :/]", "_", wanted).strip("/. ")[: LONGEST_KEY - 8] or "_"
        key, number = allowed, 2
        while key in given:
            key, number = f"{allowed}_{number}", number + 1
        given.add(key)
        return key

    return name
