"""Models of transformers, built from small configs: clean ones give nothing, planted faults are found."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from initlab.runner.torch.watch.locking import lock  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402

SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 320,
    "intermediate_size": 128,
}  # fmt: skip
GPT2 = {
    "n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 320, "n_positions": 64,
    "bos_token_id": 1, "eos_token_id": 1,
}  # fmt: skip
MODELS = {
    "GPT2LMHeadModel": lambda: transformers.GPT2Config(**GPT2),
    "LlamaForCausalLM": lambda: transformers.LlamaConfig(**SMALL, num_key_value_heads=2),
    "BertForMaskedLM": lambda: transformers.BertConfig(**SMALL),
}
GPT2_SPEC = {
    "rules": [
        {"match": ".*bias", "init": "zeros"},
        {"match": ".*ln_.*weight", "init": "ones"},
        {
            "match": ".*c_proj.weight",
            "init": {"kind": "normal", "sigma": 0.02 / math.sqrt(2 * 2)},
        },
        {"match": ".*", "init": {"kind": "normal", "sigma": 0.02}},
    ],
    "tied": [["transformer.wte.weight", "lm_head.weight"]],
}


@pytest.mark.parametrize("name", MODELS)
def test_a_clean_model_gives_nothing(name):
    config, cls = MODELS[name](), getattr(transformers, name)
    with watch() as w:
        model = cls(config)
    assert w.check(build=cls, knob="config.initializer_range").ok
    assert lock(model, w).text == lock(model, w).text


def test_gpt2_is_as_it_is_declared():
    with watch() as w:
        model = transformers.GPT2LMHeadModel(MODELS["GPT2LMHeadModel"]())
    assert w.check(GPT2_SPEC, model=model).ok


def test_another_spread_than_the_layers_own_is_no_override():
    config = transformers.GPT2Config(**GPT2, initializer_range=0.5)
    with watch() as w:
        model = transformers.GPT2LMHeadModel(config)
    report = w.report(model=model)
    assert report.findings == ()
    laws = {row.law for row in report.rows if "h.0.mlp.c_fc.weight" in row.names[0]}
    assert laws == {"Normal(0, 0.5)"}


def test_a_head_that_post_init_never_reached_is_found():
    class WithHead(transformers.BertForMaskedLM):
        def __init__(self, config):
            super().__init__(config)
            self.value = torch.nn.Linear(config.hidden_size, 1)

    with watch() as w:
        model = WithHead(transformers.BertConfig(**SMALL))
    report = w.report(model=model)
    assert report.named("not-by-scheme") == ("value.weight", "value.bias")


def test_a_parameter_that_init_weights_forgets_is_found():
    class Scaled(transformers.LlamaForCausalLM):
        def __init__(self, config):
            super().__init__(config)
            self.gate = torch.nn.Parameter(torch.empty(config.hidden_size))

    with watch() as w:
        model = Scaled(transformers.LlamaConfig(**SMALL, num_key_value_heads=2))
    report = w.report(model=model)
    assert [(one.id, one.names) for one in report.findings] == [("never-written", ("gate",))]


def test_keys_that_a_checkpoint_lacks_are_initialized_as_ever(tmp_path):
    config = transformers.BertConfig(**SMALL, num_labels=3)
    transformers.BertModel(config).save_pretrained(tmp_path)
    cls = transformers.BertForSequenceClassification
    with watch() as w:
        model = cls.from_pretrained(tmp_path, num_labels=3)
    report = w.report(
        model=model,
        build=lambda: cls(config),
        loaded=[f"bert.{name}" for name in transformers.BertModel(config).state_dict()],
    )
    assert report.findings == ()


def test_keys_that_a_checkpoint_lacks_and_nobody_initialized_are_found(tmp_path):
    class Forgetful(transformers.BertForSequenceClassification):
        def _init_weights(self, module):
            if module is not self.classifier:
                super()._init_weights(module)

    config = transformers.BertConfig(**SMALL, num_labels=3)
    transformers.BertModel(config).save_pretrained(tmp_path)
    with watch() as w:
        model = Forgetful.from_pretrained(tmp_path, num_labels=3)
    report = w.report(
        model=model,
        build=lambda: transformers.BertForSequenceClassification(config),
        loaded=[f"bert.{name}" for name in transformers.BertModel(config).state_dict()],
    )
    assert "classifier.weight" in report.named("missing-key")
