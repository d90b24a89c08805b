"""Benchmarks that compare our times with those of other libraries, measured side by side. Tests do
not measure times.
"""
