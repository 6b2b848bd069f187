"""FarmHash's fingerprint, MurmurHash 2 (64A) and SipHash-2-4 of strings, as published: numbers in files and in other
programs depend on every bit of them (graphc/ops/strings/hashes.py is what they are compared with)."""
from __future__ import annotations

import numpy as np

from . import tables as t
from .memory import function, load_byte, set_word, unsigned_4, unsigned_8, word
from .table import record_of
from .tables import FINGERPRINT, SIP

_U = np.uint64
K0, K1, K2 = _U(0xC3A5C85C97CB3127), _U(0xB492B66FBE98F273), _U(0x9AE16A3B2F90404F)
M, MURMUR_SEED = _U(0xC6A4A7935BD1E995), _U(0xDECAFCAFFE)
N0, N1, N2, N3, N8, N9, N63, N64, N255 = (_U(n) for n in (0, 1, 2, 3, 8, 9, 63, 64, 255))
N18, N21, N23, N30, N33, N37, N42, N43, N44, N47, N48 = (_U(n) for n in (18, 21, 23, 30, 33, 37, 42, 43, 44, 47, 48))
SEED, N113 = _U(81), _U(113)
N32, N51, N56 = _U(32), _U(51), _U(56)
SIP0, SIP1, SIP2, SIP3 = (_U(n) for n in (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261,
                                          0x7465646279746573))


@function
def rotate(x, by):
    return (x >> by) | (x << (N64 - by))


@function
def mixed(x):
    return x ^ (x >> N47)


@function
def both(u, v, factor):
    """Two words as one."""
    a = mixed((u ^ v) * factor)
    return mixed((v ^ a) * factor) * factor


@function
def up_to_16(s, n, size):
    if n >= 8:
        factor = K2 + size * N2
        a, b = unsigned_8(s) + K2, unsigned_8(s + n - 8)
        return both(rotate(b, N37) * factor + a, (rotate(a, _U(25)) + b) * factor, factor)
    if n >= 4:
        return both(size + (unsigned_4(s) << N3), unsigned_4(s + n - 4), K2 + size * N2)
    if n > 0:
        y = _U(load_byte(s)) + (_U(load_byte(s + (n >> 1))) << N8)
        z = size + (_U(load_byte(s + n - 1)) << N2)
        return mixed(y * K2 ^ z * K0) * K2
    return K2


@function
def up_to_32(s, n, size):
    factor = K2 + size * N2
    a, b = unsigned_8(s) * K1, unsigned_8(s + 8)
    c, d = unsigned_8(s + n - 8) * factor, unsigned_8(s + n - 16) * K2
    return both(rotate(a + b, N43) + rotate(c, N30) + d, a + rotate(b + K2, N18) + c, factor)


@function
def up_to_64(s, n, size):
    factor = K2 + size * N2
    a, b = unsigned_8(s) * K2, unsigned_8(s + 8)
    c, d = unsigned_8(s + n - 8) * factor, unsigned_8(s + n - 16) * K2
    y = rotate(a + b, N43) + rotate(c, N30) + d
    z = both(y, a + rotate(b + K2, N18) + c, factor)
    e, f = unsigned_8(s + 16) * factor, unsigned_8(s + 24)
    g, h = (y + unsigned_8(s + n - 32)) * factor, (z + unsigned_8(s + n - 24)) * factor
    return both(rotate(e + f, N43) + rotate(g, N30) + h, e + rotate(f + a, N18) + g, factor)


@function
def weak(s, a, b):
    """32 bytes and two words as two words."""
    w, x, y, z = unsigned_8(s), unsigned_8(s + 8), unsigned_8(s + 16), unsigned_8(s + 24)
    a = a + w
    b = rotate(b + a + z, N21)
    c = a
    a = a + x + y
    return a + z, b + rotate(a, N44) + c


