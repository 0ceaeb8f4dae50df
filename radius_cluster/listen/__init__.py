"""Sockets and connections: how packets come in, and how work reaches the database."""
