"""Kinds: classes of an open set that a config chooses by name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from initlab.engine.registry import Registry
from initlab.runner.kinds import Kind, registrar


class Base(Kind):
    pass


@pytest.fixture
def known():
    return Registry("thing")


def test_a_class_is_registered_under_its_name_in_words_and_knows_it(known):
    register = registrar(known, Base)

    @register
    @dataclass
    class TwoWords(Base):
        size: int = 3

    assert known.get("two_words") is TwoWords
    assert TwoWords.kind == "two_words" and TwoWords(size=4).size == 4


def test_a_class_of_another_kind_is_refused(known):
    with pytest.raises((TypeError, AssertionError)):
        registrar(known, Base)(int)
