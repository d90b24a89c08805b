"""Multi-head attention, transformer blocks and learned position embeddings (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

from initlab.engine import autograd
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.flow import Branch, Chain, Layer, Offset, Part
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.basic import Dense, Dropout
from initlab.engine.gluon.nn.joining import Joining
from initlab.engine.gluon.nn.norm import LayerNorm
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.nd.functions import dropout_mask
from initlab.engine.ops.attention import attention


class MultiHeadAttention(HybridBlock):
    """Attention with `num_heads` heads over sequences (batch, length, units).

    `qkv_weight` (3 units, units) packs the projections of queries, keys and values, in this order;
    its fans are those of a single projection. The heads' outputs are projected to `units`. With
    `causal`, a position attends only to itself and earlier positions. `dropout` is applied to
    attention weights while training. Called with `memory` (batch, keys, units), keys and values
    come from there. `valid_length` (batch,) is the number of keys of each sample that are used.
    Raises ValueError if `num_heads` does not divide `units`, or `dropout` is outside [0, 1).
    """

    def __init__(
        self,
        units: int,
        num_heads: int,
        causal: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        weight_initializer: InitLike = None,
        bias_initializer: InitLike = "zeros",
        projection_initializer: InitLike = None,
        dtype: DType = "float32",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if units < 1 or num_heads < 1 or units % num_heads:
            raise ValueError(
                f"MultiHeadAttention: units must be a multiple of num_heads, got {units} and {num_heads}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"MultiHeadAttention: dropout must lie in [0, 1), got {dropout!r}")
        self._units, self._heads, self._causal, self._dropout = units, num_heads, causal, dropout
        bias = {"init": bias_initializer, "dtype": dtype, "allow_deferred_init": True}
        with self.name_scope():
            self.qkv_weight = self.params.get(
                "qkv_weight",
                shape=(3 * units, units),
                init=weight_initializer,
                dtype=dtype,
                roles=("out*3", "in"),
            )
            self.projection_weight = self.params.get(
                "projection_weight",
                shape=(units, units),
                init=projection_initializer,
                dtype=dtype,
                roles=("out", "in"),
            )
            if use_bias:
                self.qkv_bias = self.params.get(
                    "qkv_bias", shape=(3 * units,), roles=("out*3",), **bias
                )
                self.projection_bias = self.params.get(
                    "projection_bias", shape=(units,), roles=("out",), **bias
                )

    def output_shape(
        self, shape: Shape, memory: Shape | None = None, valid_length: Shape | None = None
    ) -> Shape:
        """Return the shape of the input.

        Raises MXNetError if the input or `memory` is not (batch, length, units) with the same
        batch, or `valid_length` is not (batch,).
        """
        for given in (shape,) if memory is None else (shape, memory):
            if len(given) != 3 or given[2] != self._units or given[0] != shape[0]:
                batch = "batch" if given is shape else str(shape[0])
                raise MXNetError.checked(
                    f"{type(self).__name__} needs sequences ({batch}, length, {self._units}), "
                    f"got {given}"
                )
        if valid_length not in (None, shape[:1]):
            raise MXNetError.checked(
                f"{type(self).__name__}: valid_length must have shape {shape[:1]}, got "
                f"{valid_length}"
            )
        return shape

    def hybrid_forward(
        self,
        F: Functions,
        x: NDArray,
        memory: NDArray | None = None,
        valid_length: NDArray | None = None,
        *,
        qkv_weight: NDArray,
        projection_weight: NDArray,
        qkv_bias: NDArray | None = None,
        projection_bias: NDArray | None = None,
    ) -> NDArray:
        """(batch, length, units)."""
        self.output_shape(
            x.shape, *(None if other is None else other.shape for other in (memory, valid_length))
        )
        units = self._units
        if memory is None:
            packed = F.FullyConnected(
                x, qkv_weight, qkv_bias, no_bias=qkv_bias is None, flatten=False
            )
            q, k, v = (packed[:, :, i * units : (i + 1) * units] for i in range(3))
        else:
            of_query, of_memory = (
                (None, None) if qkv_bias is None else (qkv_bias[:units], qkv_bias[units:])
            )
            q = F.FullyConnected(
                x, qkv_weight[:units], of_query, no_bias=of_query is None, flatten=False
            )
            both = F.FullyConnected(
                memory, qkv_weight[units:], of_memory, no_bias=of_memory is None, flatten=False
            )
            k, v = both[:, :, :units], both[:, :, units:]
        q, k, v = (self._by_head(part) for part in (q, k, v))
        options = {"allowed": self._allowed(q, k, valid_length), "drop": self._drop(q, k)}
        seen = attention(q, k, v, scale=1 / math.sqrt(units // self._heads), **options)
        joined = seen.transpose((0, 2, 1, 3)).reshape(x.shape)
        return F.FullyConnected(
            joined,
            projection_weight,
            projection_bias,
            no_bias=projection_bias is None,
            flatten=False,
        )

    def _by_head(self, x: NDArray) -> NDArray:
        """Split the units by head: return (batch, heads, length, units per head)."""
        return x.reshape((x.shape[0], x.shape[1], self._heads, -1)).transpose((0, 2, 1, 3))

    def _allowed(self, q: NDArray, k: NDArray, valid_length: NDArray | None) -> Any:
        """Return the mask of the keys that each query may attend to, or None if there is no
        restriction.

        The mask is a raw array that broadcasts to (batch, heads, queries, keys).
        """
        xp, queries, keys = q._device.use(), q.shape[2], k.shape[2]
        allowed = None
        if self._causal:
            allowed = (xp.arange(keys)[None, :] <= xp.arange(queries)[:, None] + (keys - queries))[
                None, None
            ]
        if valid_length is not None:
            within = (xp.arange(keys)[None, :] < valid_length._raw[:, None])[:, None, None, :]
            allowed = within if allowed is None else allowed & within
        return allowed

    def _drop(self, q: NDArray, k: NDArray) -> Any:
        if not self._dropout or not autograd.is_dropping():
            return None
        shape = (*q.shape[:3], k.shape[2])
        like = q._wrap(q._device.use().zeros(shape, dtype=q._raw.dtype))
        return dropout_mask(like, shape, math.prod(shape), self._dropout)

    def data_flow(self) -> Part:
        """The packed projections, then that of the heads' outputs."""
        own = [
            [name for name in self._reg_params if name.startswith(start)]
            for start in ("qkv", "projection")
        ]
        return Chain([Layer(own[0], packs=("queries", "keys", "values")), Layer(own[1])])

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._units}, "
            f"heads={self._heads}{', causal' if self._causal else ''})"
        )


