"""``aaa.session``, its history, usage, and the packets that were refused (RAD-4 … RAD-8)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import AaaBase


class Session(AaaBase):
    """An open session. Key: (tenant, NAS, Acct-Session-Id, User-Name)."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_account", "tenant_id", "account_id"),
        Index("ix_session_started", "started_at"),  # what began lately, of all tenants: looked at every 30 seconds
        # No index on what every Interim changes (updated_at, counters): it would make each update touch all indexes
        # instead of staying on its page (HOT, packet-path.md).
        {
            "postgresql_with": {
                "fillfactor": "60",
                "autovacuum_vacuum_scale_factor": "0.05",
                "autovacuum_analyze_scale_factor": "0.05",
            }
        },
    )
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    nas_id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    username: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger)  # 0: the account is unknown
    framed_ip: Mapped[Any | None] = mapped_column(INET)
    framed_ipv6_prefix: Mapped[str | None]
    delegated_ipv6_prefix: Mapped[str | None]
    mac: Mapped[str | None]
    called: Mapped[str | None]
    nas_port: Mapped[int | None] = mapped_column(BigInteger)
    nas_port_id: Mapped[str | None]
    nas_address: Mapped[Any | None] = mapped_column(INET)
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    seconds: Mapped[int] = mapped_column(BigInteger)
    octets_in: Mapped[int] = mapped_column(BigInteger)  # from the user (up)
    octets_out: Mapped[int] = mapped_column(BigInteger)  # to the user (down)
    packets_in: Mapped[int] = mapped_column(BigInteger)
    packets_out: Mapped[int] = mapped_column(BigInteger)
    # What had been counted when the router's counters last began again at 0 within the session (radius.md).
    base_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    base_octets_in: Mapped[int] = mapped_column(BigInteger, server_default="0")
    base_octets_out: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cut_requested_at: Mapped[datetime | None]  # a Disconnect was acknowledged; interims after it raise an alert
    cut_failed: Mapped[str | None]  # refused | unanswered: the last Disconnect, unless one was acknowledged since
    reports: Mapped[int] = mapped_column(server_default="0")  # interims that were stored
    up_bps: Mapped[int | None] = mapped_column(BigInteger)  # between the last two reports
    down_bps: Mapped[int | None] = mapped_column(BigInteger)


class PlaceLogin(AaaBase):
    """The last login of a device that was led to a place for accounts that end soon (NET-4); its session is told by
    beginning right after (access/session_request.py)."""

    __tablename__ = "place_login"
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    nas_id: Mapped[int] = mapped_column(primary_key=True)
    mac: Mapped[str] = mapped_column(primary_key=True)  # as in aaa.session; "" where the router names no device
    at: Mapped[datetime]
    soon_seconds: Mapped[int]  # accounts with longer to go are not led there


class SessionHistory(AaaBase):
    """A closed session; partitioned by month of ``ended_at``."""

    __tablename__ = "session_history"
    __table_args__ = (
        Index("ix_session_history_key", "tenant_id", "nas_id", "session_id"),
        # By day before account: what ends today goes to few pages, however long the history is, so that few are written
        # whole into the WAL after a checkpoint. Who looks for an account skips from day to day (PostgreSQL 18).
        Index("ix_session_history_account", "tenant_id", text("((ended_at AT TIME ZONE 'UTC')::date)"), "account_id"),
        Index("ix_session_history_ended", "tenant_id", "ended_at"),
        {"postgresql_partition_by": "RANGE (ended_at)"},
    )
    __mapper_args__ = {  # noqa: RUF012 - as the declarative base wants it
        "primary_key": ["tenant_id", "nas_id", "session_id", "username", "started_at", "ended_at"]
    }
    tenant_id: Mapped[int]
    nas_id: Mapped[int]
    session_id: Mapped[str] = mapped_column(Text(collation="C"))
    username: Mapped[str] = mapped_column(Text(collation="C"))
    account_id: Mapped[int] = mapped_column(BigInteger)
    framed_ip: Mapped[Any | None] = mapped_column(INET)
    framed_ipv6_prefix: Mapped[str | None]
    delegated_ipv6_prefix: Mapped[str | None]
    mac: Mapped[str | None]
    called: Mapped[str | None]
    nas_port: Mapped[int | None] = mapped_column(BigInteger)
    nas_port_id: Mapped[str | None]
    nas_address: Mapped[Any | None] = mapped_column(INET)
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    seconds: Mapped[int] = mapped_column(BigInteger)
    octets_in: Mapped[int] = mapped_column(BigInteger)
    octets_out: Mapped[int] = mapped_column(BigInteger)
    packets_in: Mapped[int] = mapped_column(BigInteger)
    packets_out: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[datetime]
    # Acct-Terminate-Cause; 0 unknown, 100 stale, 101 NAS restarted, 102 replaced, 103 cleared by staff
    cause: Mapped[int] = mapped_column(SmallInteger)
    base_seconds: Mapped[int | None] = mapped_column(BigInteger)  # null = 0; kept so that a session can re-open
    base_octets_in: Mapped[int | None] = mapped_column(BigInteger)
    base_octets_out: Mapped[int | None] = mapped_column(BigInteger)
    reports: Mapped[int | None]  # interims that were stored


