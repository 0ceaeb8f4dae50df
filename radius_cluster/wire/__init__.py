"""The RADIUS codec: bytes to values and back. No sockets, no database, no clock."""
