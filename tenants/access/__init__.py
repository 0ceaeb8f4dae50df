"""May this login enter, with what: the cluster's read model of an account."""
