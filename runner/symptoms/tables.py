"""Tables of tokens and positions, and a head that shares one."""

from __future__ import annotations

from collections.abc import Iterator

from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale

TENTH = 10.0


@register
class PositionsDrownTokens(Symptom):
    """Position vectors that are large and outweigh the tokens."""

    id = "positions-drown-tokens"
    title = "the size of position vectors that outweigh the tokens ten times"
    why = (
        "All tokens at a position are nearly the same vector, and steps move large vectors little."
    )
    source = "Radford et al. 2019, GPT-2, whose code draws positions half as large as tokens"
    scale = Scale(0.4, 0.8)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms of what is added for the positions, or a tenth of it over that of the tokens if this
        is less.
        """
        for one in given.seen.placed:
            size, token = one.position_rms, one.token_rms
            ratio = size / token if token > 0 else float("inf")
            yield Reading(
                where=one.positions,
                figure=min(size, ratio / TENTH) if token > 0 else size,
                measured=f"positions have rms {size:.3g}, {ratio:.3g} times that of the tokens",
                expected="positions no larger than tokens",
            )


@register
class TokensDrownBlocks(Symptom):
    """Token vectors so large that what normalized branches add to them is lost."""

    id = "tokens-drown-blocks"
    title = "the size of the stream of token vectors to which normalized branches add"
    why = "A branch behind a normalization adds about 1, so the head sees little but the token itself."
    source = "Liu et al. 2020 (arXiv:2004.08249), section 4, on how far an output depends on its branches"
    scale = Scale(3.0, 10.0)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms of what enters the first block with a normalized branch, unless it ends in a
        normalization, which takes the size of the stream away, or positions are larger than tokens.
        """
        seen = given.seen
        tables = [stage.path for stage in seen.leaves if stage.kind == "Embedding"]
        block = next((s for s in seen.trunk if s.branch is not None), None)
        if block is None or not tables or not block.gain:
            return
        inside = [leaf.kind for leaf in seen.leaves if leaf.path.startswith(f"{block.path}.")]
        if not any("Norm" in kind for kind in inside) or "Norm" in inside[-1]:
            return
        if any(one.position_rms > one.token_rms for one in seen.placed):
            return
        size = block.signal.rms / block.gain
        yield Reading(
            where=f"{tables[0]}.weight",
            figure=size,
            measured=f"the stream that enters {block.path} has rms {size:.3g}",
            expected="about 1 or less, as what each branch adds",
        )


@register
class TiedHead(Symptom):
    """A head that shares the table of tokens, which is too large for scores."""

    id = "tied-head"
    title = "the size of scores from a head that shares the table of tokens"
    why = "A table of unit size makes scores as large as the root of the width: the first loss is far off."
    source = "Press and Wolf 2017 (arXiv:1608.05859); Vaswani et al. 2017 (arXiv:1706.03762), section 3.4"
    scale = Scale(10.0, 60.0)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the rms of the output, where the last layer has no weights of its own but those of an
        embedding.
        """
        seen = given.seen
        paths = {tensor.path: tensor for tensor in seen.tensors}
        last = seen.trunk[-1].path if seen.trunk else None
        tables = [s.path for s in seen.leaves if s.kind == "Embedding" and s.path != last]
        if not seen.tokens or not tables or f"{last}.weight" in paths:
            return
        table = paths.get(f"{tables[0]}.weight")
        if table is not None and seen.trunk[-1].weighted:
            yield Reading(
                where=table.path,
                figure=seen.output_rms,
                measured=f"scores have rms {seen.output_rms:.3g}, from a table of rms {table.rms:.3g}",
                expected=f"at most about 1, so a table of {1 / table.shape[-1] ** 0.5:.2g} or less",
            )
