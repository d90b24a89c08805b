"""Vocabulary: tokens by number (MXNet: `contrib.text.vocab`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

UNKNOWN = 0
"""The number of the token that stands for all unknown ones."""


class Vocabulary:
    """The unknown token, reserved tokens, and the tokens of a counter from the most frequent down.

    Tokens of equal frequency are in their own order. Those below `min_freq` are left out, and all
    but `most_freq_count` if that is given. Raises AssertionError for arguments that do not fit.
    """

    def __init__(
        self,
        counter: Counter[str] | None = None,
        most_freq_count: int | None = None,
        min_freq: int = 1,
        unknown_token: str = "<unk>",
        reserved_tokens: Sequence[str] | None = None,
    ) -> None:
        if min_freq <= 0:
            raise AssertionError("`min_freq` must be set to a positive value.")
        reserved = list(reserved_tokens or [])
        if unknown_token in reserved:
            raise AssertionError("`reserved_token` cannot contain `unknown_token`.")
        if len(set(reserved)) != len(reserved):
            raise AssertionError("`reserved_tokens` cannot contain duplicate reserved tokens.")
        self._unknown_token = unknown_token
        self._reserved_tokens = None if reserved_tokens is None else reserved
        self._idx_to_token = [unknown_token, *reserved]
        if counter is not None:
            if not isinstance(counter, Counter):
                raise AssertionError("`counter` must be an instance of collections.Counter.")
            most = len(counter) if most_freq_count is None else most_freq_count
            known = {unknown_token, *reserved}
            frequent = sorted(sorted(counter.items()), key=lambda item: -item[1])
            tokens = [t for t, n in frequent if n >= min_freq and t not in known]
            self._idx_to_token += tokens[:most]
        self._token_to_idx = {token: i for i, token in enumerate(self._idx_to_token)}

    def __len__(self) -> int:
        return len(self._idx_to_token)

    @property
    def token_to_idx(self) -> dict[str, int]:
        """The number of each token."""
        return self._token_to_idx

    @property
    def idx_to_token(self) -> list[str]:
        """The tokens in the order of their numbers."""
        return self._idx_to_token

    @property
    def unknown_token(self) -> str:
        """The token that stands for all unknown ones; its number is 0."""
        return self._unknown_token

    @property
    def reserved_tokens(self) -> list[str] | None:
        """The tokens that are always there."""
        return self._reserved_tokens

    def to_indices(self, tokens: str | list[str]) -> int | list[int]:
        """Return the number of a token, or the numbers of a list of them; 0 for unknown ones."""
        if not isinstance(tokens, list):
            return self._token_to_idx.get(tokens, UNKNOWN)
        return [self._token_to_idx.get(token, UNKNOWN) for token in tokens]

    def to_tokens(self, indices: int | list[int]) -> str | list[str]:
        """Return the token of a number, or the tokens of a list of them.

        Raises ValueError for a number that no token has.
        """
        for index in indices if isinstance(indices, list) else [indices]:
            if not isinstance(index, int) or index >= len(self):
                raise ValueError(f"Token index {index} in the provided `indices` is invalid.")
        if isinstance(indices, list):
            return [self._idx_to_token[index] for index in indices]
        return self._idx_to_token[indices]
