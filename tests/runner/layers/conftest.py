"""The cases of the layer kinds that the module of a test file's name defines: `kind` of those that
run, `refused` for those that are not built.
"""

from __future__ import annotations

from layer_cases import KINDS, REFUSED, module_of


def pytest_generate_tests(metafunc):
    module = metafunc.module.__name__.rpartition("test_")[2]
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "kind" in metafunc.fixturenames and "kind" not in own:
        kinds = [kind for kind, (_, layer, _) in KINDS.items() if module_of(layer) == module]
        assert kinds, f"no case is of a kind in runner.layers.{module}"
        metafunc.parametrize("kind", kinds)
    if "refused" in metafunc.fixturenames:
        cases = [case for case in REFUSED if module_of(case[0]) == module]
        assert cases, f"no refused case is of a kind in runner.layers.{module}"
        metafunc.parametrize("refused", cases, ids=[layer for layer, _ in cases])
