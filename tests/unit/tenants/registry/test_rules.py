"""Slugs, names, e-mail addresses, telephone numbers and passwords (issue 2, "Bad input, named")."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.kernel.errors import BusinessError
from tenants.registry import rules
from tenants.registry.errors import BadEmail, BadName, BadPhone, BadSlug, SlugReserved, WeakPassword
from tenants.registry.reserved import RESERVED_SLUGS


@pytest.mark.parametrize("slug", ["abc", "qingteng", "a-1", "lake-side-2", "a" * 30, " Trim-Me "])
def test_good_slugs(slug: str) -> None:
    assert rules.check_slug(slug) == slug.strip().lower()


@pytest.mark.parametrize(
    "slug", ["", "ab", "a" * 31, "1abc", "-abc", "abc-", "a_b", "a b c", "ab.c", "青藤宽带", "a--b", "abc\n", "xn--abc"]
)
def test_bad_slugs(slug: str) -> None:
    if slug == "abc\n":  # outer blanks are cut off first
        assert rules.check_slug(slug) == "abc"
        return
    with pytest.raises(BadSlug) as caught:
        rules.check_slug(slug)
    assert caught.value.field == "slug"


@pytest.mark.parametrize("slug", ["www", "api", "admin", "RADIUS", "platform", "static", "healthz"])
def test_reserved_slugs(slug: str) -> None:
    with pytest.raises(SlugReserved):
        rules.check_slug(slug)


def test_reserved_words_could_be_slugs_otherwise() -> None:
    for word in RESERVED_SLUGS:
        assert word == word.lower()
        assert "_" not in word


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Lakeside Broadband", "lakeside-broadband"),
        ("Ärger & Söhne", "arger-sohne"),
        ("青藤宽带", ""),
        ("3 Rivers", "rivers"),
        ("WWW", ""),
    ],
)
def test_slugs_are_proposed_from_names(name: str, slug: str) -> None:
    assert rules.slug_from_name(name) == slug


@given(st.text())
def test_a_proposal_is_always_possible(name: str) -> None:
    slug = rules.slug_from_name(name)
    assert slug == "" or rules.check_slug(slug) == slug


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_but_business_errors_come_out(slug: str, name: str, email: str, phone: str) -> None:
    for check, value in (
        (rules.check_slug, slug),
        (rules.check_name, name),
        (rules.check_email, email),
        (rules.check_phone, phone),
        (rules.check_password, name),
    ):
        with suppress(BusinessError):
            check(value)


@pytest.mark.parametrize("email", ["a@b.cn", "First.Last+tag@Example.COM", "x_y@sub.domain.example"])
def test_good_addresses(email: str) -> None:
    assert rules.check_email(email) == email.lower()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "a@b",
        "@b.cn",
        "a@",
        "a b@c.cn",
        "a@b..cn",
        "a@@b.cn",
        "a@b.cn\nBcc: x@y.cn",
        "a.@b.cn",
        "a" * 65 + "@b.cn",
    ],
)
def test_bad_addresses(email: str) -> None:
    with pytest.raises(BadEmail):
        rules.check_email(email)


@pytest.mark.parametrize(
    "phone", ["13800138000", "+86 138 0013 8000", "0755-8300 0026", "(020) 7946 0018".replace("(", "").replace(")", "")]
)
def test_good_phones(phone: str) -> None:
    assert rules.check_phone(phone) == phone


@pytest.mark.parametrize("phone", ["12", "phone", "138001380001380013800138", "1380013800a", "+", "138\n00138000"])
def test_bad_phones(phone: str) -> None:
    with pytest.raises(BadPhone):
        rules.check_phone(phone)


def test_a_missing_phone_is_an_error_only_where_it_is_needed() -> None:
    assert rules.check_phone(" ") == ""
    with pytest.raises(BadPhone):
        rules.check_phone("", required=True)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\x07b"])
def test_bad_names(name: str) -> None:
    with pytest.raises(BadName):
        rules.check_name(name)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short7!",
        "password",
        "12345678",
        "abcdefgh",
        "88888888",
        "aaaabbbb",
        "qwertyuiop",
        "20261122",
        "x" * 129,
        "harbour1",
    ],
)
def test_weak_passwords(password: str) -> None:
    with pytest.raises(WeakPassword):
        rules.check_password(password, "harbour", "ana@harbour.example")


@pytest.mark.parametrize(
    "password", ["lighthouse-77", "correct horse battery", "密码很长的一句话也可以", "7391750284613"]
)
def test_good_passwords(password: str) -> None:
    assert rules.check_password(password, "harbour") == password
