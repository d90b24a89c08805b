"""Every field of a manifest is held against what its own config gives."""

from __future__ import annotations

import pytest
from altered import answer, change_manifest

from initlab.runner.config.identity import canonical_config, run_id
from initlab.runner.evidence.folder import RunFolder


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda m: m.update(name="other"), "the manifest's name is 'other', its config's 'runs'"),
        (lambda m: m.update(seed=4), "the manifest's seed is 4, its config's 3"),
        (lambda m: m.update(shard="1/2"), "the manifest's shard is '1/2', its config's None"),
        (
            lambda m: m.update(joined=["a", "b"]),
            "the manifest's joined is ['a', 'b'], its config's ['normal-seed3-",
        ),
        (
            lambda m: m.update(exactness={"0.weight": "tolerance"}),
            "the manifest's exactness is {'0.weight': 'tolerance'}, its config's {}",
        ),
        (
            lambda m: m["ledger"].update(filled=3),
            "the manifest's ledger is {'filled': 3, 'parameters': 4}, its config's {'filled': 4,",
        ),
        (lambda m: m["totals"].update(bytes=1), "the manifest's totals is {"),
        (
            lambda m: m["digests"].update(definition="tensor-v2"),
            "the manifest's digests.definition is 'tensor-v2', its config's 'tensor-v1, root-v1'",
        ),
        (
            lambda m: m.update(overrides=["seed=4"]),
            "the manifest's overrides hold 'seed=4', which its config does not say",
        ),
        (
            lambda m: m.update(overrides=["init.sigma=0.5", "seed=3"]),
            "the manifest's overrides hold 'init.sigma=0.5', which its config does not say",
        ),
        (
            lambda m: m.update(overrides=["init=he"]),
            "the manifest's overrides are not those of .hydra/overrides.yaml",
        ),
        (
            lambda m: m["digests"].pop("definition"),
            "the manifest's digests.definition is None, its config's 'tensor-v1, root-v1'",
        ),
        (
            lambda m: m["canonical"]["device"].update(index=False),
            "the manifest's canonical config is not",
        ),
        (lambda m: m["versions"].update(numpy="2 of them"), "the manifest's versions hold 'numpy'"),
        (
            lambda m: m["versions"].update(numpy="inf"),
            "the manifest's versions hold 'numpy': 'inf'",
        ),
        (
            lambda m: m["versions"].pop("numpy"),
            "the manifest's versions do not say that of numpy",
        ),
        (
            lambda m: m["versions"].pop("hydra-core"),
            "the manifest's versions say Hydra None, .hydra/hydra.yaml says 1.3.",
        ),
        (
            lambda m: m["versions"].update({"hydra-core": "1.2.0"}),
            "the manifest's versions say Hydra 1.2.0, .hydra/hydra.yaml says 1.3.",
        ),
        (lambda m: m.update(seconds=-1), "the manifest's seconds are -1"),
        (lambda m: m.update(peak_memory_bytes=-1), "the manifest's peak_memory_bytes are -1"),
        (
            lambda m: m.update(verdict="ok"),
            "the manifest has 'verdict', which this version of initlab does not know",
        ),
        (lambda m: m["config"]["data"].update(batch=5), "the manifest's run id is normal-seed3-"),
        (lambda m: m["canonical"].update(seed=4), "the manifest's canonical config is not"),
        (
            lambda m: m["written"]["stats.csv"].update(bytes=1),
            "stats.csv is not as the manifest says: ",
        ),
        (
            lambda m: m["written"]["snapshot.safetensors"].update(header_sha256="0" * 64),
            "snapshot.safetensors is not as the manifest says: SHA-256 ",
        ),
    ],
)
def test_every_field_of_a_manifest_is_held_against_its_config(alter, said, probed, capsys):
    change_manifest(probed, alter)
    code, text = answer(probed, capsys)
    assert (code, f"{probed}: {said}" in text, len(text.splitlines())) == (1, True, 1), text


def test_a_folder_named_by_an_id_holds_that_run(probed, tmp_path, capsys):
    other = tmp_path / "he-seed3-0123456789abcdef"
    probed.rename(other)
    code, text = answer(other, capsys)
    assert (code, f"the folder holds the run {probed.name}, whose folder has its id" in text) == (
        1,
        True,
    )
    other.rename(tmp_path / "mine")
    assert answer(tmp_path / "mine", capsys)[0] == 0


@pytest.mark.parametrize("change", [lambda name: name[:-1], str.upper])
def test_a_folder_is_not_named_nearly_as_a_run_id(change, only_run, capsys):
    folder = only_run("init=normal", "probe=none")
    other = folder.rename(folder.parent / change(folder.name))
    code, text = answer(other, capsys)
    assert (code, f"the folder holds the run {folder.name}" in text) == (1, True), text


def test_a_run_that_was_identified_as_it_was_written_still_verifies(only_run, capsys):
    folder = only_run("model.layers=[{kind: dense, units: 3, use_bias: true}]")

    def as_written(manifest):
        given = manifest["config"], manifest["stream"], [], manifest["canonical"].get("files", {})
        manifest["canonical"] = canonical_config(*given, as_written=True)
        manifest["run_id"] = run_id(manifest["canonical"])

    change_manifest(folder, as_written)
    other = folder.with_name(RunFolder(folder).manifest.run_id)
    assert other != folder
    code, text = answer(folder.rename(other), capsys)
    assert (code, "verified" in text) == (0, True), text
