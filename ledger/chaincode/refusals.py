"""How a refusal travels through Fabric, which has one text for it: a canonical object of code and detail."""

from ledger.contract import canonical
from ledger.contract.errors import ContractError


def refusal_text(code: str, detail: str) -> str:
    """Return the text of a refusal."""
    return canonical.encode({"code": code, "detail": detail}).decode("ascii")


def read_refusal(untrusted_text: str) -> tuple[str, str] | None:
    """Find code and detail in what a peer or gateway says, which puts words of its own before the text.

    Returns:
        None where the chaincode has not spoken.
    """
    _, found, rest = untrusted_text.partition('{"code":')
    try:
        fields = canonical.decode_object(f"{found}{rest}".encode())
    except ContractError:
        return None
    code, detail = fields.get("code"), fields.get("detail")
    if len(fields) != 2 or not isinstance(code, str) or not isinstance(detail, str):  # noqa: PLR2004 (the two)
        return None
    return code, detail
