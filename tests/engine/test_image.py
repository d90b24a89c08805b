"""Images in files, and crops."""

from __future__ import annotations

import io

import numpy as np
import pytest

import initlab.engine as mx
from initlab.engine.errors import FormatError, MXNetError

PICTURE = np.random.RandomState(0).randint(0, 256, (5, 7, 3)).astype("uint8")


def png(values: np.ndarray) -> bytes:
    pillow = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    pillow.fromarray(values).save(file, "png")
    return file.getvalue()


def test_a_png_is_read(tmp_path):
    content = png(PICTURE)
    assert (mx.image.imdecode(content).asnumpy() == PICTURE).all()
    assert (mx.image.imdecode(content, to_rgb=False).asnumpy() == PICTURE[:, :, ::-1]).all()
    assert mx.image.imdecode(content, 0).shape == (5, 7, 1)
    array = mx.nd.array(np.frombuffer(content, np.uint8), dtype="uint8")
    assert (mx.image.imdecode(array).asnumpy() == PICTURE).all()
    (tmp_path / "p.png").write_bytes(content)
    assert (mx.image.imread(tmp_path / "p.png").asnumpy() == PICTURE).all()


def test_what_is_no_image_is_refused(tmp_path):
    pytest.importorskip("PIL")
    with pytest.raises(MXNetError, match="no.png: there is no such image"):
        mx.image.imread(tmp_path / "no.png")
    (tmp_path / "t.png").write_text("text")
    with pytest.raises(FormatError, match="t.png: these 4 bytes are no image"):
        mx.image.imread(tmp_path / "t.png")
    with pytest.raises(FormatError, match="are no image"):
        mx.image.imdecode(png(PICTURE)[:60])
    with pytest.raises(ValueError, match="buf must be of type bytes"):
        mx.image.imdecode("a.png")


def test_without_pillow_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MXNetError, match="images are read by Pillow, which is not installed"):
        mx.image.imdecode(b"")


def test_an_unknown_method_is_refused():
    x = mx.nd.array(PICTURE, dtype="uint8")
    with pytest.raises(ValueError, match="Unknown interp method 12"):
        mx.image.resize_short(x, 3, 12)
    with pytest.raises(MXNetError, match="interp cannot be 4"):
        mx.image.imresize(x, 3, 3, 4)


def test_colors_are_normalized():
    x = mx.nd.array([[[2.0, 4.0]]])
    assert mx.image.color_normalize(x, 1.0, 2.0).tolist() == [[[0.5, 1.5]]]
    assert mx.image.color_normalize(x, None).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: mx.image.imrotate(x, 1, True, True), ValueError, "cannot be both True"),
        (lambda x: mx.image.imrotate(x.astype("uint8"), 1), TypeError, "Only `float32` images"),
        (lambda x: mx.image.imrotate(x[0], 1), ValueError, "Only 3D and 4D are supported"),
        (lambda x: mx.image.imrotate(x, mx.nd.array([1])), TypeError, "required to be a scalar"),
        (
            lambda x: mx.image.imrotate(x.expand_dims(0), mx.nd.array([1, 2])),
            ValueError,
            "must be equal to the number of rotation angles",
        ),
    ],
)
def test_what_cannot_be_turned_is_refused_in_mxnets_words(call, error, said):
    with pytest.raises(error, match=said):
        call(mx.nd.ones((3, 4, 5)))
