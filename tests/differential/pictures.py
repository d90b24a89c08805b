"""Images on the engine and on MXNet 1.9.1: resizing, crops, colors, transforms. Like `programs`;
`python -m differential.pictures engine|mxnet OUT.npz FOLDER` runs all.
"""

import random
import sys

import numpy as np
from differential.programs import data, main

PROGRAMS = {}
EXACT = {"resizing", "crops", "random_crops", "flips"}
"""Bytes that agree to the bit."""


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def picture(height, width, channels=3, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (height, width, channels)).astype("uint8")


def image(mx, *shape, dtype="uint8", **options):
    return mx.nd.array(picture(*shape, **options), dtype=dtype)


SIZES = ((4, 5), (20, 13), (5, 5), (8, 24), (3, 30), (9, 10))


@program
def resizing(mx):
    found = {}
    for height, width, channels in ((7, 9, 3), (10, 10, 1), (5, 16, 3)):
        for w, h in (*SIZES, (width // 2, height // 2), (2 * width, 2 * height)):
            for method in (0, 1, 3):
                y = mx.image.imresize(image(mx, height, width, channels), w, h, interp=method)
                found[f"{height}x{width} to {h}x{w} by {method}"] = y.asnumpy()
    for keep in (False, True):
        for shape in ((7, 9), (9, 7)):
            y = mx.nd.image.resize(image(mx, *shape), 5, keep, 1)
            found[f"{shape} to 5 {keep}"] = y.asnumpy()
    batch = mx.nd.stack(image(mx, 7, 9), image(mx, 7, 9, seed=1))
    found["batch"] = mx.nd.image.resize(batch, (4, 6), False, 1).asnumpy()
    found["short"] = mx.image.resize_short(image(mx, 12, 20), 5, interp=1).asnumpy()
    found["short tall"] = mx.image.resize_short(image(mx, 20, 12), 5, interp=9).asnumpy()
    return found


@program
def resizing_floats(mx):
    """Images in float32, by all methods."""
    found = {}
    for w, h in SIZES:
        for method in (0, 1, 2, 3):
            x = image(mx, 7, 9, dtype="float32") / 255
            found[f"{w}x{h} by {method}"] = mx.image.imresize(x, w, h, interp=method).asnumpy()
    return found


@program
def crops(mx):
    found = {"part": mx.nd.image.crop(image(mx, 7, 9), 1, 2, 3, 4).asnumpy()}
    batch = mx.nd.stack(image(mx, 7, 9), image(mx, 7, 9, seed=1))
    found["batch"] = mx.nd.image.crop(batch, 0, 0, 9, 2).asnumpy()
    for size in ((4, 3), (12, 4), (20, 20)):
        y, box = mx.image.center_crop(image(mx, 7, 9), size, interp=1)
        found[f"middle {size}"], found[f"middle box {size}"] = y.asnumpy(), np.array(box)
    y = mx.image.fixed_crop(image(mx, 7, 9), 1, 2, 4, 3, (6, 6), interp=1)
    found["resized"] = y.asnumpy()
    transforms = mx.gluon.data.vision.transforms
    found["center"] = transforms.CenterCrop(4)(image(mx, 7, 9)).asnumpy()
    found["crop resize"] = transforms.CropResize(1, 2, 5, 4, (3, 3), 1)(image(mx, 7, 9)).asnumpy()
    found["scaled"] = np.array([mx.image.scale_down((640, 480), (720, 120)),
                                mx.image.scale_down((360, 1000), (480, 500))])  # fmt: skip
    return found


@program
def random_crops(mx):
    """The places come from Python's generator in both."""
    found = {}
    transforms = mx.gluon.data.vision.transforms
    random.seed(3)
    for i in range(12):
        found[f"resized {i}"] = transforms.RandomResizedCrop((5, 4))(image(mx, 11, 13)).asnumpy()
        y, box = mx.image.random_crop(image(mx, 11, 13), (4, 6), interp=1)
        found[f"part {i}"], found[f"box {i}"] = y.asnumpy(), np.array(box)
        apply = transforms.RandomApply(transforms.Cast("int32"), 0.5)
        found[f"applied {i}"] = apply(image(mx, 2, 2)).asnumpy()
    y, box = mx.image.random_size_crop(image(mx, 2, 40), (4, 4), (0.9, 1.0), (0.9, 1.1), interp=1)
    found["never fits"], found["never fits box"] = y.asnumpy(), np.array(box)
    return found


@program
def rotations(mx):
    """Images in float32; random angles come from NumPy's generator in both."""
    x = mx.nd.array(data(2, 3, 6, 8))
    found = {}
    for label, options in {"": {}, "in": {"zoom_in": True}, "out": {"zoom_out": True}}.items():
        for angle in (30, -100):
            found[f"one {angle} {label}"] = mx.image.imrotate(x[0], angle, **options).asnumpy()
        turned = mx.image.imrotate(x, mx.nd.array([10, 77]), **options)
        found["each " + label] = turned.asnumpy()
    found["all"] = mx.image.imrotate(x, 45).asnumpy()
    transforms = mx.gluon.data.vision.transforms
    found["rotate"] = transforms.Rotate(20, zoom_in=True)(x[1]).asnumpy()
    np.random.seed(6)
    random_rotation = transforms.RandomRotation((-50, 90), zoom_out=True, rotate_with_proba=0.5)
    for i in range(6):
        found[f"random {i}"] = random_rotation(x[0]).asnumpy()
    found["random batch"] = mx.image.random_rotate(x, (0, 90)).asnumpy()
    return found


@program
def flips(mx):
    x = image(mx, 4, 6)  # MXNet leaves the middle of an odd number unwritten
    return {
        "columns": mx.nd.image.flip_left_right(x).asnumpy(),
        "rows": mx.nd.image.flip_top_bottom(x).asnumpy(),
    }


@program
def tensors(mx):
    batch = mx.nd.stack(image(mx, 7, 9), image(mx, 7, 9, seed=1))
    found = {
        "bytes": mx.nd.image.to_tensor(image(mx, 7, 9)).asnumpy(),
        "floats": mx.nd.image.to_tensor(image(mx, 7, 9, dtype="float32")).asnumpy(),
        "batch": mx.nd.image.to_tensor(batch).asnumpy(),
    }
    x = mx.nd.array(data(3, 4, 5))
    x.attach_grad()
    for label, arguments in {
        "number": (0.5, 0.2),
        "three": ((0.5, 0.4, 0.3), (0.2, 0.1, 0.5)),
    }.items():
        with mx.autograd.record():
            y = mx.nd.image.normalize(x, *arguments)
        y.backward()
        found[label], found["d " + label] = y.asnumpy(), x.grad.asnumpy()
    transforms = mx.gluon.data.vision.transforms
    composed = transforms.Compose(
        [transforms.Resize(5), transforms.ToTensor(), transforms.Normalize(0.1, 0.2)]
    )
    found["composed"] = composed(image(mx, 7, 9)).asnumpy()
    found["printed"] = np.array(" ".join(repr(composed).split()))
    return found


@program
def colors(mx):
    """Each change by a factor that is fixed, since both bounds are equal."""
    found = {}
    for factor in (0.5, 1.3, 2.0):
        for name in ("random_brightness", "random_contrast"):
            for dtype in ("uint8", "float32"):
                y = getattr(mx.nd.image, name)(image(mx, 3, 4, dtype=dtype), factor, factor)
                found[f"{name} {factor} {dtype}"] = y.asnumpy()
    for turn in (0.9, 1.0, 1.2, 0.3):
        y = mx.nd.image.random_hue(image(mx, 5, 6, dtype="float32"), turn, turn)
        found[f"hue {turn}"] = y.asnumpy() / 255
    found["light"] = mx.nd.image.adjust_lighting(
        image(mx, 3, 4, dtype="float32"), alpha=(0.1, -0.2, 0.3)
    ).asnumpy()
    for name in ("random_brightness", "random_contrast", "random_saturation"):
        y = getattr(mx.nd.image, name)(image(mx, 3, 4, 1), 0.5, 0.5)
        found[name + " grey"] = y.asnumpy()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
