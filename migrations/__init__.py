"""The database's shape: frozen baselines, two alembic branches (registry, tenant) and the runner that applies them."""
