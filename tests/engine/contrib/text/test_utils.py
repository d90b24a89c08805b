"""Counts of tokens; what MXNet gave is in `differential/texts`."""

from __future__ import annotations

from collections import Counter

import initlab.engine as mx


def test_counts_are_added_to_a_counter():
    counter = Counter({"a": 2})
    found = mx.contrib.text.utils.count_tokens_from_str(
        "a B\nb", to_lower=True, counter_to_update=counter
    )
    assert found is counter
    assert counter == {"a": 3, "b": 2}
