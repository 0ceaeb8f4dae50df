"""FreeRADIUS 3 with its SQL module on a database of the same PostgreSQL, or with its users in memory (``files``)."""

import os
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from infra.ports import choose_free_port
from radius_cluster.program import go_first
from tests.bench.tools import Load, Target

_SCHEMA = Path("/etc/freeradius/3.0/mods-config/sql/main/postgresql")
_DATABASE = "freeradius_bench"
_OLD_ROWS = 100_000


def load_database(admin_url: str, load: Load) -> str:
    """The users in FreeRADIUS's own schema, once; gives the URL of its database."""
    url = admin_url.rpartition("/")[0] + f"/{_DATABASE}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
            return url
        connection.execute(f"CREATE DATABASE {_DATABASE}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((_SCHEMA / "schema.sql").read_text())
        # Without this index (the schema ships none on UserName) the Simultaneous-Use count scans all of radacct.
        connection.execute("CREATE INDEX radacct_active_user_idx ON radacct (UserName) WHERE AcctStopTime IS NULL")
        connection.execute(
            f"""
            INSERT INTO radcheck (UserName, Attribute, op, Value)
              SELECT 'u' || to_char(i, 'FM000000'), 'Cleartext-Password', ':=', 'p' || to_char(i, 'FM000000')
              FROM generate_series(1, {load.accounts}) i;
            INSERT INTO radusergroup (UserName, GroupName, priority)
              SELECT 'u' || to_char(i, 'FM000000'), (ARRAY['plan10', 'plan50', 'plan100'])[1 + i % 3], 1
              FROM generate_series(1, {load.accounts}) i;
            INSERT INTO radgroupcheck (GroupName, Attribute, op, Value)
              SELECT g, 'Simultaneous-Use', ':=', '1' FROM unnest(ARRAY['plan10', 'plan50', 'plan100']) g;
            INSERT INTO radgroupreply (GroupName, Attribute, op, Value)
              SELECT g, a, '=', v FROM (VALUES ('plan10', '10M/10M'), ('plan50', '50M/50M'),
                ('plan100', '100M/100M')) p(g, r),
              LATERAL (VALUES ('Mikrotik-Rate-Limit', r), ('Session-Timeout', '86400'),
                ('Acct-Interim-Interval', '300'), ('Framed-Pool', 'pool-' || g)) x(a, v);
            """
        )
        connection.execute("VACUUM ANALYZE")
    return url


def reset(url: str) -> None:
    """An accounting table with some history; one session in ten open, so that the planner has real statistics."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE radacct, radpostauth")
        connection.execute(
            f"""
            INSERT INTO radacct (AcctSessionId, AcctUniqueId, UserName, NASIPAddress, NASPortId, NASPortType,
                AcctStartTime, AcctUpdateTime, AcctStopTime, AcctSessionTime, AcctInputOctets,
                AcctOutputOctets, CalledStationId,
                CallingStationId, AcctTerminateCause, ServiceType, FramedProtocol, FramedIPAddress)
              SELECT 'old-' || i, md5(i::text), 'old' || i, '10.0.0.1'::inet + i % 100, i::text, 'Ethernet',
                now() - interval '30 days' + i * interval '1 second', now() - interval '20 days',
                CASE WHEN i % 10 > 0 THEN now() - interval '20 days' END, 86400, i * 1000::bigint, i * 30000::bigint,
                'pppoe-service1', '02:00:00:00:00:01', 'User-Request', 'Framed-User', 'PPP', '100.64.0.1'::inet + i
              FROM generate_series(1, {_OLD_ROWS}) i
            """
        )
        for statement in ("VACUUM FULL ANALYZE radacct", "VACUUM ANALYZE radpostauth", "CHECKPOINT"):
            connection.execute(statement)


def _raise_backends(url: str) -> None:
    """FreeRADIUS's connections at our own backends' priority (listen/raise_backend.py); its pool keeps them."""
    with psycopg.connect(url.rpartition("/")[0] + f"/{_DATABASE}") as connection:
        backends = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [_DATABASE]
        ).fetchall()
    for (pid,) in backends:
        go_first(pid)


def _configuration(folder: Path, target_ports: tuple[int, int], threads: int, modules: str, sections: str) -> str:
    auth_port, acct_port = target_ports
    return f"""
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
confdir = {folder}
logdir = {folder}
run_dir = {folder}
radacctdir = {folder}
localstatedir = {folder}
name = radiusd
pidfile = {folder}/radiusd.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 262144
hostname_lookups = no
proxy_requests = no
log {{ destination = files
 file = {folder}/radius.log
 auth = no }}
security {{ allow_core_dumps = no
 max_attributes = 200
 reject_delay = 1
 status_server = no }}
thread pool {{ start_servers = {threads}
 max_servers = {threads}
 min_spare_servers = 1
 max_spare_servers = {threads}
 max_requests_per_server = 0
 auto_limit_acct = no }}
client loopback {{ ipaddr = 127.0.0.0/8
 secret = radius-secret
 require_message_authenticator = no }}
policy {{ $INCLUDE /etc/freeradius/3.0/policy.d/accounting
}}
modules {{
 expr {{ }}
 pap {{ }}
 chap {{ }}
 mschap {{ }}
 always ok {{ rcode = ok }}
{modules}
}}
server default {{
 listen {{ type = auth
  ipaddr = 127.0.0.1
  port = {auth_port}
  recv_buff = 4194304 }}
 listen {{ type = acct
  ipaddr = 127.0.0.1
  port = {acct_port}
  recv_buff = 4194304 }}
{sections}
}}
"""


_AUTHENTICATE = """
 authenticate {
  Auth-Type PAP { pap }
  Auth-Type CHAP { chap }
  Auth-Type MS-CHAP { mschap }
 }
"""


class FreeRadius:
    """One server process in a folder of its own."""

    def __init__(self, folder: Path, name: str, threads: int = 6) -> None:
        self._folder = folder
        self._name = name
        self._ports = (choose_free_port(), choose_free_port())
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None

    def start_sql(self, url: str, socket_folder: str) -> Target:
        """The shipped queries (six SELECTs a login), Simultaneous-Use checked, the login log off."""
        parts = urlsplit(url)
        queries = (_SCHEMA / "queries.conf").read_text()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "queries.conf").write_text(queries)
        sql = f"""
 sql {{ dialect = "postgresql"
  driver = "rlm_sql_postgresql"
  server = "{socket_folder or parts.hostname}"
  port = {parts.port}
  login = "{parts.username}"
  password = "{parts.password}"
  radius_db = "{_DATABASE}"
  acct_table1 = "radacct"
  acct_table2 = "radacct"
  postauth_table = "radpostauth"
  authcheck_table = "radcheck"
  groupcheck_table = "radgroupcheck"
  authreply_table = "radreply"
  groupreply_table = "radgroupreply"
  usergroup_table = "radusergroup"
  read_groups = yes
  read_profiles = no
  delete_stale_sessions = yes
  read_clients = no
  client_table = "nas"
  group_attribute = "SQL-Group"
  pool {{ start = {self._threads}
   min = {self._threads}
   max = {self._threads}
   spare = 0
   uses = 0
   retry_delay = 30
   lifetime = 0
   idle_timeout = 0 }}
  $INCLUDE {self._folder}/queries.conf
 }}"""
        sections = (
            """
 authorize { chap
  mschap
  sql
  pap }
"""
            + _AUTHENTICATE
            + """
 session { sql }
 post-auth { Post-Auth-Type REJECT { ok } }
 preacct { acct_unique }
 accounting { sql }
"""
        )
        target = self._start(sql, sections)
        _raise_backends(url)
        return target

    def start_files(self, load: Load) -> Target:
        """All users in memory, no database, accounting thrown away: FreeRADIUS at its fastest."""
        self._folder.mkdir(parents=True, exist_ok=True)
        rates = ("10M/10M", "50M/50M", "100M/100M")
        with (self._folder / "users").open("w") as users:
            for number in range(1, load.accounts + 1):
                users.write(
                    f'u{number:06d} Cleartext-Password := "p{number:06d}"\n'
                    f'\tMikrotik-Rate-Limit = "{rates[number % 3]}", Session-Timeout = 86400,'
                    ' Acct-Interim-Interval = 300, Framed-Pool = "pool1"\n\n'
                )
        files = f" files {{ usersfile = {self._folder}/users }}"
        sections = (
            """
 authorize { chap
  mschap
  files
  pap }
"""
            + _AUTHENTICATE
            + """
 preacct { ok }
 accounting { ok }
"""
        )
        return self._start(files, sections)

    def _start(self, modules: str, sections: str) -> Target:
        (self._folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
        log = self._folder / "radius.log"
        log.write_text("")
        text = _configuration(self._folder, self._ports, self._threads, modules, sections)
        # its parser wants each brace's content on lines of its own
        (self._folder / "radiusd.conf").write_text(text.replace("{ ", "{\n").replace(" }", "\n}"))
        self._process = subprocess.Popen(
            ["/usr/sbin/freeradius", "-f", "-d", str(self._folder), "-n", "radiusd"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._folder)},
            # In the generator's session. Ours has one of its own, as the supervisor starts it: there `files` is 4 to
            # 12 % slower, because the generator is held up.
            preexec_fn=go_first,  # as our own processes do: both peers have the same priority
        )
        deadline = time.monotonic() + 60
        while "Ready to process" not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"FreeRADIUS did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        return Target(self._name, *self._ports, (self._process.pid,))

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
