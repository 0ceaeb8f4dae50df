"""The frozen baselines are what the models say, and every table of a shared schema has its wall."""

from pathlib import Path

import pytest

from infra.db import AaaBase, RegistryBase, WorkBase
from migrations import environment
from migrations.freeze import load_models, render_all
from migrations.walls import REGISTRY_TENANT_COLUMNS

FOLDER = Path(__file__).parents[3] / "migrations" / "baseline"
# Tables of the installation itself: the tenants' role has no rights on them, or may only read what is public.
WITHOUT_TENANT = {"cells", "tiers", "nodes", "sign_ups", "platform_operators", "platform_audit", "cluster_certificates"}


def test_the_frozen_files_equal_the_models() -> None:
    for name, content in render_all().items():
        frozen = (FOLDER / name).read_text(encoding="utf-8")
        assert frozen == content, f"{name}: run `broadloom dev freeze-baseline` and commit it"


@pytest.mark.parametrize("branch", ["registry", "tenant"])
def test_revisions_are_one_line_and_named_by_their_number(branch: environment.Branch) -> None:
    scripts = environment.scripts(branch)
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert scripts.get_current_head() == environment.head(branch)
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")


def test_every_registry_table_is_walled_or_listed_as_the_installations_own() -> None:
    load_models()
    tables = {table.name for table in RegistryBase.metadata.tables.values()}
    assert tables == set(REGISTRY_TENANT_COLUMNS) | WITHOUT_TENANT


def test_keys_of_shared_tables_are_led_by_the_tenant() -> None:
    """So that a cell can be distributed by tenant later (packet-path.md, Citus)."""
    load_models()
    for base in (AaaBase, WorkBase):
        for table in base.metadata.tables.values():
            assert "tenant_id" in table.c, table.name
            key = list(table.primary_key.columns)
            assert not key or key[0].name in ("tenant_id", "id"), table.name
            assert not table.foreign_keys, table.name
