"""What the benchmark needs around it: packages, the load generator, CPU and memory of processes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGES = {
    "freeradius": "freeradius",
    "gcc": "gcc",
    "/usr/include/openssl/md5.h": "libssl-dev",
    "/usr/include/stdio.h": "libc6-dev",
    "/usr/lib/freeradius/rlm_sql_postgresql.so": "freeradius-postgresql",
}
_TICKS = os.sysconf("SC_CLK_TCK")


def ensure_packages() -> None:
    """Install what is missing when we are root; else end with one sentence."""
    missing = sorted({package for probe, package in PACKAGES.items() if not _is_there(probe)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"The benchmark needs the packages {', '.join(missing)}; install them, or run it as root on Debian.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, check=True)
    # Debian starts the server that it installs; ours has its own configuration and ports.
    subprocess.run(["service", "freeradius", "stop"], check=False, capture_output=True)


def _is_there(probe: str) -> bool:
    return Path(probe).exists() if probe.startswith("/") else shutil.which(probe, path=_path()) is not None


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def build(name: str, folder: Path, *libraries: str) -> Path:
    """Compile one of the C programs beside this file, once."""
    source, program = HERE / f"{name}.c", folder / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-w", "-o", str(program), str(source), *libraries], check=True)
    return program


@dataclass(frozen=True, slots=True)
class Target:
    """A RADIUS server under load, and the processes whose CPU it costs."""

    name: str
    auth_port: int
    acct_port: int
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator pretends: accounts and routers, as ``demo fill`` makes them."""

    accounts: int
    tenants: int


def run_radload(program: Path, target: Target, load: Load, mode: str, options: Sequence[str]) -> dict[str, Any]:
    """One run. Raises RuntimeError when the generator says nothing."""
    command = [
        str(program), "--mode", mode, "--users", str(load.accounts), "--user-format", "u%06d", "--pass-format", "p%06d",
        "--nas-format", "t%04d-nas1", "--nas-count", str(load.tenants), "--secret", "radius-secret", "--auth-port",
        str(target.auth_port), "--acct-port", str(target.acct_port), "--json", *options,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes, threads included; in steps of 10 ms where Linux keeps no finer ones."""
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    process = Path(f"/proc/{pid}")
    with suppress(OSError, IndexError):
        return sum(int((task / "schedstat").read_text().split()[0]) for task in (process / "task").iterdir()) / 1e9
    with suppress(OSError):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def descendants(pid: int) -> list[int]:
    """The process and all below it (PostgreSQL's backends)."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += parents.get(found[-1], [])
    return found


def resident_megabytes(pid: int) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
