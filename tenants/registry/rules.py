"""What a slug, a name, an e-mail address, a telephone number and a password must be like; pure."""

import re
import unicodedata
from itertools import pairwise

from tenants.registry.errors import BadEmail, BadName, BadPhone, BadSlug, SlugReserved, WeakPassword
from tenants.registry.models import SLUG_PATTERN
from tenants.registry.reserved import RESERVED_SLUGS

LONGEST_NAME = 80
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128  # hashing longer ones only burns processor time
_EMAIL = re.compile(
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63})+$"
)
_PHONE = re.compile(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$")

# The heads of every published list of leaked passwords, as far as they are eight characters and longer.
_COMMON = frozenset(
    """
    password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 01234567
    87654321 987654321 11111111 00000000 88888888 66666666 12341234 11223344 123123123 123321123 147258369
    qwertyui qwertyuiop qwerty123 qwerty12 1q2w3e4r 1qaz2wsx zaq12wsx asdfghjkl asdf1234 zxcvbnm1 abcd1234
    abc12345 a1234567 a12345678 aa123456 admin123 admin1234 administrator iloveyou sunshine princess football
    baseball superman welcome1 welcome123 letmein1 trustno1 changeme changeme1 woaini520 woaini1314 5201314520
    test1234 root1234
    """.split()  # noqa: SIM905
)


def check_slug(slug: str) -> str:
    """The slug as it is stored. Raises :class:`BadSlug` or :class:`SlugReserved`."""
    slug = slug.strip().lower()
    if not re.fullmatch(SLUG_PATTERN.strip("^$"), slug) or "--" in slug:
        raise BadSlug(field="slug")
    if slug in RESERVED_SLUGS:
        raise SlugReserved(field="slug", slug=slug)
    return slug


def slug_from_name(name: str) -> str:
    """A proposal for the sign-up form; "" when the name gives none (a Chinese name, for example)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-0123456789")[:30].strip("-")
    return slug if len(slug) >= 3 and slug not in RESERVED_SLUGS else ""


def check_name(name: str, *, field: str = "name", longest: int = LONGEST_NAME) -> str:
    """A name without control characters and outer blanks. Raises :class:`BadName`."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= longest or any(unicodedata.category(c) == "Cc" for c in name):
        raise BadName(field=field, longest=longest)
    return name


def check_email(email: str, *, field: str = "email") -> str:
    """The address in small letters. Raises :class:`BadEmail`."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > 254 or ".." in email or email.split("@")[0][-1] == ".":
        raise BadEmail(field=field, value=email or '""')
    return email


def check_phone(phone: str, *, field: str = "phone", required: bool = False) -> str:
    """The number without outer blanks, "" when none is needed. Raises :class:`BadPhone`."""
    phone = phone.strip()
    if not phone and not required:
        return ""
    if not _PHONE.fullmatch(phone) or not 5 <= sum(c.isdigit() for c in phone) <= 15:
        raise BadPhone(field=field, value=phone or '""')
    return phone


def password_weakness(password: str, *own_words: str) -> str:
    """Why a password is too weak, "" when it is good enough; ``own_words``: login, e-mail, names of the same person."""
    if len(password) < SHORTEST_PASSWORD:
        return f"use at least {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"use at most {LONGEST_PASSWORD} characters"
    folded = password.casefold()
    if folded in _COMMON or _is_sequence(folded):
        return "it is one of the first that are tried"
    if len(set(folded)) < 4:
        return "it repeats too few different characters"
    for word in own_words:
        for part in re.split(r"[^\w]+", word.casefold()):
            if len(part) >= 4 and part in folded and len(folded.replace(part, "")) < 4:
                return "it is made of your own name or address"
    if password.isdigit() and len(password) < 12:
        return "digits alone are guessed quickly; add letters"
    return ""


def check_password(password: str, *own_words: str, field: str = "password") -> str:
    """The password, unchanged. Raises :class:`WeakPassword`, which says why."""
    why = password_weakness(password, *own_words)
    if why:
        raise WeakPassword(field=field, why=why)
    return password


def _is_sequence(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return len(steps) == 1 and steps <= {-1, 0, 1}
