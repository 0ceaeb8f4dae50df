"""Operators, roles, permissions."""
