"""The single-precision natural logarithm as glibc (2.27 and later) computes it, which MXNet's
normals depend on.

Algorithm and constants: Arm Optimized Routines, math/logf.c and math/logf_data.c.

    Copyright (c) 2017-2018, Arm Limited.
    SPDX-License-Identifier: MIT

    Permission is hereby granted, free of charge, to any person obtaining a copy of this software
    and associated documentation files (the "Software"), to deal in the Software without
    restriction, including without limitation the rights to use, copy, modify, merge, publish,
    distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
    Software is furnished to do so, subject to the following conditions: the above copyright notice
    and this permission notice shall be included in all copies or substantial portions of the
    Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED,
    INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE
    AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
    DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
    OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

from __future__ import annotations

import numpy as np

LN2 = float.fromhex("0x1.62e42fefa39efp-1")
A = [
    float.fromhex(c)
    for c in ("-0x1.00ea348b88334p-2", "0x1.5575b0be00b6ap-2", "-0x1.ffffef20a4123p-2")
]
TABLE = """
1.661ec79f8f3bep+0 -1.57bf7808caadep-2 1.571ed4aaf883dp+0 -1.2bef0a7c06ddbp-2
1.49539f0f010bp+0 -1.01eae7f513a67p-2 1.3c995b0b80385p+0 -1.b31d8a68224e9p-3
1.30d190c8864a5p+0 -1.6574f0ac07758p-3 1.25e227b0b8eap+0 -1.1aa2bc79c81p-3
1.1bb4a4a1a343fp+0 -1.a4e76ce8c0e5ep-4 1.12358f08ae5bap+0 -1.1973c5a611cccp-4
1.0953f419900a7p+0 -1.252f438e10c1ep-5 1p+0 0p+0
1.e608cfd9a47acp-1 1.aa5aa5df25984p-5 1.ca4b31f026aap-1 1.c5e53aa362eb4p-4
1.b2036576afce6p-1 1.526e57720db08p-3 1.9c2d163a1aa2dp-1 1.bc2860d22477p-3
1.886e6037841edp-1 1.1058bc8a07ee1p-2 1.767dcf5534862p-1 1.4043057b6ee09p-2
"""
_NUMBERS = np.array([float.fromhex(text) for text in TABLE.split()])
INVERSE, LOGARITHM = _NUMBERS[0::2], _NUMBERS[1::2]


def logf(x: np.ndarray) -> np.ndarray:
    """ln x for positive normal float32 numbers, with the bits of glibc's `logf`."""
    bits = x.view(np.uint32)
    offset = bits - np.uint32(0x3F330000)
    i = (offset >> np.uint32(19)) & np.uint32(15)
    k = offset.view(np.int32) >> np.int32(23)
    z = (bits - (offset & np.uint32(0xFF800000))).view(np.float32).astype(np.float64)
    r = z * INVERSE[i] - 1.0
    y0 = LOGARITHM[i] + k * LN2
    r2 = r * r
    y = A[1] * r + A[2]
    y = A[0] * r2 + y
    rounded: np.ndarray = (y * r2 + (y0 + r)).astype(np.float32)
    return rounded
