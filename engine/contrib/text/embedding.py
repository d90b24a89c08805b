"""Embeddings of tokens in files that are there (MXNet: `contrib.text.embedding`).

A file has a line for each token: the token, then its numbers. Nothing is downloaded: GloVe's and
fastText's files, or GloVe's archives, belong below `$MXNET_HOME/embeddings`, by default
`~/.mxnet/embeddings`, in a folder `glove` or `fasttext`.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from initlab.engine import nd
from initlab.engine.base import data_dir
from initlab.engine.contrib.text.vocab import UNKNOWN, Vocabulary
from initlab.engine.errors import FormatError
from initlab.engine.nd import NDArray
from initlab.engine.registry import get_create_func, get_register_func, get_registry
from initlab.engine.warning import warn

Unknown = Callable[..., NDArray]
"""Makes the vector of the unknown token: a function of `shape`."""
GLOVE = {
    "glove.42B.zip": (300,),
    "glove.6B.zip": (50, 100, 200, 300),
    "glove.840B.zip": (300,),
    "glove.twitter.27B.zip": (25, 50, 100, 200),
}
"""GloVe's archives, and the lengths of the vectors of their files."""


class TokenEmbedding(Vocabulary):
    """A vocabulary with a vector for each token. Base class of the embeddings."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._vec_len = 0
        self._idx_to_vec: NDArray | None = None

    @property
    def vec_len(self) -> int:
        """The length of a vector."""
        return self._vec_len

    @property
    def idx_to_vec(self) -> NDArray:
        """The vectors (tokens, vec_len) in the order of the tokens."""
        if self._idx_to_vec is None:
            raise AssertionError("The property `idx_to_vec` has not been properly set.")
        return self._idx_to_vec

    def get_vecs_by_tokens(
        self, tokens: str | list[str], lower_case_backup: bool = False
    ) -> NDArray:
        """Return the vector of a token, or the vectors of a list of them.

        A token that is not there has that of its lower case, if `lower_case_backup`, or of the
        unknown token.
        """

        def number(token: str) -> int:
            found = self._token_to_idx.get(token)
            if found is None and lower_case_backup:
                found = self._token_to_idx.get(token.lower())
            return UNKNOWN if found is None else found

        several = tokens if isinstance(tokens, list) else [tokens]
        vectors = self.idx_to_vec.take(nd.array([number(token) for token in several]))
        return vectors if isinstance(tokens, list) else vectors[0]

    def update_token_vectors(self, tokens: str | list[str], new_vectors: NDArray) -> None:
        """Replace the vectors of tokens. Raises ValueError for a token that is not there."""
        several = tokens if isinstance(tokens, list) else [tokens]
        rows = new_vectors.reshape((1, -1)) if new_vectors.ndim == 1 else new_vectors
        if rows.shape != (len(several), self.vec_len):
            raise AssertionError(
                f"new_vectors must have shape {(len(several), self.vec_len)}, got {new_vectors.shape}"
            )
        for token in several:
            if token not in self._token_to_idx:
                raise ValueError(
                    f"Token {token} is unknown. To update the embedding vector for an unknown token, "
                    "please specify it explicitly as the `unknown_token` "
                    f"{self._idx_to_token[UNKNOWN]} in `tokens`. This is to avoid unintended updates."
                )
        self.idx_to_vec[nd.array([self._token_to_idx[t] for t in several])] = rows

    # --- what subclasses use

    def _read(self, path: Path, lines: Iterator[str], delimiter: str, unknown: Unknown) -> None:
        """Take the tokens and vectors of a file. Raises FormatError if a line is something else."""
        vectors: list[np.ndarray] = []
        own: np.ndarray | None = None
        for number, line in enumerate(lines, 1):
            token, *rest = line.rstrip().split(delimiter)
            try:
                vector = np.array(rest, np.float32)
            except ValueError:
                vector = np.empty(0)
            if not vector.size:
                raise FormatError(f"{path}: line {number} is no token with numbers: {line[:40]!r}")
            if token == self._unknown_token and own is None:
                own = vector
            elif token in self._token_to_idx:
                warn(
                    f"At line {number} of the pre-trained token embedding file: the embedding vector for "
                    f"token {token} has been loaded and a duplicate embedding for the same token is seen "
                    "and skipped."
                )
            elif vector.size == 1:
                warn(
                    f"At line {number} of the pre-trained text embedding file: token {token} with "
                    f"1-dimensional vector {vector.tolist()} is likely a header and is skipped."
                )
            else:
                if vectors and vector.size != vectors[0].size:
                    raise FormatError(
                        f"{path}: line {number}: token {token} has {vector.size} numbers, those before "
                        f"have {vectors[0].size}"
                    )
                vectors.append(vector)
                self._token_to_idx[token] = len(self._idx_to_token)
                self._idx_to_token.append(token)
        if not vectors:
            raise FormatError(f"{path}: has no tokens")
        self._vec_len = vectors[0].size
        first = unknown(shape=(self._vec_len,)).asnumpy() if own is None else own
        reserved = [np.zeros_like(first)] * len(self._reserved_tokens or ())
        self._idx_to_vec = nd.array(np.stack([first, *reserved, *vectors]))

    def _for_vocabulary(self, vocabulary: Vocabulary, embeddings: Sequence[TokenEmbedding]) -> None:
        """Keep the tokens of a vocabulary only, with the vectors of embeddings side by side."""
        if not isinstance(vocabulary, Vocabulary):
            raise AssertionError(
                "The argument `vocabulary` must be an instance of contrib.text.vocab.Vocabulary."
            )
        tokens = list(vocabulary.idx_to_token)
        parts = [
            nd.concat(one.idx_to_vec[0:1], one.get_vecs_by_tokens(tokens[1:]), dim=0)
            if len(tokens) > 1
            else one.idx_to_vec[0:1].copy()
            for one in embeddings
        ]
        self._idx_to_vec = nd.concat(*parts, dim=1)
        self._vec_len = self._idx_to_vec.shape[1]
        self._idx_to_token, self._token_to_idx = tokens, dict(vocabulary.token_to_idx)
        self._unknown_token = vocabulary.unknown_token
        reserved = vocabulary.reserved_tokens
        self._reserved_tokens = None if reserved is None else list(reserved)


register = get_register_func(TokenEmbedding, "token embedding")
create = get_create_func(TokenEmbedding, "token embedding")


class CustomEmbedding(TokenEmbedding):
    """The embedding in a file of one's own; `elem_delim` stands between token and numbers.

    Raises ValueError if there is no such file, and FormatError if it is something else.
    """

    def __init__(
        self,
        pretrained_file_path: str | os.PathLike[str],
        elem_delim: str = " ",
        encoding: str = "utf8",
        init_unknown_vec: Unknown = nd.zeros,
        vocabulary: Vocabulary | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        path = Path(pretrained_file_path).expanduser()
        if not path.is_file():
            raise ValueError(
                "`pretrained_file_path` must be a valid path to the pre-trained token embedding file: "
                f"there is no {path}"
            )
        with path.open(encoding=encoding) as lines:
            self._read(path, iter(lines), elem_delim, init_unknown_vec)
        if vocabulary is not None:
            self._for_vocabulary(vocabulary, [self])


class _Published(TokenEmbedding):
    """An embedding that others published, in a file below the folder of embeddings."""

    folder: ClassVar[str]

    def __init__(
        self,
        pretrained_file_name: str,
        embedding_root: str | os.PathLike[str] | None = None,
        init_unknown_vec: Unknown = nd.zeros,
        vocabulary: Vocabulary | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.check(pretrained_file_name)
        root = Path(data_dir()) / "embeddings" if embedding_root is None else Path(embedding_root)
        path = root.expanduser() / self.folder / pretrained_file_name
        with self._lines(path) as lines:
            self._read(path, lines, " ", init_unknown_vec)
        if vocabulary is not None:
            self._for_vocabulary(vocabulary, [self])

    @classmethod
    def archive(cls, name: str) -> str:
        """Return the name of the archive that holds a file."""
        raise NotImplementedError

    @classmethod
    def file_names(cls) -> list[str]:
        """Return the names of the files that there are."""
        raise NotImplementedError

    @classmethod
    def check(cls, name: str) -> None:
        """Raise KeyError if there is no file of that name."""
        if name not in cls.file_names():
            raise KeyError(
                f"Cannot find pretrained file {name} for token embedding {cls.folder}. Valid "
                f"pretrained files for embedding {cls.folder}: {', '.join(cls.file_names())}"
            )

    @contextmanager
    def _lines(self, path: Path) -> Iterator[Iterator[str]]:
        packed = path.with_name(self.archive(path.name))
        if path.is_file():
            with path.open(encoding="utf8") as lines:
                yield iter(lines)
        elif packed.is_file():
            try:
                with zipfile.ZipFile(packed) as archive, archive.open(path.name) as member:
                    yield iter(io.TextIOWrapper(member, "utf8"))
            except (zipfile.BadZipFile, KeyError) as error:
                raise FormatError(f"{packed}: has no whole file {path.name} ({error})") from error
        else:
            raise FileNotFoundError(
                f"{type(self).__name__}: {path} is missing - put {path.name}, or {packed.name}, there; "
                "nothing is downloaded here"
            )


@register
class GloVe(_Published):
    """GloVe's vectors (Pennington et al. 2014), such as `glove.6B.50d.txt` or its `glove.6B.zip`."""

    folder = "glove"

    def __init__(self, pretrained_file_name: str = "glove.840B.300d.txt", **kwargs: Any) -> None:
        super().__init__(pretrained_file_name, **kwargs)

    @classmethod
    def archive(cls, name: str) -> str:
        """Return the name of the archive that holds a file."""
        return next(a for a in GLOVE if name.startswith(a.removesuffix("zip")))

    @classmethod
    def file_names(cls) -> list[str]:
        """Return the names of the files that there are."""
        return [f"{a.removesuffix('zip')}{n}d.txt" for a, lengths in GLOVE.items() for n in lengths]


