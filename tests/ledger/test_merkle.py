"""The Merkle tree (PROTOCOL.md C0)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import MerkleError, leaf_hash, levels, path, root, verify_path


def sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_an_odd_node_rises_unchanged() -> None:
    a, b, c = (leaf_hash(letter) for letter in (b"a", b"b", b"c"))
    assert a == sha(b"\x00a")
    assert root([a]) == a
    assert root([a, b, c]) == sha(b"\x01" + sha(b"\x01" + a + b) + c)
    assert root([]) == sha(b"")


@given(st.integers(1, 70), st.data())
def test_every_leaf_has_a_path_and_no_other_leaf_has_it(count: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(count)]
    tree = levels(leaves)
    index = data.draw(st.integers(0, count - 1))
    siblings = path(tree, index)
    verify_path(leaves[index], index, count, siblings, root(leaves))
    with pytest.raises(MerkleError):
        verify_path(leaf_hash(b"other"), index, count, siblings, root(leaves))
    with pytest.raises(MerkleError):
        verify_path(leaves[index], index, count, [*siblings, leaves[0]], root(leaves))
    if siblings:
        with pytest.raises(MerkleError):
            verify_path(leaves[index], index, count, siblings[:-1], root(leaves))
        with pytest.raises(MerkleError):
            verify_path(leaves[index], index ^ 1, count, siblings, root(leaves))


def test_a_leaf_that_is_not_there_has_no_path() -> None:
    leaves = [leaf_hash(b"a")]
    with pytest.raises(IndexError):
        path(levels(leaves), 1)
    with pytest.raises(MerkleError):
        verify_path(leaves[0], 1, 1, [], leaves[0])


def test_a_node_is_no_leaf() -> None:
    leaves = [leaf_hash(letter) for letter in (b"a", b"b")]
    assert root([leaf_hash(leaves[0] + leaves[1])]) != root(leaves)
