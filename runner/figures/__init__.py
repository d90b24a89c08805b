"""Names for the figures of a run: one language for objectives, claims and conditions on runs.

    path       `layers[-1].rms`, `layers.*.rms.max`: how a name is written
    samples    several numbers, and what makes one of them
    unknown    stands for what only the run will tell, in a sketch of its statistics
    lookup     what a name leads to: in a run's statistics, or else in its config
    where      `init.kind == 'he' and figures.loss < 2.4`: which runs are meant

A run is anything with `config` and `stats`, both plain mappings; see `lookup.Run`.
"""
