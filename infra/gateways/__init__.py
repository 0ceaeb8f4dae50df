"""Ways out of the installation: a protocol, a real implementation and a local peer for each."""