class SessionNote(AaaBase):
    """What was out of the ordinary with a session's packets, once a local day and kind (RAD-5; accounting.sql).

    ``kind``: start_again · start_late · start_missing · report_late · restarted · reopened · stop_early · stop_late ·
    stop_again. Counters are those of the packet, of ``restarted`` the sums that it goes on from.
    """

    __tablename__ = "session_note"
    __table_args__ = (Index("ix_session_note_last", "tenant_id", "last_at"),)
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    nas_id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    username: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int]
    seconds: Mapped[int] = mapped_column(BigInteger)
    octets_in: Mapped[int] = mapped_column(BigInteger)
    octets_out: Mapped[int] = mapped_column(BigInteger)


class Usage(AaaBase):
    """Octets and seconds per account and the tenant's local day (RAD-8)."""

    __tablename__ = "usage"
    __table_args__ = ({"postgresql_with": {"fillfactor": "60"}},)
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    octets_in: Mapped[int] = mapped_column(BigInteger)
    octets_out: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[int] = mapped_column(BigInteger)


class QuotaUse(AaaBase):
    """What an account used of its quota in the current window (rules_quota.py); one row per account, counted up by the
    accounting that reports the use. A reset is a comparison of ``epoch`` and ``window_on``, no update at midnight.
    """

    __tablename__ = "quota_use"
    __table_args__ = ({"postgresql_with": {"fillfactor": "60"}},)
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)  # the period that was sold: accounts.quota_epoch
    window_on: Mapped[date]  # 1970-01-01 for the whole period, the local day, or the first of the local month
    octets: Mapped[int] = mapped_column(BigInteger)  # used in this window
    seconds: Mapped[int] = mapped_column(BigInteger)
    over_octets: Mapped[int] = mapped_column(BigInteger)  # used beyond the quota in earlier windows: out of packs
    over_seconds: Mapped[int] = mapped_column(BigInteger)
    warned: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # per cent warned of by now: 0, 80, 100


class RefusedPacket(AaaBase):
    """A login that was refused, or a packet that could not be trusted (TEN-4, RAD-7); tenant 0 = nobody's prefix."""

    __tablename__ = "refused_packet"
    __table_args__ = (
        Index("ix_refused_packet_at", "tenant_id", "at"),
        Index("ix_refused_packet_account", "tenant_id", "username", "at"),
        # Of an account under whatever name the router wrote; most that are refused are nobody's.
        Index("ix_refused_packet_of", "tenant_id", "account_id", "at", postgresql_where=text("account_id IS NOT NULL")),
        Index("ix_refused_packet_nas", "tenant_id", "nas_identifier", "at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int]
    at: Mapped[datetime]
    nas_id: Mapped[int | None]
    nas_identifier: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]  # address:port
    code: Mapped[int] = mapped_column(SmallInteger)  # packet code
    # The codes of access.reasons, or unknown_nas, wrong_secret, no_message_authenticator, or a malformed packet's
    reason: Mapped[str]
    username: Mapped[str] = mapped_column(server_default="")
    account_id: Mapped[int | None] = mapped_column(BigInteger)  # whose it is, however the name is written
    mac: Mapped[str] = mapped_column(server_default="")
    method: Mapped[str] = mapped_column(server_default="")
    repeats: Mapped[int] = mapped_column(server_default="1")
    node: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class LockedOut(AaaBase):
    """Somebody whose logins are refused unseen, because he guessed passwords (RAD-9): told by each host of what it
    counts itself (radius_cluster/process/tell_locked.py), and over at ``until_at``."""

    __tablename__ = "locked_out"
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    nas_id: Mapped[int] = mapped_column(primary_key=True)
    # As the device writes it; "" where the device is refused with any name.
    username: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    device: Mapped[bytes] = mapped_column(primary_key=True)  # a MAC's digits, else Calling-Station-Id; may be empty
    counted_in: Mapped[str] = mapped_column(primary_key=True)  # by which host: the name of its table in memory
    account_id: Mapped[int | None] = mapped_column(BigInteger)  # null where the device is refused with any name
    mac: Mapped[str]  # as in aaa.refused_packet
    locked_at: Mapped[datetime]
    until_at: Mapped[datetime]
    tries: Mapped[int]  # wrong passwords, and what was refused unseen since


class PacketCount(AaaBase):
    """Packets per hour, NAS and outcome (RAD-7); tenant 0 / nas 0 = not attributable."""

    __tablename__ = "packet_count"
    __table_args__ = (Index("ix_packet_count_hour", "hour"),)  # the console and Prometheus ask for all tenants' today
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    nas_id: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    # auth | acct | coa | radsec | other; auth_ms and acct_ms count answers by how long they took (queries_latency.py)
    kind: Mapped[str] = mapped_column(primary_key=True)
    # accepted | rejected:<reason> | stored | duplicate | dropped:<reason>
    outcome: Mapped[str] = mapped_column(primary_key=True)
    packets: Mapped[int] = mapped_column(BigInteger)


class OnlineSample(AaaBase):
    """How many sessions were open, every five minutes (the 24 h line of UX-4)."""

    __tablename__ = "online_sample"
    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    sessions: Mapped[int]
