"""The contract's refusals: each has a stable code, which is protocol; the detail is for people and is never matched."""

from typing import Final, final

CODES: Final = frozenset(
    {
        "malformed",
        "unknown-transaction",
        "clock-skew",
        "clock-behind-ledger",
        "not-enrolled",
        "suspended",
        "wrong-key",
        "wrong-role",
        "wrong-organization",
        "forbidden",
        "same-person",
        "unknown-organization",
        "unknown-member",
        "unknown-patient",
        "unknown-record",
        "unknown-consent",
        "unknown-access",
        "unknown-model",
        "unknown-suggestion",
        "unknown-emergency",
        "already-exists",
        "illegal-transition",
        "expired",
        "too-early",
        "limit",
        "emergency-required",
        "emergency-limit",
        "not-approved",
    }
)


@final
class ContractError(Exception):
    """The rules refuse a transaction; nothing is written."""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in CODES:
            raise ValueError(code)
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
