"""Load on a real installation, beside FreeRADIUS on the same machine and the same database durability."""
