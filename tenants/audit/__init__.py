"""Who did what to which object, hash-chained."""
