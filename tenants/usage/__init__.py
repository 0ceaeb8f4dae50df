"""Sessions, history, usage."""
