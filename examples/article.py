"""The parameter system of MXNet Gluon, step by step: access, initialization, custom initializers,
sharing, deferred initialization.

The code is that of the article this project springs from, with `mxnet` replaced by `engine` in the
imports. Two snippets of it cannot run as printed and are repaired: `wdata` was never defined, and
the last network was added to one that was already in use.

    python examples/article.py
"""

from initlab.engine import init, nd
from initlab.engine.gluon import nn

# Access
# -------------------------------------------------------------------------------------------------

net = nn.Sequential()
net.add(nn.Dense(256, activation="relu"))
net.add(nn.Dense(10))
net.initialize()

X = nd.random.uniform(shape=(2, 20))
Y = net(X)

print(net)
print(net[0].params)
print(type(net[0].params))

print(net[0].params["dense0_weight"] is net[0].weight)
print(net[0].weight.data())
print(net[0].weight.grad())
print(net[1].bias.data())
print(net.collect_params())
print(net.collect_params(".*weight"))

# Initialization
# -------------------------------------------------------------------------------------------------

net.initialize(init=init.Normal(sigma=0.01), force_reinit=True)
print(net[0].weight.data()[0])

net.initialize(init=init.Constant(2), force_reinit=True)
print(net[0].weight.data()[0])

# An initializer of one's own
# -------------------------------------------------------------------------------------------------


class MyInit(init.Initializer):
    def _init_weight(self, name, data):
        print(name, data.shape)
        data[:] = nd.random.uniform(low=-10, high=10, shape=data.shape)
        data *= data.abs() >= 5


net.initialize(MyInit(), force_reinit=True)
print(net[0].weight.data()[0])

wdata = net[0].weight.data()
print(wdata[0])
net[0].weight.set_data(wdata + 1)
print(wdata[0])

# Sharing
# -------------------------------------------------------------------------------------------------

net = nn.Sequential()
shared = nn.Dense(8, activation="relu")
net.add(
    nn.Dense(8, activation="relu"), shared, nn.Dense(8, activation="relu", params=shared.params)
)
net.initialize()

X = nd.random.uniform(shape=(2, 20))
net(X)
print(net[1].weight.data()[0])
print(net[2].weight.data()[0])

# Deferred initialization
# -------------------------------------------------------------------------------------------------


class MyInit(init.Initializer):  # noqa: F811
    def _init_weight(self, name, data):
        print("Init", name, data.shape)


net = nn.Sequential()
net.add(nn.Dense(256, activation="relu"), nn.Dense(10))
net.initialize(init=MyInit())

X = nd.random.uniform(shape=(2, 20))
Y = net(X)

# Two ways around it: shapes that are known from a first forward, or declared

net.initialize(init=MyInit(), force_reinit=True)

net = nn.Sequential()
net.add(nn.Dense(256, in_units=20, activation="relu"), nn.Dense(10, in_units=256))
net.initialize(init=MyInit())
