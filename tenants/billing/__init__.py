"""Orders and operations."""
