r"""One file with a whole embedded ledger, for the offline verifier that travels with it (PROTOCOL.md E.5).

Lines, each ended by ``\n`` and, but for the marks of entries, canonical JSON:

- ``{"assent-export": {network_id, version}}``;
- block 0, and the first line of each further block, as stored (``ledger.blocks``);
- after it, each entry as its leaf hash in hex, a space, and the envelope as stored. The hash adds nothing to trust; it
  lets the verifier name the entry in which a bit was flipped;
- ``{"end": {hash, number, sha256}}``: the head, and SHA-256 of everything before this line.

The same blocks give the same file. It holds nothing that the ledger does not: random ids, tags and commitments.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.blocks import Head, hash_of, header_of
from ledger.contract import canonical
from ledger.gateway import Gateway
from ledger.merkle import leaf_hash

VERSION: Final = 1


def export(gateway: Gateway, file: Path) -> Head:
    """Write the ledger behind ``gateway`` to ``file`` and return its head, which the owner should keep apart from it.

    The file appears whole or not at all. Nothing is verified here: that is the verifier's work.
    """
    partial = file.with_name(file.name + ".partial")
    digest = hashlib.sha256()
    head = Head(0, gateway.network_id, 0)
    descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        for number, lines in enumerate(_parts(gateway)):
            digest.update(lines)
            stream.write(lines)
            if number > 1:
                head = Head(number - 1, hash_of(header_of(lines)), 0)
        end = {"hash": head.hash, "number": head.number, "sha256": digest.hexdigest()}
        stream.write(canonical.encode({"end": end}) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
    return head


def _parts(gateway: Gateway) -> Iterator[bytes]:
    yield canonical.encode({"assent-export": {"network_id": gateway.network_id, "version": VERSION}}) + b"\n"
    for block in gateway.blocks():
        first, *envelopes = block.split(b"\n")
        marked = [b"%b %b" % (leaf_hash(envelope).hex().encode(), envelope) for envelope in envelopes]
        yield b"\n".join([first, *marked, b""])
