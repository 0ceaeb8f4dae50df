"""Double-entry, append-only."""
