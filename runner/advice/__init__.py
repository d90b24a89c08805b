"""Which initializer to use: candidates for a declared network, each tried, and ranked by its diagnosis."""
