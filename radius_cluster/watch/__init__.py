"""Packets that staff watch while they come (RAD-7): noticed here, shown by the portals."""
