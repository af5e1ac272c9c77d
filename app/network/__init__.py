"""A Fabric network on this machine, without Docker: hospitals, orderers, one channel, the contract on it."""
