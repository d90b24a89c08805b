"""Sweeps: many runs from one command, none of which can stop or hide another."""
