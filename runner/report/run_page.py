"""The report of a run: its settings, the signal through its layers, its tensors against their
declaration, and pictures of weights.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from initlab.runner.errors import RunnerError
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.statistics import mode_text, shape_text
from initlab.runner.json_values import finite
from initlab.runner.report import drawing
from initlab.runner.report.charts import (
    MOST_TENSORS,
    deviation_chart,
    gradient_chart,
    histogram_charts,
    signal_chart,
    training_chart,
)
from initlab.runner.report.findings import diagnosis_section
from initlab.runner.report.page import (
    broken,
    cell,
    drawn,
    escaped,
    facts,
    page,
    path_cell,
    section,
    small,
    soft,
    table,
)
from initlab.runner.report.reading import RunData, read_run
from initlab.runner.report.sections import (
    MOST_UNSEARCHED,
    claims_section,
    statistics_sections,
)

TILE = 48
"""Rows and columns of a weight tile at most."""
COLUMNS = ("path", "verdict", "declared std", "measured std", "z mean", "z var", "law", "shape")


def write_run_report(folder: Path) -> Path:
    """Write `report.html` into a finished run's folder.

    Raises EvidenceError if the run cannot be read, and NotInstalled without matplotlib.
    """
    run = read_run(folder)
    return run.folder.keep_report(run_page(run))


def report_run(folder: Path) -> Path | None:
    """Write a finished run's `report.html`; return its path. A failure is a warning, and gives None;
    the run stays finished.
    """
    try:
        return write_run_report(folder)
    except (RunnerError, OSError) as error:
        print(f"warning: no report.html: {error}", file=sys.stderr)
        return None


def run_page(run: RunData) -> str:
    """Return the report of a run. The same files give the same text."""
    with np.errstate(all="ignore"):
        return _page(run)


def _page(run: RunData) -> str:
    histograms = histogram_charts(run)
    random = sum(1 for row in run.stats.parameters if finite(row.get("declared_std")))
    left_out = (
        f"The first {len(histograms)} of {random} random tensors are shown."
        if random > MOST_TENSORS
        else ""
    )
    return page(
        run.manifest.run_id,
        [
            diagnosis_section(run.diagnosis),
            section("Run", _overview(run)),
            claims_section(run.folder.path),
            section(
                "Charts",
                drawn(
                    signal_chart(run),
                    gradient_chart(run),
                    training_chart(run),
                    deviation_chart(run),
                ),
            ),
            section("Parameters", _parameters(run)),
            section("Distributions", small(histograms), soft(left_out)),
            section("Weights", _tiles(run)),
            *statistics_sections(run.stats),
            section(
                "Config",
                f"<pre tabindex='0'>{escaped(_json(run.manifest.config))}</pre>",
            ),
        ],
    )


def _overview(run: RunData) -> str:
    content = run.manifest
    off = run.stats.off
    verdict = (
        f'<p class="bad">{len(off)} of {len(run.stats.parameters)} parameters are not as declared: '
        f"{escaped(', '.join(off[:5]))}</p>"
        if off
        else f'<p class="good">All {len(run.stats.parameters)} parameters are as declared.</p>'
    )
    totals = content.totals
    figures = [
        (name, f"{value:.6g}" if isinstance(value, float) else value)
        for name, value in run.stats.figures.items()
        if value is not None
    ]
    count = len(content.aliases)
    aliases = f" and {count} alias{'es' * (count > 1)}" if count else ""
    versions = ", ".join(f"{name} {version}" for name, version in content.versions.items())
    pairs: list[tuple[str, object]] = [
        ("root digest", content.digests.root),
        ("overrides", " ".join(content.overrides) or "none"),
        ("seed, stream", f"{content.config.get('seed')}, {content.stream}"),
        ("dtype, mode", f"{content.config.get('dtype')}, {content.config.get('init_mode')}"),
        (
            "parameters",
            f"{totals.get('parameters')}{aliases}, {totals.get('elements', 0):,} elements",
        ),
        *figures,
        *([] if run.stats.mode is None else [("layers measured in", mode_text(run.stats.mode))]),
        *_origin(content),
        ("versions", versions),
    ]
    return verdict + facts(pairs)


def _origin(content: Manifest) -> Iterator[tuple[str, object]]:
    """Yield what was said of the run, and when and where it was made, as far as that is known."""
    tags, note, came = content.config.get("tags"), content.config.get("note"), content.provenance
    if isinstance(tags, list) and tags:
        yield "tags", ", ".join(map(str, tags))
    if note:
        yield "note", note
    if came is not None:
        yield "made", f"{came.ended} on {came.host}"
        if came.git is not None:
            dirty = ", with changes" if came.git.dirty else ""
            yield "git commit", f"{came.git.commit}{dirty}"


def _parameters(run: RunData) -> str:
    rows = []
    for row in run.stats.parameters:
        verdict = str(row["verdict"])
        style = "bad" if verdict == "off" else "good" if verdict in ("ok", "exact") else ""
        figures = (row.get(name) for name in ("declared_std", "std", "z_mean", "z_var"))
        rows.append(
            [
                path_cell(row["path"]),
                cell(verdict, style),
                *map(cell, figures),
                cell(row.get("law"), "law"),
                cell(shape_text(row["shape"])),
            ]
        )
    for alias, owner in run.manifest.aliases.items():
        law = f'<td class="path">= {broken(owner)}</td>'
        rows.append([path_cell(alias), cell("alias"), *["<td></td>"] * 4, law, "<td></td>"])
    return table(
        "parameters",
        COLUMNS,
        rows,
        "Parameters, declared against measured",
        searched=len(rows) > MOST_UNSEARCHED,
    )


def _tiles(run: RunData) -> str:
    """Return the first weights as pictures: blue below zero, red above."""
    values = run.values()
    tiles = []
    for row in run.stats.parameters:
        tensor = values.get(row["path"])
        if tensor is None or len(row["shape"]) < 2 or not finite(row.get("std")):
            continue
        matrix = np.asarray(tensor.reshape(tensor.shape[0], -1)[:TILE, :TILE], np.float64)
        scale = 3 * (finite(row.get("declared_std")) or finite(row.get("std")) or 1.0)
        shape = shape_text(row["shape"])
        shown = shape_text(matrix.shape)
        said = (
            f"First {shown} elements of {row['path']}, {shape}, from {-scale:.3g} (blue) to "
            f"{scale:.3g} (red)"
        )
        picture = base64.b64encode(drawing.heatmap(matrix, scale)).decode()
        tiles.append(
            f'<figure><img alt="{escaped(said)}" src="data:image/png;base64,{picture}">'
            f"<figcaption>{broken(row['path'])}, {shape}</figcaption></figure>"
        )
        if len(tiles) == MOST_TENSORS:
            break
    said = soft(
        f"The first {TILE} rows and columns at most: blue below zero, red above, white zero."
    )
    return f'<div class="tiles">{"".join(tiles)}</div>{said}' if tiles else ""


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
