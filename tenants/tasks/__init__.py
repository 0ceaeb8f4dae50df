"""Long work of a tenant: started by a person, done in batches by the workers, found again under the bell (UX-3)."""
