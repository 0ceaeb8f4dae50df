"""The public site: what the product is, sign-up, e-mail verification, finding the way to one's own login."""
