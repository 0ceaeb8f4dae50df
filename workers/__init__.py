"""Background work: processes that run jobs, and the one that says when."""
