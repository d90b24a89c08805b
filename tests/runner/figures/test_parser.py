"""What conditions and quantities share: the place of an error, limits, and how a long text is shown."""

from __future__ import annotations

import re

import pytest

from initlab.runner.claims import quantity
from initlab.runner.errors import ExpressionError
from initlab.runner.figures import where
from initlab.runner.figures.path import LONGEST_NUMBER

READERS = {"condition": where.parse_where, "quantity": quantity.parse}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_an_error_names_its_column_also_after_spaces(read):
    with pytest.raises(ExpressionError, match=r"^'seed   \)', column 8: ") as refused:
        read("seed   )")
    assert refused.value.problem in str(refused.value)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_number_of_too_many_digits_is_refused_and_one_at_the_limit_is_read(read):
    end = " == seed" if read is where.parse_where else " - seed"
    read("9" * LONGEST_NUMBER + end)
    with pytest.raises(ExpressionError, match="column 1: has a number of more than 400 characters"):
        read("9" * (LONGEST_NUMBER + 1) + end)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_of_a_long_text_the_part_around_the_error_is_shown(read):
    path = "layers" + "[0]" * 100
    text = f"{path} ? {path}"
    with pytest.raises(ExpressionError) as refused:
        read(text)
    said = str(refused.value)
    assert re.search(r"^'…[^…]{120}…', column 308: ", said) and " ? layers[0]" in said
