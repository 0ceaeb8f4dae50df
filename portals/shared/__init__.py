"""What all portals share: frame, components, static files, login, addresses, errors, languages."""
