"""Who may do what: the rules of the shared ledger, pure and from the standard library alone (PROTOCOL.md C)."""

from ledger.contract.transactions import CONTRACT_VERSION, check_clock, execute, query

__all__ = ["CONTRACT_VERSION", "check_clock", "execute", "query"]
