"""Embeddings in files: what MXNet gave is in `differential/texts`; here published files, what is
missing and what is damaged.
"""

from __future__ import annotations

import zipfile

import pytest

from initlab.engine import nd
from initlab.engine.contrib.text import embedding
from initlab.engine.errors import FormatError

LINES = "the 1 2\nof 3 4\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MXNET_HOME", str(tmp_path))
    folder = tmp_path / "embeddings" / "glove"
    folder.mkdir(parents=True)
    return folder


def test_a_published_file_is_read_plain_or_from_its_archive(home):
    with pytest.raises(FileNotFoundError) as caught:
        embedding.create("glove", pretrained_file_name="glove.6B.50d.txt")
    assert str(caught.value) == (
        f"GloVe: {home}/glove.6B.50d.txt is missing - put glove.6B.50d.txt, or glove.6B.zip, there; "
        "nothing is downloaded here"
    )
    with zipfile.ZipFile(home / "glove.6B.zip", "w") as archive:
        archive.writestr("glove.6B.50d.txt", LINES)
    packed = embedding.create("glove", pretrained_file_name="glove.6B.50d.txt")
    (home / "glove.6B.50d.txt").write_text(LINES)
    plain = embedding.GloVe("glove.6B.50d.txt")
    assert packed.idx_to_token == plain.idx_to_token == ["<unk>", "the", "of"]
    assert packed.idx_to_vec.tolist() == plain.idx_to_vec.tolist() == [[0, 0], [1, 2], [3, 4]]
    with pytest.raises(
        FormatError, match=r"glove\.6B\.zip: has no whole file glove\.6B\.300d\.txt"
    ):
        embedding.GloVe("glove.6B.300d.txt")
    with pytest.raises(KeyError, match="Cannot find pretrained file x for token embedding glove"):
        embedding.GloVe("x")


def test_the_names_of_files_are_listed(home):
    assert "glove.twitter.27B.25d.txt" in embedding.get_pretrained_file_names("glove")
    assert embedding.get_pretrained_file_names()["fasttext"] == []
    fast = home.with_name("fasttext")
    fast.mkdir()
    (fast / "wiki.simple.vec").write_text("2 2\n" + LINES)
    assert embedding.get_pretrained_file_names("fasttext") == ["wiki.simple.vec"]
    with pytest.warns(UserWarning, match="token 2 with 1-dimensional vector .* is likely a header"):
        found = embedding.create("fasttext")
    assert found.get_vecs_by_tokens("of").tolist() == [3, 4]
    with pytest.raises(KeyError, match="Cannot find `embedding_name` x"):
        embedding.get_pretrained_file_names("x")
    with pytest.raises(KeyError, match="files end in .vec"):
        embedding.FastText("x.txt")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("a 1 x\n", FormatError, "line 1 is no token with numbers: 'a 1 x"),
        ("a\n", FormatError, "line 1 is no token with numbers"),
        ("a 1 2\nb 1 2 3\n", FormatError, "line 2: token b has 3 numbers, those before have 2"),
        ("", FormatError, "has no tokens"),
    ],
)
def test_a_damaged_file_is_one_error(text, error, said, tmp_path):
    (tmp_path / "e.txt").write_text(text)
    with pytest.raises(error, match=said):
        embedding.CustomEmbedding(tmp_path / "e.txt")


def test_a_token_given_twice_counts_once(tmp_path):
    (tmp_path / "e.txt").write_text("a 1 2\na 3 4\n")
    with pytest.warns(UserWarning, match="At line 2 .* duplicate embedding for the same token"):
        found = embedding.CustomEmbedding(tmp_path / "e.txt")
    assert found.get_vecs_by_tokens("a").tolist() == [1, 2]
    with pytest.raises(ValueError, match="Token b is unknown"):
        found.update_token_vectors("b", nd.array([1, 2]))
    with pytest.raises(AssertionError, match=r"must have shape \(1, 2\), got \(3,\)"):
        found.update_token_vectors("a", nd.array([1, 2, 3]))
    with pytest.raises(ValueError, match="there is no "):
        embedding.CustomEmbedding(tmp_path / "none.txt")
