"""Advice for a declared network: every candidate is planned and observed, and the best comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from initlab.engine.errors import LawError
from initlab.runner.advice.candidates import candidates_for
from initlab.runner.advice.lookahead import loss_ahead
from initlab.runner.advice.ranking import ranked, tried
from initlab.runner.advice.training import RATES, check_trainable, losses
from initlab.runner.config.compose import compose
from initlab.runner.config.explain import key_of
from initlab.runner.config.identity import declaration_of
from initlab.runner.config.option_writer import OptionFile
from initlab.runner.errors import ConfigError
from initlab.runner.observation.passes import observe
from initlab.runner.plan.validate import RunConfig, validate
from initlab.runner.progress import Report, unheard
from initlab.runner.run import stages
from initlab.runner.sweep.plugin import register
from initlab.runner.symptoms import Examined
from initlab.runner.terminal.advice import Refused, Tried, text_of

TRAINED = 3
"""How many of the best are trained."""
AS_DECLARED = "(none)"
"""The words of an initializer that an experiment or a default chose."""


@dataclass(repr=False)
class Advice:
    """Rows, best first; what could not be used; and the words of the row that was declared."""

    rows: list[Tried]
    refused: list[Refused]
    declared: str
    runs: dict[str, RunConfig]
    """Words -> the run that they declare with the words about the rest."""

    @property
    def best(self) -> Tried:
        """The row to follow."""
        return self.rows[0]

    def __repr__(self) -> str:
        return text_of(self.rows, self.refused, self.declared)


def advise(
    checked: RunConfig,
    words: Sequence[str],
    config_dir: str | None = None,
    train: bool = False,
    report: Report = unheard,
) -> Advice:
    """Return which initializers suit a declared network, whose typed words are `words`.

    Each candidate takes the place of the words about `init`; the seed, the data and all else stay.
    Candidates with the laws of an earlier one are left out. Nothing is written. With `train` the best
    three are trained for a short time. `report` is told how many candidates are done.

    Raises ConfigError with `probe=none`, and if `train` finds no labels.
    """
    if checked.probe.kind == "none":
        raise ConfigError.of("probe", "none sends nothing through the network - use probe=forward")
    if train:
        check_trainable(checked)
    register()
    found = _all_tried(checked, words, config_dir, report)
    if train:
        _train(found, report)
    return found


def _all_tried(
    checked: RunConfig, words: Sequence[str], config_dir: str | None, report: Report
) -> Advice:
    rest = [word for word in words if not _chooses(word)]
    own = " ".join(word for word in words if key_of(word).partition(".")[0] == "init")
    first = _examined(in_memory(checked))
    found = Advice([], [], own or AS_DECLARED, {})
    declared = tried(found.declared, *first)
    found.runs[found.declared] = checked
    candidates = candidates_for(first[0].seen)
    for number, candidate in enumerate(candidates, 1):
        report(number, len(candidates), candidate)
        try:
            _try(found, candidate, rest, config_dir, declared)
        except (ConfigError, LawError) as error:
            found.refused.append(Refused(candidate, _in_one_line(error)))
    if not any(row.words == found.declared for row in found.rows):
        found.rows.append(declared)
    found.rows = ranked(found.rows)
    return found


def write(advice: Advice, target: OptionFile) -> str:
    """Write the best initializer as an option file, and return the words that choose it."""
    best = advice.best
    options = advice.runs[best.words].resolved["init"]
    assert isinstance(options, dict)
    target.write(options, f"The best of {len(advice.rows)} initializers: {best.words}")
    return target.words


def in_memory(config: RunConfig) -> RunConfig:
    """Return a config whose network is whole in memory: a streamed one never is."""
    return replace(config, init_mode="eager") if config.init_mode == "streamed" else config


def _chooses(word: str) -> bool:
    """Return whether a word is about the initializer or the task."""
    return key_of(word).partition(".")[0] in ("init", "task")


def _try(
    found: Advice, words: str, rest: Sequence[str], config_dir: str | None, declared: Tried
) -> None:
    """Add the row of a candidate, unless one with the same laws is there.

    The first candidate with the laws of the declared network is that network, and gives it words if
    it has none of its own.
    """
    config = validate(declaration_of(compose([*rest, *words.split()], config_dir)))
    same = next((known for known, run in found.runs.items() if _laws(run) == _laws(config)), None)
    if same is None:
        found.rows.append(tried(words, *_examined(in_memory(config))))
        found.runs[words] = config
    elif same == found.declared and not any(row.words == same for row in found.rows):
        if same == AS_DECLARED:
            found.declared = words
            found.runs[words] = found.runs.pop(AS_DECLARED)
        found.rows.append(replace(declared, words=found.declared))


def _laws(config: RunConfig) -> list[tuple[str, object, float]]:
    """Return what is drawn for each parameter, and its learning rate's factor."""
    return [(row.path, row.law, row.lr_mult) for row in config.plan.rows]


def _examined(config: RunConfig) -> tuple[Examined, float | None]:
    """Draw the parameters, and return what one batch shows of the network, and its loss ahead."""
    network, _ = stages.initialize(config)
    subject = stages.subject_of(config, network)
    rows = {row.path: row for row in config.plan.rows}
    return Examined(observe(subject), rows=rows), loss_ahead(subject)


def _in_one_line(error: Exception) -> str:
    first, *others = str(error).splitlines()
    return f"{first} (and {len(others)} more)" if others else first


def _train(found: Advice, report: Report) -> None:
    """Train the best rows and rank them by their loss."""
    best = found.rows[:TRAINED]
    total = len(best) * len(RATES)
    for number, row in enumerate(best):
        results = []
        for loss, rate in losses(in_memory(found.runs[row.words])):
            results.append((loss, rate))
            report(number * len(RATES) + len(results), total, f"{row.words}: loss {loss:.4g}")
        loss, rate = min(results)
        found.rows[number] = replace(row, trained=loss, rate=rate)
    found.rows = ranked(found.rows)
