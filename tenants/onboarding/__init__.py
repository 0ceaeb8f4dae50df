"""How an ISP comes in: sign-up, verification, and a tenant furnished with roles, a region and starter plans."""
