"""The values of a finished run under the names and layouts of other libraries.

torch          by layer kind: `torch_names`
transformers   by architecture: `gpt2`

Names and layouts are data here: neither library is imported.
"""
