"""The pages print what they show, and the runner of their blocks notices when they do not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("docs_blocks", ROOT / "docs" / "blocks.py")
blocks = importlib.util.module_from_spec(SPEC)
sys.modules["docs_blocks"] = blocks
SPEC.loader.exec_module(blocks)

QUICK = ("README.md", "python.md", "torch.md", "ci.md")
"""Pages that take seconds; the others are checked by `make test-all`."""


def page_test(page: Path):
    name = str(page.relative_to(ROOT))
    return pytest.param(page, id=name, marks=[] if page.name in QUICK else [pytest.mark.slow])


@pytest.mark.parametrize("page", [page_test(page) for page in blocks.pages()])
def test_a_page_prints_what_it_shows(page):
    if missing := blocks.needs(page.read_text(encoding="utf-8")):
        pytest.skip(f"the page needs {', '.join(missing)}")
    assert blocks.run_page(page) > 0


@pytest.fixture
def page(tmp_path):
    """`page(text)` writes a page."""

    def write(text: str) -> Path:
        (path := tmp_path / "page.md").write_text(text, encoding="utf-8")
        return path

    return write


CONSOLE = "<!-- run -->\n```console\n$ echo 2 && echo 3\n{}\n\n$ echo 4\n4\n```\n"


def test_another_output_is_named_with_its_line(page):
    with pytest.raises(blocks.PageError, match=r"(?s)line 1: not what is printed.*-5\n\+2\n\+3"):
        blocks.run_page(page(CONSOLE.format(5)))


def test_write_puts_the_output_into_the_page_and_leaves_the_rest(page):
    path = page("# Title\n\n" + CONSOLE.format("5") + "\nText.\n")
    assert blocks.run_page(path, write=True) == 1
    assert path.read_text() == "# Title\n\n" + CONSOLE.format("2\n3") + "\nText.\n"
    assert blocks.run_page(path) == 1


@pytest.mark.parametrize(
    "shown, printed, as_shown",
    [
        (["(0.05 s)"], ["(12.1 s)"], True),
        (["a  0.05 s  b"], ["a     12 s  b"], True),
        (["torch 2.13.0"], ["torch 2.14.0+cpu"], True),
        (["2026-11-27 10:00"], ["2027-01-02 11:30"], True),
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…", "d"], ["a", "d"], True),
        (["a", "…", "d"], ["a", "b", "e"], False),
        (["loss 2.3026"], ["loss 2.3027"], False),
        (["a  b"], ["a   b"], False),
        (["1.5"], ["1.5 s"], False),
        ([], ["error"], False),
    ],
)
def test_durations_dates_versions_and_left_out_lines_may_differ_and_nothing_else(
    shown, printed, as_shown
):
    assert blocks.same(shown, printed) is as_shown


def test_blocks_of_a_page_share_a_folder_and_the_names_of_python(page):
    text = """<!-- file folder/two.py -->
```python
TWO = 2
```
<!-- do cp folder/two.py . -->
<!-- run -->
```sh
echo one > one.txt
```
<!-- run -->
```python
from two import TWO

one = open("one.txt").read()
print(one * TWO)
```
<!-- prints -->
```text
one
one

```
<!-- run -->
```python
assert one
```
```python
this is not run
```
"""
    assert blocks.run_page(page(text)) == 1


@pytest.mark.parametrize(
    "text, problem",
    [
        ("<!-- rnu -->\n```sh\n```\n", r"line 1: no mark 'rnu'. Did you mean 'run'\?"),
        ("<!-- run -->\ntext\n", "line 1: 'run' stands above a fence"),
        ("<!-- run -->\n```sh\necho 1\n", "line 2: the fence is not closed"),
        ("<!-- run -->\n```sh\nexit 3\n```\n", "line 1: exit code 3, not 0"),
        ("<!-- run exit=2 -->\n```sh\ntrue\n```\n", "line 1: exit code 0, not 2"),
        ("<!-- run -->\n```python\n1 / 0\n```\n", "(?s)exit code 1, not 0.*ZeroDivisionError"),
        ("<!-- do false -->\n", "line 1: exit code 1"),
        ("<!-- keep a.svg a.svg -->\n", "line 1: 0 files 'a.svg' were made"),
        ("<!-- do touch a.svg -->\n<!-- keep a.svg b.svg -->\n", "no file b.svg: run --write"),
    ],
)
def test_a_fault_of_a_page_is_named(page, text, problem):
    with pytest.raises(blocks.PageError, match=problem):
        blocks.run_page(page(text))


def test_a_picture_is_kept_beside_the_page(page, tmp_path):
    path = page("<!-- do echo 1 > a1.svg -->\n<!-- keep a*.svg pictures/a.svg -->\n")
    blocks.run_page(path, write=True)
    assert (tmp_path / "pictures" / "a.svg").read_text() == "1\n"


def test_a_page_says_what_it_needs(page):
    assert blocks.needs("<!-- needs json no_such_module -->\n") == ["no_such_module"]


def test_the_command_line_names_the_page_that_is_wrong(page, capsys):
    assert blocks.main([str(page(CONSOLE.format("2\n3")))]) == 0
    assert capsys.readouterr().out.endswith("page.md: 1 blocks\n")
    assert blocks.main([str(page(CONSOLE.format("5")))]) == 1
    assert "not what is printed" in capsys.readouterr().out
