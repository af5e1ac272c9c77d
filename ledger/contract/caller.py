"""Who calls: taken from a chain-verified certificate by the backend, never from an argument (PROTOCOL.md B1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A certificate holder.

    Attributes:
        msp_id: the organization whose CA issued the certificate.
        subject: the certificate's CN, 26 lower-case base32 characters (a patient's is her ``patient_id``).
        role: ``operator``, ``registrar``, ``custodian``, ``practitioner``, ``privacy-officer``, ``patient`` or
            ``proxy``; empty if the certificate names none.
        key_hash: lower-case hex SHA-256 of the SubjectPublicKeyInfo DER.
    """

    msp_id: str
    subject: str
    role: str
    key_hash: str
