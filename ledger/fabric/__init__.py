"""The shared ledger: a Hyperledger Fabric channel, behind the same door as the embedded ledger."""
