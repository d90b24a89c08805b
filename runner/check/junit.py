"""JUnit reports: the XML in which continuous integration systems read the results of tests."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from initlab.runner.errors import StorageError
from initlab.runner.files import write_text

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""


@dataclass(frozen=True)
class Case:
    """One test: its failures as (why, what), or an `error` that kept the test from running."""

    name: str
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None


def text_of(suite: str, cases: list[Case]) -> str:
    """Return the report of one suite as XML text."""
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failures) for case in cases)),
        "errors": str(sum(case.error is not None for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    inner = ElementTree.SubElement(
        root, "testsuite", {"name": _clean(suite), "skipped": "0", **counts}
    )
    for case in cases:
        attributes = {
            "classname": _clean(suite),
            "name": _clean(case.name),
            "time": f"{case.seconds:.3f}",
        }
        element = ElementTree.SubElement(inner, "testcase", attributes)
        if case.failures:
            said = [f"{why}: {what}" for why, what in case.failures]
            whys = ", ".join(dict.fromkeys(why for why, _ in case.failures))
            found = ElementTree.SubElement(
                element, "failure", {"type": whys, "message": _clean("; ".join(said))}
            )
            found.text = _clean("\n".join(said))
        if case.error is not None:
            found = ElementTree.SubElement(
                element, "error", {"type": "error", "message": _clean(case.error)}
            )
            found.text = _clean(case.error)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _clean(text: str) -> str:
    return NOT_IN_XML.sub("?", text)


def write(path: Path, suite: str, cases: list[Case]) -> None:
    """Write the report atomically; create its folder. Raises StorageError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + text_of(suite, cases))
    except OSError as error:
        raise StorageError(
            f"{path}: the report cannot be written ({error.strerror}) - give another file with --junit"
        ) from error
