"""The contract as Fabric chaincode: served to the hospital's own peer as a service (PROTOCOL.md C)."""
