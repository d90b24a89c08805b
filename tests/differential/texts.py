"""Vocabularies and embeddings on the engine and on MXNet 1.9.1. Like `programs`;
`python -m differential.texts engine|mxnet OUT.npz FOLDER` runs all.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from differential.programs import main

PROGRAMS = {}
EXACT = {"counts", "vocabularies", "embeddings"}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def words(values):
    return np.array(" ".join(str(value) for value in values))


@program
def counts(mx):
    count = mx.contrib.text.utils.count_tokens_from_str
    text = " Life is great ! \n life is good . \n"
    found = {
        "plain": sorted(count(text).items()),
        "lower": sorted(count(text, " ", "\n", True).items()),
        "stars": sorted(count("*Life*is*great*!*\n*life*is*good*.*\n", r"\*", "\n", True).items()),
        "added": sorted(count(text, counter_to_update=Counter({"is": 3})).items()),
    }
    return {key: words(value) for key, value in found.items()}


COUNTER = Counter(["a", "b", "b", "c", "c", "c", "some_word$"])


@program
def vocabularies(mx):
    make = mx.contrib.text.vocab.Vocabulary
    found = {}
    for i, options in enumerate((
        {},
        {"most_freq_count": 2},
        {"min_freq": 2},
        {"most_freq_count": None, "min_freq": 100},
        {"reserved_tokens": ["<pad>", "b"]},
        {"most_freq_count": 2, "reserved_tokens": ["b"], "unknown_token": "a"},
        {"most_freq_count": 0},
    )):  # fmt: skip
        vocabulary = make(COUNTER, **options)
        found[f"{i} tokens"] = words(vocabulary.idx_to_token)
        found[f"{i} numbers"] = np.array(vocabulary.to_indices(["c", "b", "none", "a"]))
        found[f"{i} reserved"] = words([vocabulary.reserved_tokens, len(vocabulary)])
    vocabulary = make(COUNTER)
    found["one"] = words([vocabulary.to_indices("c"), vocabulary.to_tokens(1)])
    found["several"] = words(vocabulary.to_tokens([0, 1, 2]))
    return found


@program
def embeddings(mx):
    text = mx.contrib.text
    Path("own.txt").write_text("a 0.1 0.2 0.3\nb 1 2 3\nc 4 5 6\n")
    Path("unknown.txt").write_text("a;0.1;0.2\n<unk>;7;8\nb;1;2\n")
    own = text.embedding.CustomEmbedding("own.txt")
    found = {"tokens": words(own.idx_to_token), "vectors": own.idx_to_vec.asnumpy()}
    found["length"] = np.array(own.vec_len)
    found["one"] = own.get_vecs_by_tokens("b").asnumpy()
    found["several"] = own.get_vecs_by_tokens(["B", "a", "x"], lower_case_backup=True).asnumpy()
    own.update_token_vectors("b", mx.nd.array([9, 9, 9]))
    own.update_token_vectors(["a", "<unk>"], mx.nd.array([[5, 5, 5], [6, 6, 6]]))
    found["updated"] = own.idx_to_vec.asnumpy()
    other = text.embedding.CustomEmbedding("unknown.txt", ";")
    found["other"] = other.idx_to_vec.asnumpy()
    vocabulary = text.vocab.Vocabulary(COUNTER, reserved_tokens=["<pad>"])
    for label, made in {
        "limited": text.embedding.CustomEmbedding("own.txt", vocabulary=vocabulary),
        "composite": text.embedding.CompositeEmbedding(vocabulary, [own, other]),
    }.items():
        found[label] = made.idx_to_vec.asnumpy()
        found[label + " tokens"] = words([*made.idx_to_token, made.vec_len, made.unknown_token])
    ones = text.embedding.CustomEmbedding("own.txt", init_unknown_vec=mx.nd.ones)
    found["ones"] = ones.idx_to_vec.asnumpy()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
