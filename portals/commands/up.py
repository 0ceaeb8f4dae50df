"""Start everything: servers, migrations, demonstration tenants, and all programs under one supervisor."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import click

from infra.child_process import Supervised, SupervisedServer
from infra.data_folder import DataFolder, held_lock, prepare_folder
from infra.embedded import EmbeddedServers
from infra.embedded.process import die_with_parent, wait_until
from infra.errors import ServersError
from infra.ports import bind_problem
from infra.servers import check_versions
from infra.settings import PREFIX, Settings, SettingsError
from infra.supervisor import Output, Supervisor
from portals.commands._demo_facts import DemoFacts
from portals.commands._processes import PORTS, process_table
from portals.commands._readiness import await_readiness

_PORT_PATIENCE_SECONDS = 5.0


@click.command()
@click.option("--demo/--no-demo", default=None, help="With or without the demonstration tenants (BROADLOOM_DEMO).")
def command(demo: bool | None) -> None:
    """Start everything and stay until Ctrl-C."""
    started_at = time.monotonic()
    settings = Settings.from_env()
    if demo is not None:
        settings = replace(settings, demo=demo)
    folder = prepare_folder(settings.data_dir)
    with _stop_by_signal(), held_lock(folder) as is_ours:
        if not is_ours:
            raise ServersError("already_running", _already_running(folder))
        check_ports(settings, patient=folder.pid_file.exists())
        check_versions(settings)
        folder.pid_file.write_text(f"{os.getpid()}\n")
        servers = EmbeddedServers(settings, folder)
        programs = process_table(settings)
        output = Output([*(program.name for program in programs), "postgres", "redis"])
        output.own(f"Broadloom starts; its data are kept in {folder.root}.")
        try:
            servers.start(owner="up")
            output.own(f"PostgreSQL and Redis are ready ({time.monotonic() - started_at:.1f} s).")
            facts = _prepare_data(settings)
            output.own(f"The database is up to date ({time.monotonic() - started_at:.1f} s).")
            watched: list[Supervised] = [*_supervised_servers(servers), *programs]
            Supervisor(watched, output).run(
                start=[program.name for program in programs],
                after_start=lambda: await_readiness(settings, facts, started_at),
            )
        except KeyboardInterrupt:
            output.own("Stopped before everything was up.")
        finally:
            with _ignore_signals():
                servers.stop()
                folder.pid_file.unlink(missing_ok=True)
        output.own("Stopped.")


def check_ports(settings: Settings, *, patient: bool) -> None:
    """Are the ports of the settings free? Raises :class:`SettingsError` naming the setting to change.

    ``patient``: the last run was killed, so its programs may need a moment to end.
    """
    for name, kind in PORTS:
        port = getattr(settings, name.lower())
        if patient:
            wait_until(lambda: bind_problem(settings.bind, port, kind) is None, _PORT_PATIENCE_SECONDS, 0.1)  # noqa: B023
        problem = bind_problem(settings.bind, port, kind)
        if problem:
            wire = "UDP" if kind == kind.SOCK_DGRAM else "TCP"
            setting = "BIND" if "address" in problem else name
            raise SettingsError(
                f"{wire} port {port} on {settings.bind} {problem}; set {PREFIX}{setting} to a usable one, or free it."
            )


def _prepare_data(settings: Settings) -> DemoFacts:
    arguments = [sys.executable, "-m", "portals.commands._prepare", *(["--demo"] if settings.demo else [])]
    done = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if done.returncode == 2:
        raise SettingsError(_last_line(done.stderr))
    if done.returncode != 0:
        raise ServersError("not_prepared", f"The database could not be prepared: {_last_line(done.stderr)}")
    return DemoFacts.from_json(done.stdout)


def _supervised_servers(servers: EmbeddedServers) -> list[SupervisedServer]:
    found: list[tuple[str, Any, Callable[[], None]]] = [
        ("postgres", servers.postgres, servers.start_postgres),
        ("redis", servers.valkey, servers.start_valkey),
    ]
    return [SupervisedServer(name, server, again) for name, server, again in found if server is not None]


def _already_running(folder: DataFolder) -> str:
    with contextlib.suppress(OSError):
        number = folder.pid_file.read_text().strip()
        return f"Broadloom already runs with the data folder {folder.root} (process {number})."
    return f"Another command of Broadloom is using the data folder {folder.root}; try again when it has ended."


def _last_line(text: str) -> str:
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["no reason was given"])[-1]


@contextlib.contextmanager
def _stop_by_signal() -> Iterator[None]:
    """SIGTERM and SIGHUP end the start like Ctrl-C does, with everything stopped in order."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ignore_signals() -> Iterator[None]:
    """The servers get the time they need to write out; it is bounded."""
    old = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
