"""The RADIUS cluster: which processes run, what they answered."""

from collections.abc import Mapping
from typing import Any

import click

from infra import clock
from portals.commands._installation import open_installation
from portals.commands._locked_out import let_try_again, show_locked_out
from portals.commands._output import emit
from portals.commands._packet_watch import follow
from portals.commands._tenant import tenant_option
from tenants.network.packet_watch import MOST_MINUTES, USUAL_MINUTES
from tenants.reports.queries_platform import list_nodes
from tenants.subscribers.watch_packets import WatchPackets
from tenants.usage.queries_latency import KINDS, Latency

_CLUSTER_KINDS = ("radius", "radsec", "coa")


@click.group()
def command() -> None:
    """The RADIUS cluster: which processes run, what they answered."""


@command.command("status")
def status() -> None:
    """Processes of the cluster with their heartbeat, ports, memory and counters (RAD-7)."""
    now = clock.now()
    with open_installation() as installation:
        nodes = [node for node in list_nodes(installation.database, now) if node.kind in _CLUSTER_KINDS]
    rows = [
        {
            "node": node.node,
            "kind": node.kind,
            "state": node.state if node.alive(now) else "silent",
            "address": node.address,
            "auth_port": node.auth_port,
            "acct_port": node.acct_port,
            "radsec_port": node.radsec_port,
            "started_at": node.started_at,
            "heartbeat_at": node.heartbeat_at,
            "memory_octets": node.memory_octets,
            "counters": node.counters,
        }
        for node in nodes
    ]
    text = "\n".join(_line(row) for row in rows) or "No RADIUS process has reported in the last ten minutes."
    emit(rows, text)


@command.command("watch")
@tenant_option
@click.option("--nas", help="Identifier or id of the router; any when left out.")
@click.option("--account", default="", help="Login name, in any writing, also one that nobody has.")
@click.option("--minutes", type=click.IntRange(1, MOST_MINUTES), default=USUAL_MINUTES, show_default=True)
def watch(tenant: str, nas: str | None, account: str, minutes: int) -> None:
    """Follow the packets of a router or a login name, with all attributes; Ctrl-C ends it."""
    follow(tenant, WatchPackets(nas, account, minutes))


@command.command("locked-out")
@tenant_option
@click.option("--account", help="User name; everybody when left out.")
def locked_out(tenant: str, account: str | None) -> None:
    """Who is refused for guessing passwords just now: since when, until when, after how many tries."""
    show_locked_out(tenant, account)


@command.command("unlock")
@tenant_option
@click.option("--account", help="User name: all devices that are locked out of it.")
@click.option("--nas", help="Identifier or id of the router.")
@click.option("--device", help="MAC of the device, in any notation, or what its router calls it.")
def unlock(tenant: str, account: str | None, nas: str | None, device: str | None) -> None:
    """Let who is locked out try again at once; what is given must hold together."""
    let_try_again(tenant, account, nas, device)


def _line(row: Mapping[str, Any]) -> str:
    counters = row["counters"] if isinstance(row["counters"], dict) else {}
    counted = [f"{name}={count}" for name, count in sorted(counters.items()) if isinstance(count, int)]
    memory = row["memory_octets"]
    mebibytes = f"{memory // 2**20} MB" if isinstance(memory, int) else "-"
    said = " ".join(counted + _answer_times(counters))
    return f"{row['kind']:<7} {row['node']:<24} {row['state']:<9} {mebibytes:>7}  {said}".rstrip()


def _answer_times(counters: Mapping[str, Any]) -> list[str]:
    """For each port within how many milliseconds 99 of 100 answers were decided, since the process started."""
    measured = counters.get("latency")
    if not isinstance(measured, dict):
        return []
    bounds = tuple(measured["bounds_ms"])
    times = {kind: Latency(bounds, tuple(measured[kind])) for kind in KINDS if measured.get(kind)}
    within = {kind: latency.within_ms(0.99) for kind, latency in times.items() if latency.answers}
    return [
        f"{kind}.p99>{bounds[-1]}ms" if bound is None else f"{kind}.p99<={bound}ms" for kind, bound in within.items()
    ]
