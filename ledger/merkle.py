"""The Merkle tree over envelopes of a block and over views of a session (PROTOCOL.md C0).

A leaf is SHA-256(0x00 ‖ bytes), a node SHA-256(0x01 ‖ left ‖ right); an odd node rises unchanged. The two prefixes keep
a node from being passed off as a leaf. The root of no leaves is SHA-256 of nothing, as in RFC 6962.
"""

import hashlib
from collections.abc import Sequence


class MerkleError(Exception):
    """A path does not lead from the leaf to the root."""


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of one leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the whole tree over leaf hashes, lowest level first, so that many paths cost one building."""
    tree = [list(leaves)]
    while len(tree[-1]) > 1:
        below = tree[-1]
        above = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(below[::2], below[1::2], strict=False)
        ]
        if len(below) % 2:
            above.append(below[-1])
        tree.append(above)
    return tree


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    return levels(leaves)[-1][0] if leaves else hashlib.sha256(b"").digest()


def path(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Return the siblings of leaf ``index`` from the bottom up; a level where it rises alone has none.

    Args:
        tree: what ``levels`` returned.
        index: the leaf's position, from 0.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(tree[0]):
        raise IndexError(index)
    siblings = []
    for level in tree[:-1]:
        if (sibling := index ^ 1) < len(level):
            siblings.append(level[sibling])
        index //= 2
    return siblings


def verify_path(leaf: bytes, index: int, count: int, siblings: Sequence[bytes], expected_root: bytes) -> None:
    """Accept only a path that shows leaf hash ``leaf`` at ``index`` of ``count`` leaves under ``expected_root``.

    Raises:
        MerkleError: it does not.
    """
    if not 0 <= index < count:
        raise MerkleError("there is no such leaf")
    remaining = list(siblings)
    node = leaf
    while count > 1:
        if index ^ 1 < count:
            if not remaining:
                raise MerkleError("the path is too short")
            other = remaining.pop(0)
            node = hashlib.sha256(b"\x01" + (other + node if index % 2 else node + other)).digest()
        index, count = index // 2, (count + 1) // 2
    if remaining or node != expected_root:
        raise MerkleError("the path does not lead to the root")