@function
def block(s, x, y, z, v0, v1, w0, w1, factor, last):
    """64 bytes more; `last` is what the last block weighs the state by."""
    x = rotate(x + y + v0 + unsigned_8(s + 8), N37) * factor
    y = rotate(y + v1 + unsigned_8(s + 48), N42) * factor
    x ^= w1 * last
    y = y + v0 * last + unsigned_8(s + 40)
    z = rotate(z + w0, N33) * factor
    v0, v1 = weak(s, v1 * factor, x + w0)
    w0, w1 = weak(s + 32, z + w1, y + unsigned_8(s + 16))
    return z, y, x, v0, v1, w0, w1


@function
def fingerprint(s, n):
    size = _U(n)
    if n <= 16:
        return up_to_16(s, n, size)
    if n <= 32:
        return up_to_32(s, n, size)
    if n <= 64:
        return up_to_64(s, n, size)
    y = SEED * K1 + N113
    z = mixed(y * K2 + N113) * K2
    x = SEED * K2 + unsigned_8(s)
    v0, v1, w0, w1 = N0, N0, N0, N0
    for at in range(0, (n - 1) // 64 * 64, 64):
        x, y, z, v0, v1, w0, w1 = block(s + at, x, y, z, v0, v1, w0, w1, K1, N1)
    factor = K1 + ((z & N255) << N1)
    w0 = w0 + ((size - N1) & N63)
    v0 = v0 + w0
    w0 = w0 + v0
    x, y, z, v0, v1, w0, w1 = block(s + n - 64, x, y, z, v0, v1, w0, w1, factor, N9)
    return both(both(v0, w0, factor) + mixed(y) * K0 + z, both(v1, w1, factor) + x, factor)


@function
def tail_of(s, n):
    """The last n bytes, fewer than 8, as a word."""
    tail = N0
    for i in range(n):
        tail |= _U(load_byte(s + i)) << _U(8 * i)
    return tail


@function
def murmur(s, n):
    h = MURMUR_SEED ^ (_U(n) * M)
    whole = n // 8 * 8
    for at in range(0, whole, 8):
        k = unsigned_8(s + at) * M
        k = (k ^ (k >> N47)) * M
        h = (h ^ k) * M
    if whole < n:
        h = (h ^ tail_of(s + whole, n - whole)) * M
    h = (h ^ (h >> N47)) * M
    return h ^ (h >> N47)


@function
def sip_round(v0, v1, v2, v3):
    v0, v2 = v0 + v1, v2 + v3
    v1, v3 = rotate(v1, N51) ^ v0, rotate(v3, N48) ^ v2
    v0, v2 = rotate(v0, N32) + v3, v2 + v1
    return v0, rotate(v1, N47) ^ v2, rotate(v2, N32), rotate(v3, N43) ^ v0


@function
def sip(s, n, key0, key1):
    """SipHash-2-4."""
    v0, v1, v2, v3 = key0 ^ SIP0, key1 ^ SIP1, key0 ^ SIP2, key1 ^ SIP3
    whole = n // 8 * 8
    for at in range(0, whole + 8, 8):
        k = unsigned_8(s + at) if at < whole else tail_of(s + whole, n - whole) | (_U(n) << N56)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3 ^ k)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= k
    v2 ^= N255
    for _ in range(4):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@function
def buckets_of_strings(table, numbers, count, kind, key0, key1, buckets, target):
    """Writes the hash of each string, by FINGERPRINT, MURMUR, or SIP with a key; modulo so many, 0: whole. Returns how
    many it was before a number came that no string has."""
    most = _U(buckets)
    for i in range(count):
        record = record_of(table, word(numbers, i))
        if record == 0:
            return i
        data, size = word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE)
        if kind == SIP:
            found = sip(data, size, _U(key0), _U(key1))
        else:
            found = fingerprint(data, size) if kind == FINGERPRINT else murmur(data, size)
        set_word(target, i, np.int64(found % most if buckets != 0 else found))
    return count
