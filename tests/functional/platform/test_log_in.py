"""Who enters the platform console."""

import pytest

from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web
from tests.functional.platform.conftest import EMAIL, PASSWORD


def test_an_operator_enters_and_it_is_written_down(door):
    before = len(door.log())
    door.sign_in()
    assert "Overview of the platform" in door.web.text()
    assert door.log()[before:] == ["platform.log_in"]


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("nobody@cloud.example", PASSWORD), ("", "")])
def test_nobody_else_does(door, email, password):
    door.submit("login", {"email": email, "password": password})
    assert door.status == 422
    assert "Platform console" in door.get()  # still at the door


def test_a_tenants_owner_is_nobody_here(door, tenant):
    door.submit("login", {"email": f"owner@{tenant.slug}.example", "password": OWNER_PASSWORD})
    assert door.status == 422


def test_a_new_password_ends_the_other_sign_ins(ops):
    other = ops.sign_in(web=Web(ops.app))
    page = ops.submit(
        "password",
        {"old_password": PASSWORD, "new_password": "quite another 43", "new_password_again": "quite another 43"},
    )
    assert "Your password is changed." in page
    other.get("/platform/")
    assert "For those who run this cloud." in other.text()
    assert "Overview of the platform" in ops.get()


@pytest.mark.parametrize(
    ("old", "new", "again", "sentence"),
    [
        ("wrong", "quite another 43", "quite another 43", "The present password is wrong."),
        (PASSWORD, "short", "short", "The password is too weak"),
        (PASSWORD, "quite another 43", "and another", "The two new passwords differ."),
    ],
)
def test_a_password_that_will_not_do(ops, old, new, again, sentence):
    assert sentence in ops.submit("password", {"old_password": old, "new_password": new, "new_password_again": again})
    assert ops.status == 422


def test_signing_out(ops):
    ops.submit("", to="logout")
    assert "For those who run this cloud." in ops.get()
