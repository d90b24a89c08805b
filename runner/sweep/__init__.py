"""Sweeps: many runs from one command. A run that fails stops no other run and stays visible."""
