"""`primitive`: each case of the primitives that the op module of a test file's name defines."""

from __future__ import annotations

from op_cases import cases


def pytest_generate_tests(metafunc):
    if "primitive" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition("test_")[2]
        assert cases(module), f"engine.ops.{module} defines no primitive"
        metafunc.parametrize(
            "primitive",
            [case.values for case in cases(module)],
            ids=[case.id for case in cases(module)],
        )
