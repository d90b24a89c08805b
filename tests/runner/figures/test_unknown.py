"""What stands in a sketch for values that only the run will give."""

from __future__ import annotations

import re

import pytest

from initlab.runner.errors import QuantityError
from initlab.runner.figures.lookup import Measured, figure, numbers
from initlab.runner.figures.path import parse_path
from initlab.runner.figures.unknown import MEASURED, NUMBER, TEXT, YES_OR_NO, Rows

ROW = {
    "rms": MEASURED,
    "ratio": NUMBER,
    "law": TEXT,
    "ok": YES_OR_NO,
    "bars": Rows(Rows(NUMBER, numbered=True), numbered=True),
}
SKETCH = Measured({}, {"layers": [{"path": "a", **ROW}, {"path": "b", **ROW}]})


@pytest.mark.parametrize("text", ["layers.*.rms", "layers.*.ratio", "layers.*.bars[0][2]"])
def test_numbers_that_the_run_will_give_are_numbers(text):
    assert len(numbers(parse_path(text), SKETCH).values) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layers[0].law", "'layers[0].law' is a text, which is no number"),
        ("layers.*.ok.max", "'layers.*.ok' is true or false, which is no number"),
        ("layers[0].bars", "holds rows and is no single value"),
        ("layers[0].bars.max", "layers[0].bars is a list, it has no 'max' - choose an entry"),
        ("layers[0].bars[first]", "layers[0].bars is a list, it has no 'first' - choose an entry"),
    ],
)
def test_what_will_be_no_number_says_what_it_is(text, said):
    for ask in (numbers, figure):
        with pytest.raises(QuantityError, match=re.escape(said)):
            ask(parse_path(text), SKETCH)
