"""What the comments of option files say."""

from __future__ import annotations

from initlab.runner.reference.comments import comments, header

ROOT = """
defaults:
  - model: mlp      # the network
  - device: cpu

seed: 0     # a number
            # of many digits
name: runs
sweep:
  grid: {}  # axes
hydra:
  job: 1    # not ours
"""
FILE = """# @package _global_
# yaml-language-server: $schema=x.json
# Does it work? It
# does.
#
#     initlab -m experiment=mine
#
# Why: so.
name: mine
# not the header
"""


def test_a_key_and_a_group_mean_what_their_comments_say():
    assert comments(ROOT) == {
        "model": "the network",
        "seed": "a number of many digits",
        "sweep.grid": "axes",
    }


def test_a_files_first_comment_has_paragraphs_and_indented_lines_stay():
    assert header(FILE) == ("Does it work? It does.", "    initlab -m experiment=mine", "Why: so.")


def test_a_file_without_a_comment_says_nothing():
    assert header("name: x\n# later\n") == ()
