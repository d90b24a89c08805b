"""The article's own initializer as a plugin: U(-10, 10), of which magnitudes below 5 become 0.

initlab --plugin examples/my_init.py init=my_init

What it draws from `nd.random` comes from the stream of the parameter it fills, so its values are as
reproducible as any other's.
"""

from initlab.engine import init, nd


@init.register
class MyInit(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = nd.random.uniform(low=-10, high=10, shape=data.shape)
        data *= data.abs() >= 5
