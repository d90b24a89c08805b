"""Names for the figures of a run: one language for objectives, claims and conditions on runs.

    path       the syntax of names: `layers[-1].rms`, `layers.*.rms.max`
    samples    several numbers, and reductions to one
    unknown    placeholders for values that only the run will give
    lookup     the values of a name, in a run's statistics or else in its config
    where      conditions on runs: `init.kind == 'he' and figures.loss < 2.4`

A run is any object with `config` and `stats`, both plain mappings; see `lookup.Run`.
"""
