"""The record of a construction: every write to the memory of a model's parameters and buffers."""
