"""Alembic asks for this file; ``broadloom tenant migrate`` and every start run the branches through the runner."""

raise SystemExit("Run `broadloom up` or `broadloom tenant migrate`: the runner sets timeouts, locks and roles.")
