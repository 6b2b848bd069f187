"""Three hash functions of 64 bits, as published: MurmurHash 2 (64A), FarmHash's fingerprint, SipHash-2-4.

Numbers in files and in other programs depend on every bit of them.
"""
from __future__ import annotations

MASK = (1 << 64) - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _fetch(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at:at + size], "little")


def _rotate(x: int, by: int) -> int:
    """To the right."""
    x &= MASK
    return ((x >> by) | (x << (64 - by))) & MASK


# MurmurHash 2, 64A

def hash64(data: bytes, seed: int = 0xDECAFCAFFE) -> int:
    m = 0xC6A4A7935BD1E995
    h = seed ^ (len(data) * m & MASK)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        k = _fetch(data, at) * m & MASK
        k = (k ^ k >> 47) * m & MASK
        h = (h ^ k) * m & MASK
    if whole < len(data):
        h = (h ^ _fetch(data, whole)) * m & MASK
    h = (h ^ h >> 47) * m & MASK
    return h ^ h >> 47


# FarmHash: Fingerprint64

def _mixed(x: int) -> int:
    x &= MASK
    return x ^ x >> 47


def _both(u: int, v: int, mul: int) -> int:
    """Two words as one."""
    a = _mixed(((u ^ v) & MASK) * mul)
    return _mixed(((v ^ a) & MASK) * mul) * mul & MASK


def _up_to_16(s: bytes) -> int:
    n = len(s)
    if n >= 8:
        mul = K2 + n * 2
        a, b = _fetch(s, 0) + K2, _fetch(s, n - 8)
        return _both(_rotate(b, 37) * mul + a & MASK, (_rotate(a, 25) + b) * mul & MASK, mul)
    if n >= 4:
        return _both(n + (_fetch(s, 0, 4) << 3), _fetch(s, n - 4, 4), K2 + n * 2)
    if n > 0:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
        return _mixed(y * K2 & MASK ^ z * K0 & MASK) * K2 & MASK
    return K2


def _up_to_32(s: bytes) -> int:
    n = len(s)
    mul = K2 + n * 2
    a, b, c, d = _fetch(s, 0) * K1, _fetch(s, 8), _fetch(s, n - 8) * mul, _fetch(s, n - 16) * K2
    return _both(_rotate(a + b, 43) + _rotate(c, 30) + d & MASK, a + _rotate(b + K2, 18) + c & MASK, mul)


def _up_to_64(s: bytes) -> int:
    n = len(s)
    mul = K2 + n * 2
    a, b, c, d = _fetch(s, 0) * K2, _fetch(s, 8), _fetch(s, n - 8) * mul, _fetch(s, n - 16) * K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d & MASK
    z = _both(y, a + _rotate(b + K2, 18) + c & MASK, mul)
    e, f = _fetch(s, 16) * mul & MASK, _fetch(s, 24)
    g, h = (y + _fetch(s, n - 32)) * mul & MASK, (z + _fetch(s, n - 24)) * mul & MASK
    return _both(_rotate(e + f, 43) + _rotate(g, 30) + h & MASK, e + _rotate(f + a, 18) + g & MASK, mul)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """32 bytes and two words as two words."""
    w, x, y, z = (_fetch(s, at + 8 * i) for i in range(4))
    a = a + w & MASK
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y & MASK
    return a + z & MASK, b + _rotate(a, 44) + c & MASK


def _block(s: bytes, at: int, state: list[int], mul: int, last: int) -> list[int]:
    """64 bytes more; `last` is what the last block weighs the state by."""
    x, y, z, v0, v1, w0, w1 = state
    x = _rotate(x + y + v0 + _fetch(s, at + 8), 37) * mul & MASK
    y = _rotate(y + v1 + _fetch(s, at + 48), 42) * mul & MASK
    x ^= w1 * last & MASK
    y = y + v0 * last + _fetch(s, at + 40) & MASK
    z = _rotate(z + w0, 33) * mul & MASK
    v0, v1 = _weak(s, at, v1 * mul & MASK, x + w0)
    w0, w1 = _weak(s, at + 32, z + w1, y + _fetch(s, at + 16))
    return [z, y, x, v0, v1, w0, w1]


def fingerprint64(s: bytes) -> int:
    n = len(s)
    if n <= 64:
        return _up_to_16(s) if n <= 16 else _up_to_32(s) if n <= 32 else _up_to_64(s)
    seed = 81
    y = seed * K1 + 113 & MASK
    z = _mixed(y * K2 + 113) * K2 & MASK
    state = [seed * K2 + _fetch(s, 0) & MASK, y, z, 0, 0, 0, 0]
    for at in range(0, (n - 1) // 64 * 64, 64):
        state = _block(s, at, state, K1, 1)
    mul = K1 + ((state[2] & 0xFF) << 1)
    state[5] = state[5] + ((n - 1) & 63) & MASK
    state[3] = state[3] + state[5] & MASK
    state[5] = state[5] + state[3] & MASK
    x, y, z, v0, v1, w0, w1 = _block(s, n - 64, state, mul, 9)
    return _both(_both(v0, w0, mul) + _mixed(y) * K0 + z & MASK, _both(v1, w1, mul) + x & MASK, mul)


# SipHash-2-4

def _round(v: list[int]) -> list[int]:
    v0, v1, v2, v3 = v
    v0, v2 = v0 + v1 & MASK, v2 + v3 & MASK
    v1, v3 = _rotate(v1, 51) ^ v0, _rotate(v3, 48) ^ v2
    v0, v2 = _rotate(v0, 32) + v3 & MASK, v2 + v1 & MASK
    v1, v3 = _rotate(v1, 47) ^ v2, _rotate(v3, 43) ^ v0
    return [v0, v1, _rotate(v2, 32), v3]


def siphash(data: bytes, key0: int, key1: int) -> int:
    key0, key1 = key0 & MASK, key1 & MASK
    v = [key0 ^ 0x736F6D6570736575, key1 ^ 0x646F72616E646F6D, key0 ^ 0x6C7967656E657261, key1 ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    words = [_fetch(data, at) for at in range(0, whole, 8)]
    for word in [*words, _fetch(data, whole) | (len(data) & 0xFF) << 56]:
        v[3] ^= word
        v = _round(_round(v))
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        v = _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
