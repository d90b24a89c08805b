"""The experiments of `conf/experiment` that declare claims (`initlab experiments`).

catalogue    the list of experiments and the question of each
performing   the runs of an experiment, in `outputs/<name>`, and the estimates of its claims
judging      verdicts over all experiments, and the controls
page         the results as a table and as a page with figures
"""
