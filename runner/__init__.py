"""InitLab's runner: declared networks, built, initialized, probed and documented by `python -m runner`."""
