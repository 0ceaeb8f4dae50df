"""Kinds of due rows and who handles them together. Names only: the scheduler needs no more, and stays small for it.

A test holds these names to the constants of those who write the rows.
"""

from infra.queue import DUE, SLOW, Task

ACTIVATE = "account.activate"  # written by the cluster at the first accepted login (SUB-3)
LEARN_ADDRESS = "account.learn_address"
EXPIRE, PACK_END = "account.expire", "billing.pack_end"
GROUP_HOURS = "group.hours"
QUOTA_RESET = "account.quota_reset"
RELEASE_NAME = "account.release_name"
TASK_STEP = "task.step"
SEAL, RETENTION, LEDGER_CHECK = "tenant.seal", "tenant.retention", "tenant.ledger_check"

# family → its kinds: rows of a family are handled by one job of a tenant. What cuts people off has its own.
FAMILIES: dict[str, tuple[str, ...]] = {
    "first_login": (ACTIVATE, LEARN_ADDRESS),
    "billing": (EXPIRE, PACK_END),
    "rates": (GROUP_HOURS, QUOTA_RESET),
    "tasks": (TASK_STEP,),
    "upkeep": (RELEASE_NAME, SEAL, RETENTION, LEDGER_CHECK),
}
QUEUE_OF = {"first_login": DUE, "billing": DUE, "rates": DUE, "tasks": SLOW, "upkeep": SLOW}
UPKEEP_KINDS = (SEAL, RETENTION, LEDGER_CHECK)  # every tenant has one row of each
LEASE_SECONDS = 4  # a killed worker's tenants are taken up again after it; a second job meanwhile finds nothing


def due_task(tenant_id: int, family: str) -> Task:
    """The job that handles a tenant's due rows of a family."""
    return Task("workers.jobs.run_due.run_due", (tenant_id, family))


def delivery_task(tenant_id: int, row_id: int, cell: str) -> Task:
    """The job that carries out one outbox row."""
    return Task("workers.jobs.deliver.deliver", (tenant_id, row_id, cell))
