"""Claims: what runs are expected to show, and the verdicts about it.

quantity   an expression over results        results    results of runs, and values of expressions over them
claim      one claim of a config's `expect`  sampling   tails of distributions, multiple tests
judge      estimates and verdicts            picture    the values and the prediction as a chart
"""
