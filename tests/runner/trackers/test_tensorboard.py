"""What TensorBoard is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tracked import PROBED, SWEPT, TRAINED, manifests, read, run, stats_of

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
    assert found["charts/signal"] == [[0, [552, 312, "PNG"]]]
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
