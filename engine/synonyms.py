"""Other names of the field: what people coming from torch, Keras, JAX or papers call a thing.

`nearest` in `engine.registry` asks here before it compares letters, which would take `he_normal`
for `normal`. Case, underscores and hyphens do not matter. A name may stand for several of ours; the
first that is known where it was written is meant.
"""

from __future__ import annotations

from collections.abc import Iterable

SYNONYMS = {
    # initializers
    "he": "kaiming kaiming_normal he_normal he_init kaiming_he",
    "he_uniform": "kaiming_uniform",
    "msra_prelu": "msra prelu_init",
    "glorot_uniform": "glorot xavier_uniform",
    "glorot_normal": "xavier_normal",
    "xavier": "glorot xavier_uniform xavier_normal glorot_uniform glorot_normal",
    "lecun": "lecun_normal",
    "variance_scaling": "lecun_uniform fan_in fan_out vs",
    "normal": "gaussian random_normal randn normal_distribution",
    "uniform": "random_uniform rand",
    "truncated_normal": "trunc_normal truncnorm trunc truncated",
    "zero": "zeros zeros_init",
    "one": "ones ones_init",
    "constant": "const fill full",
    "identity": "eye dirac",
    "orthogonal": "orthonormal haar qr",
    "load": "pretrained checkpoint from_file weights",
    "gpt2": "gpt transformer",
    "mup": "mu_p maximal_update",
    "lstm_bias": "forget_bias",
    "icnr": "subpixel checkerboard_free",
    # layers
    "dense": "linear fc fully_connected inner_product affine",
    "conv1d": "convolution1d",
    "conv2d": "conv convolution convolution2d conv2",
    "conv3d": "convolution3d",
    "conv2d_transpose": "deconv deconvolution conv_transpose conv_transpose2d convtranspose2d",
    "batch_norm": "bn batchnorm1d batchnorm2d batchnorm3d batch_normalization",
    "layer_norm": "ln layer_normalization",
    "group_norm": "gn group_normalization",
    "instance_norm": "in instancenorm2d instance_normalization",
    "max_pool2d": "maxpool max_pool maxpooling2d pool",
    "avg_pool2d": "avgpool avg_pool average_pool averagepooling2d mean_pool",
    "global_avg_pool2d": "gap adaptive_avg_pool2d global_average_pooling2d global_pool",
    "embedding": "embed lookup token_embedding",
    "position_embedding": "positional_embedding pos_embed",
    "transformer_block": "transformer_layer encoder_layer transformer_encoder_layer decoder_layer",
    "multi_head_attention": "mha attention self_attention multihead_attention",
    "dropout": "drop",
    "flatten": "reshape view",
    "activation": "relu gelu tanh sigmoid softmax nonlinearity act",
    "repeat": "stack times loop",
    "sequential": "seq chain",
    "residual": "skip shortcut add resblock",
    "concurrent": "concat concatenate parallel branches",
    "pixel_shuffle": "depth_to_space subpixel_conv",
    # models, data, probes, devices, types
    "resnet18": "resnet",
    "vgg11": "vgg vgg16",
    "lenet": "cnn convnet lenet5",
    "lstm_lm": "lstm rnn char_rnn",
    "mlp": "dense_net feedforward ffn",
    "digits": "mnist",
    "tokens": "token_ids random_tokens vocabulary",
    "train": "training fit",
    "gpu": "cuda cuda0",
    "cpu": "host",
    "float32": "fp32 f32 float single",
    "float16": "fp16 f16 half",
    "bfloat16": "bf16",
    "float64": "fp64 f64 double",
    "histogram": "hist",
    "moments": "mean std variance stats",
    "jacobian": "jac",
    "spectrum": "svd singular_values",
    "npz": "numpy np",
    "safetensors": "safe_tensors",
    # activations
    "swish": "silu",
    "leaky": "leaky_relu lrelu",
    "leaky_relu": "leaky lrelu",
    # keys
    "sigma": "std stddev standard_deviation scale",
    "learning_rate": "lr eta step_size",
    "batch": "batch_size bs batchsize",
    "units": "out_features features width hidden hidden_size output_size",
    "in_units": "in_features input_size",
    "channels": "out_channels filters",
    "in_channels": "input_channels",
    "kernel_size": "kernel ksize",
    "strides": "stride",
    "use_bias": "bias",
    "rate": "p drop_rate dropout_rate",
    "seed": "random_seed random_state rng manual_seed",
    "wd": "weight_decay l2",
    "steps": "iterations num_steps max_steps",
    "epochs": "num_epochs max_epochs",
    "optimizer": "optim opt",
    "vocabulary": "vocab vocab_size",
    "device": "ctx context",
    "dtype": "precision type",
    "model": "net network arch architecture",
    "init": "initializer initialization weight_init",
    "data": "dataset",
    "threads": "num_threads workers num_workers jobs",
    "measure": "measures measurement measurements",
    "stats": "statistics",
}
"""Our name -> other names of the same thing."""


def plain(name: str) -> str:
    """Return a name without what differs between spellings: case, underscores, hyphens."""
    return name.lower().replace("_", "").replace("-", "")


_MEANT: dict[str, list[str]] = {}
for _ours, _others in SYNONYMS.items():
    for _other in _others.split():
        _MEANT.setdefault(plain(_other), []).append(plain(_ours))


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that another spelling or another name of the field stands for."""
    spelled = {plain(one): one for one in known}
    wanted = [plain(name), *_MEANT.get(plain(name), ())]
    return next((spelled[one] for one in wanted if one in spelled), None)
