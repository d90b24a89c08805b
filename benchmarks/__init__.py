"""Ratios against peers, measured side by side; never timed tests."""
