"""What is meant is allowed, with a reason; an allowance that is wrong is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.errors import ConfigError, Contradicted  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


class Unset(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.empty(3))


def test_what_is_meant_is_allowed_with_a_reason():
    with watch() as w:
        model = Unset()
    report = w.check(model=model, allow=[{"match": "sc.*", "why": "loaded later"}])
    assert report.ok and report.named("never-written") == ()
    assert "allowed (loaded later): never-written: scale" in str(report)
    allow = [{"match": "sc.*", "why": "loaded later", "check": "overridden"}]
    with pytest.raises(Contradicted, match="never-written"):
        w.check(allow=allow)


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ({"match": "nothing", "why": "x"}, r"allow.0.match: 'nothing' matches nothing"),
        ({"match": "scale"}, r"allow.0: must be a mapping with match and why"),
        ({"match": "scale", "why": " "}, r"allow.0.why: must be a reason"),
        ({"match": "(", "why": "x"}, r"allow.0.match: is no regular expression"),
        ({"match": "scale", "why": "x", "check": "never-writen"}, "did you mean 'never-written'"),
        ({"match": "scale", "why": "x", "chek": "tie"}, "did you mean 'check'"),
    ],
)
def test_an_allowance_that_is_wrong_is_one_clear_error(allow, said):
    with watch() as w:
        model = Unset()
    with pytest.raises(ConfigError, match=said):
        w.check(model=model, allow=[allow])
