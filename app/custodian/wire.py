"""The custodian's messages on a wire: one gRPC service, bytes in, bytes out (PROTOCOL.md E.1).

``Ask`` takes a request as a stream of pieces and answers with a stream of pieces; what is in them is
``app.custodian.messages``, to the byte as in process. ``Status`` answers canonical ``{"state", "type": "status"}``.
TLS under the hospital's root, whose SHA-256 is on the ledger; no client certificate: requests are signed.
"""

import os
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

# gRPC's core writes what goes wrong to the terminal, past every log; each of these things also comes as an error.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

SERVICE: Final = "assent.Custodian"
ASK: Final = "Ask"
STATUS: Final = "Status"
PIECE: Final = 256 * 1024
"""Bytes of one piece; a longer one than ``PIECE_MAX`` ends the call."""
PIECE_MAX: Final = 2 * PIECE
LOCKED_NAME: Final = "locked.assent.invalid"
"""For whom the certificate of a locked custodian is made out. Its key is in a file; therefore it is good for hearing
"locked" and nothing else: nobody sends a request to this name (ATTACKS.md A51)."""
PATIENCE: Final = 60.0
"""Seconds in which a request must have come whole and its answer gone, besides one for each ``SLOWEST`` bytes."""
SLOWEST: Final = 1024 * 1024


def pieces(content: bytes) -> Iterator[bytes]:
    """Cut bytes for the wire; nothing is one empty piece."""
    view = memoryview(content)
    for start in range(0, max(1, len(content)), PIECE):
        yield bytes(view[start : start + PIECE])


def pem(*certificates: bytes) -> bytes:
    """Return certificates (DER) as gRPC reads them."""
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)
