"""The experiments of `conf/experiment` that expect something (`initlab experiments`).

catalogue    which there are, what each asks
performing   its runs, in `outputs/<name>`; its claims, estimated
page         the table as text and as a page with figures
"""
