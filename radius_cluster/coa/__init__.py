"""Disconnect- and CoA-Requests to routers, from the outbox (RAD-5, RAD-6)."""
