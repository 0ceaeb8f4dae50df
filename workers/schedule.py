"""The one table "when → job" (architecture.md). ``per_cell``: once for each cell, whose name is the argument.

Everything that is due at an instant of its own (expiry, renewals, first logins) is not here: the due clock sees to it.
"""

from dataclasses import dataclass

from infra.queue import SLOW


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the schedule: every ``seconds``, counted from the last time, also across restarts."""

    name: str
    function: str
    seconds: int
    per_cell: bool = True
    queue: str = SLOW


SCHEDULE: tuple[Entry, ...] = (
    Entry("close-stale-sessions", "workers.jobs.sweeps.close_stale", 30),
    Entry("check-sessions", "workers.jobs.sweeps.check_sessions", 30),
    Entry("check-all-sessions", "workers.jobs.sweeps.check_all_sessions", 3600),
    Entry("sample-online", "workers.jobs.sweeps.sample", 300),
    Entry("seed-upkeep", "workers.jobs.sweeps.seed_upkeep", 300),
    Entry("forget-dead-nodes", "workers.jobs.sweeps.forget_dead_nodes", 600, per_cell=False),
    Entry("keep-partitions", "workers.jobs.sweeps.keep_partitions", 6 * 3600),
    Entry("resolve-dynamic-names", "workers.jobs.dynamic_names.resolve_names", 30, per_cell=False),
    Entry("renew-certificates", "workers.jobs.certificates.renew_certificates", 24 * 3600, per_cell=False),
    Entry("drop-old-records", "workers.jobs.sweeps.drop_old", 24 * 3600),
)