class TransformerBlock(Joining):
    """Self-attention, then a feed-forward network, each with a residual connection.

    The input and output are (batch, length, units). The feed-forward network has `hidden_units`
    units (by default 4 times `units`) and the activation `activation`. With `pre_norm`, layer
    normalization comes first: x + f(norm(x)) (Xiong et al. 2020); otherwise last: norm(x + f(x))
    (Vaswani et al. 2017). `dropout` is applied to attention weights and to f's output.
    """

    def __init__(
        self,
        units: int,
        num_heads: int,
        hidden_units: int | None = None,
        activation: str = "gelu",
        pre_norm: bool = True,
        causal: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        epsilon: float = 1e-5,
        weight_initializer: InitLike = None,
        bias_initializer: InitLike = "zeros",
        projection_initializer: InitLike = None,
        dtype: DType = "float32",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if hidden_units is not None and hidden_units < 1:
            raise ValueError(
                f"TransformerBlock: hidden_units must be at least 1, got {hidden_units}"
            )
        self._pre_norm = pre_norm
        dense: dict[str, Any] = {
            "use_bias": use_bias,
            "flatten": False,
            "dtype": dtype,
            "bias_initializer": bias_initializer,
        }
        hidden = 4 * units if hidden_units is None else hidden_units
        with self.name_scope():
            self.norm1 = LayerNorm(epsilon=epsilon, in_channels=units)
            self.attention = MultiHeadAttention(
                units,
                num_heads,
                causal,
                dropout,
                use_bias,
                weight_initializer,
                bias_initializer,
                projection_initializer,
                dtype,
            )
            self.norm2 = LayerNorm(epsilon=epsilon, in_channels=units)
            self.expand = Dense(
                hidden,
                activation=activation,
                in_units=units,
                weight_initializer=weight_initializer,
                **dense,
            )
            self.contract = Dense(
                units, in_units=hidden, weight_initializer=projection_initializer, **dense
            )
            self.drop = Dropout(dropout)
        self.norm1.cast(dtype)
        self.norm2.cast(dtype)

    @property
    def branch_ends(self) -> tuple[str, ...]:
        """The attention, and the last layer of the feed-forward network."""
        return ("attention", "contract")

    def output_shape(self, shape: Shape, valid_length: Shape | None = None) -> Shape:
        """Return the shape of the input."""
        return self.attention.output_shape(shape, None, valid_length)

    def hybrid_forward(
        self, F: Functions, x: NDArray, valid_length: NDArray | None = None
    ) -> NDArray:
        """(batch, length, units)."""
        attention, contract = self.branch_ends

        def attended(y: NDArray) -> NDArray:
            found: NDArray = self.drop(self.attention(y, None, valid_length))
            return found

        def fed(y: NDArray) -> NDArray:
            found: NDArray = self.drop(self.contract(self.expand(y)))
            return found

        if self._pre_norm:
            x = self.join(x, attended(self.norm1(x)), attention)
            total: NDArray = self.join(x, fed(self.norm2(x)), contract)
            return total
        x = self.norm1(self.join(x, attended(x), attention))
        out: NDArray = self.norm2(self.join(x, fed(x), contract))
        return out

    def data_flow(self) -> Part:
        """Two branches, with the normalization before or after each."""
        attended, fed = ["attention", "drop"], ["expand", "contract", "drop"]
        if self._pre_norm:
            return Chain([Branch(Chain(["norm1", *attended])), Branch(Chain(["norm2", *fed]))])
        return Chain([Branch(Chain(attended)), "norm1", Branch(Chain(fed)), "norm2"])

    def __repr__(self) -> str:
        return (
            f"TransformerBlock({self.attention}, hidden={self.expand._units}, "
            f"{'pre' if self._pre_norm else 'post'}-norm)"
        )


class PositionEmbedding(HybridBlock):
    """x + weight[:length], for sequences (batch, length, units) of at most `max_length` positions.

    These are the learned positions of GPT and BERT.
    """

    def __init__(
        self,
        max_length: int,
        units: int,
        weight_initializer: InitLike = None,
        dtype: DType = "float32",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if max_length < 1 or units < 1:
            raise ValueError(
                f"PositionEmbedding: max_length and units must be at least 1, got {max_length} and {units}"
            )
        self._max_length, self._units = max_length, units
        with self.name_scope():
            self.weight = self.params.get(
                "weight",
                shape=(max_length, units),
                init=weight_initializer,
                dtype=dtype,
                roles=("group", "out"),
            )

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input.

        Raises MXNetError if the sequence is longer than `max_length` or has another number of
        units.
        """
        if len(shape) != 3 or shape[1] > self._max_length or shape[2] != self._units:
            raise MXNetError.checked(
                f"PositionEmbedding needs sequences (batch, length, {self._units}) of at most "
                f"{self._max_length} positions, "
                f"got {shape}"
            )
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, weight: NDArray) -> NDArray:
        """Add the position vectors to x."""
        self.output_shape(x.shape)
        return x + weight[: x.shape[1]].expand_dims(0)

    def data_flow(self) -> Part:
        """The weight is added."""
        return Offset(["weight"])

    def __repr__(self) -> str:
        return f"PositionEmbedding({self._max_length}, {self._units})"
