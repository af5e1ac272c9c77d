"""The hash of a block: SHA-256 over the DER form of number, previous hash and data hash (Fabric's ``protoutil``)."""

import hashlib


def block_hash(number: int, previous: bytes, data_hash: bytes) -> bytes:
    """Return what the next block names as its predecessor; of block 0 it is the channel's ``network_id`` (A45)."""
    content = _integer(number) + _octets(previous) + _octets(data_hash)
    return hashlib.sha256(_tagged(0x30, content)).digest()


def _integer(number: int) -> bytes:
    return _tagged(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _octets(content: bytes) -> bytes:
    return _tagged(0x04, content)


def _tagged(tag: int, content: bytes) -> bytes:
    # A header has at most 79 bytes, so that X.690's short form of the length is enough.
    return bytes([tag, len(content)]) + content
