"""What runs are expected to show, and whether they do.

quantity   an expression over results        results    what runs left, and the value of an expression over it
claim      one claim of a config's `expect`  sampling   tails of distributions, many tests at once
judge      estimates and verdicts
"""
