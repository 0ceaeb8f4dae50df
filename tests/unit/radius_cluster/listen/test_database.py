"""What we know of asyncpg's inside is still so."""

from asyncpg.protocol import protocol

from radius_cluster.listen.database import ELEMENT_CHECKS


def test_the_element_checks_have_the_names_that_are_replaced() -> None:
    assert all(hasattr(protocol, name) for name in ELEMENT_CHECKS)
