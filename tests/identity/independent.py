"""HKDF and P-256 from their definitions (RFC 5869, FIPS 186): known answers must not answer themselves."""

import hashlib
import hmac

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None


def hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 without salt."""
    key = hmac.digest(bytes(32), secret, "sha256")
    okm, block, number = b"", b"", 1
    while len(okm) < length:
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        okm += block
        number += 1
    return okm[:length]


def times_g(scalar: int) -> Point:
    """The public point of a private scalar on P-256."""
    result: Point = None
    addend: Point = G
    while scalar:
        if scalar & 1:
            result = _add(result, addend)
        addend = _add(addend, addend)
        scalar >>= 1
    return result


def _add(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def point_bytes(point: Point) -> bytes:
    """The uncompressed form."""
    assert point is not None
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def sha256_hex(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()
