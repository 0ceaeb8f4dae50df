"""The ISPs: sign-up, provisioning, tiers, cells, tenant settings."""
