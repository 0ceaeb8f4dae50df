"""Self-service: what a subscriber sees and does about the own account."""