@register
class FastText(_Published):
    """FastText's vectors (Bojanowski et al. 2017), such as `wiki.simple.vec` or its
    `wiki.simple.zip`.
    """

    folder = "fasttext"

    def __init__(self, pretrained_file_name: str = "wiki.simple.vec", **kwargs: Any) -> None:
        super().__init__(pretrained_file_name, **kwargs)

    @classmethod
    def archive(cls, name: str) -> str:
        """Return the name of the archive that holds a file."""
        return name.removesuffix(".vec") + ".zip"

    @classmethod
    def file_names(cls) -> list[str]:
        """Return the names of the files that are in the default folder; there are hundreds."""
        found = (Path(data_dir()) / "embeddings" / cls.folder).glob("*")
        return sorted({path.with_suffix(".vec").name for path in found})

    @classmethod
    def check(cls, name: str) -> None:
        """Raise KeyError if the name does not end in `.vec`."""
        if not name.endswith(".vec"):
            raise KeyError(f"Cannot find pretrained file {name}: fastText's files end in .vec")


class CompositeEmbedding(TokenEmbedding):
    """The vectors of several embeddings side by side, for the tokens of a vocabulary."""

    def __init__(
        self, vocabulary: Vocabulary, token_embeddings: TokenEmbedding | list[TokenEmbedding]
    ) -> None:
        super().__init__()
        several = token_embeddings if isinstance(token_embeddings, list) else [token_embeddings]
        for one in several:
            if not isinstance(one, TokenEmbedding):
                raise AssertionError(f"token_embeddings must be embeddings, got {type(one)}")
        self._for_vocabulary(vocabulary, several)


def get_pretrained_file_names(
    embedding_name: str | None = None,
) -> list[str] | dict[str, list[str]]:
    """Return the names of an embedding's files, or those of all by the name of the embedding.

    Raises KeyError for another name.
    """
    known: dict[str, Any] = get_registry(TokenEmbedding)
    if embedding_name is None:
        return {name: cls.file_names() for name, cls in known.items()}
    if embedding_name not in known:
        raise KeyError(
            f"Cannot find `embedding_name` {embedding_name}. Use "
            "`get_pretrained_file_names(embedding_name=None).keys()` to get all the valid embedding names."
        )
    names: list[str] = known[embedding_name].file_names()
    return names
