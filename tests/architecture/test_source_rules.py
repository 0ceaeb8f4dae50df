"""Rules of CONTRIBUTING.md that a machine can hold us to."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("infra", "tenants", "radius_cluster", "workers", "portals", "migrations")
LONGEST_FILE_LINES = 400

# The folder of a file may be below a hidden one, but nothing inside the repository that is hidden is ours.
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts
)


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every attribute access and import in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def offenders(pattern: str, *, allowed: tuple[str, ...]) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in SOURCES
        if str(path.relative_to(ROOT)) not in allowed
        for line, name in names_used(path)
        if wanted.fullmatch(name)
    ]


def test_imports_keep_their_directions() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_settings_read_the_environment() -> None:
    assert offenders(r"os\.(environ|getenv|environb)(\..*)?", allowed=("infra/settings.py",)) == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    pattern = r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today|time\.(localtime|gmtime))"
    assert offenders(pattern, allowed=("infra/clock.py",)) == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE_LINES} == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_packages_versions_and_hashes_only(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    for entry in re.split(r"\n(?=[a-z])", text.strip()):
        assert re.match(r"[a-z0-9][a-z0-9._\[\],-]*==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_nothing_names_a_machine_or_a_content_network() -> None:
    hosts = re.compile(r"https?://(cdn|unpkg|jsdelivr|cdnjs|fonts\.g)", re.IGNORECASE)
    kinds = (".py", ".html", ".css", ".md", ".toml", ".sql")
    found = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in kinds and "vendor" not in path.parts and hosts.search(path.read_text(errors="replace"))
    ]
    assert found == []


def test_views_ask_no_database() -> None:
    """style.md rule 3: a view parses, calls one function, renders."""
    wanted = re.compile(
        r"(.*\.)?session\.(add|delete|merge|execute|scalars?)|sqlalchemy\.(select|update|insert|delete)"
    )
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in SOURCES
        if path.is_relative_to(ROOT / "portals")
        for line, name in names_used(path)
        if wanted.fullmatch(name)
    ]
    assert found == []


def test_every_command_is_documented() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(path.read_text() for path in documents if path.exists())
    missing = [command for command in all_commands() if not re.search(rf"broadloom {re.escape(command)}\b", text)]
    assert missing == []


def all_commands() -> list[str]:
    import click

    from portals.cli import root

    context = click.Context(root)
    found = []
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        children = command.commands if isinstance(command, click.Group) else {}
        found += [f"{name} {child}" for child in children] or [name]
    return found
