"""Logins that are only tried: decided by the packet path's own code, with everything they did undone."""
