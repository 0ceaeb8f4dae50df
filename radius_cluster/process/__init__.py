"""What a verified request leads to: logins, accounting, the answers."""
