"""`initlab schema`: schemas on the disk, plugins and folders of one's own included."""

from __future__ import annotations

import json

from jsonschema import Draft7Validator

PLUGIN = '''
from dataclasses import dataclass
from initlab.engine import gluon, init
from initlab.engine.gluon import nn
from initlab.engine.options import Count
from initlab.runner.layers import Layer, register

@init.register
@dataclass(eq=False, repr=False)
class MyOwn(init.Initializer):
    factor: float = 0.5

@register
@dataclass
class Twice(Layer):
    """Two of them."""

    units: Count
    """How wide."""

    def build(self, context):
        return nn.Dense(self.units)
'''


def test_the_schemas_are_written_and_each_folder_has_its_line(command, tmp_path):
    done = command("schema", "schemas")
    assert (done.code, done.err) == (0, "")
    files = {file.stem: json.loads(file.read_text()) for file in tmp_path.glob("schemas/*.json")}
    assert {"config", "init", "model", "stats", "launcher"} <= set(files)
    for body in files.values():
        Draft7Validator.check_schema(body)
    assert (
        "my_conf/init/*.yaml\n    # yaml-language-server: $schema=../../schemas/init.json"
        in done.out
    )


def test_plugins_and_options_of_ones_own_are_included(command, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "own" / "init").mkdir(parents=True)
    (tmp_path / "own" / "init" / "wide.yaml").write_text("kind: normal\nsigma: 1\n")
    done = command("schema", "s", "--plugin", "mine.py", "--config-dir", "own")
    assert (done.code, done.err) == (0, "")
    model = Draft7Validator(json.loads((tmp_path / "s" / "model.json").read_text()))
    layer = {"kind": "twice", "units": 3}
    assert model.is_valid({"layers": [layer]})
    assert not model.is_valid({"layers": [{**layer, "unts": 3}]})
    init = Draft7Validator(json.loads((tmp_path / "s" / "init.json").read_text()))
    assert init.is_valid({"kind": "my_own", "factor": 1})
    assert not init.is_valid({"kind": "my_own", "facto": 1})
    text = (tmp_path / "s" / "config.json").read_text()
    assert '"wide"' in text
    assert "How wide." in text
    assert "own/init/*.yaml" in done.out


def test_a_folder_that_cannot_be_made_is_refused(command, tmp_path):
    (tmp_path / "file").write_text("")
    done = command("schema", "file/schemas")
    assert (done.code, done.out) == (2, "")
    assert "file/schemas" in done.err
