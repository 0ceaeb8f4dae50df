-- Accounting (RAD-4; radius.md, "Accounting"): a batch of updates in one round trip, answered after the commit.
--
-- aaa.account takes the batch as arrays, sorted by (tenant, NAS, session, user), one row per session, and does all that is
-- ordinary in three set-based statements. It returns the ordinals of the rest (disorder, restarts, repeats, unknown sessions),
-- which the node sends, complete, to aaa.account_each. Kinds are those of Acct-Status-Type: 1 Start, 2 Stop, 3 Interim.
-- Arrays are opened in a SELECT list: there each costs half of what unnest in FROM costs, which keeps each in a store of its own.
-- Statements stay in the form that also works on Citus (every key led by tenant_id).

DO $$ BEGIN
  CREATE TYPE aaa.metered AS (tenant_id int, account_id bigint, day int, octets bigint, seconds bigint);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- sum(bigint) adds in numeric, which costs more than the rest of the grouping.
DO $$ BEGIN
  CREATE AGGREGATE aaa.total(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');
EXCEPTION WHEN duplicate_function THEN NULL;
END $$;

-- 100: quota and packs are used up, 80: four fifths of what this period has, else 0. Null quota = there is none.
CREATE OR REPLACE FUNCTION aaa.used_percent(p_used bigint, p_quota bigint, p_packs bigint, p_over bigint)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_quota IS NULL THEN 0 WHEN p_used >= p_quota + GREATEST(0, p_packs - p_over) THEN 100
    WHEN p_used::numeric * 5 >= (p_quota + GREATEST(0, p_packs - p_over))::numeric * 4 THEN 80 ELSE 0 END
$$;

-- Counts up the quota of one account (tenants/usage/rules_quota.py says what this does; a test compares both). When it is used
-- up by this very report, the sessions end or get the throttled rate (RAD-6): outbox rows, sent after the commit.
CREATE OR REPLACE FUNCTION aaa.count_quota(p_tenant int, p_account bigint, p_day date, p_octets bigint, p_seconds bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  u aaa.subscriber;
  win date;
  was record;
  level int;
  has_octets bigint;  -- in this window, with what is left of packs; null: there is no such quota
  has_seconds bigint;
BEGIN
  SELECT * INTO u FROM aaa.subscriber WHERE tenant_id = p_tenant AND account_id = p_account AND quota_kind > 0;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  win := CASE u.quota_kind WHEN 2 THEN p_day WHEN 3 THEN date_trunc('month', p_day)::date ELSE date '1970-01-01' END;
  INSERT INTO aaa.quota_use AS q (tenant_id, account_id, epoch, window_on, octets, seconds, over_octets, over_seconds, warned)
  VALUES (p_tenant, p_account, u.quota_epoch, win, p_octets, p_seconds, 0, 0, 0)
  ON CONFLICT (tenant_id, account_id) DO UPDATE SET epoch = u.quota_epoch, window_on = win,
    octets = p_octets + CASE WHEN q.epoch = u.quota_epoch AND q.window_on = win THEN q.octets ELSE 0 END,
    seconds = p_seconds + CASE WHEN q.epoch = u.quota_epoch AND q.window_on = win THEN q.seconds ELSE 0 END,
    over_octets = CASE WHEN q.epoch <> u.quota_epoch THEN 0 WHEN q.window_on = win THEN q.over_octets
      ELSE q.over_octets + GREATEST(0, q.octets - COALESCE(u.quota_octets, q.octets)) END,
    over_seconds = CASE WHEN q.epoch <> u.quota_epoch THEN 0 WHEN q.window_on = win THEN q.over_seconds
      ELSE q.over_seconds + GREATEST(0, q.seconds - COALESCE(u.quota_seconds, q.seconds)) END,
    warned = CASE WHEN q.epoch = u.quota_epoch AND q.window_on = win THEN q.warned ELSE 0 END
    WHERE q.epoch <> u.quota_epoch OR q.window_on <= win OR q.window_on > (now() + interval '14 hours')::date
  RETURNING new.octets, new.seconds, new.over_octets, new.over_seconds, new.warned INTO was;
  IF NOT FOUND THEN
    RETURN;  -- a late report of a window that is over
  END IF;
  -- Told once per threshold and period; the worker tells subscriber and staff (PLN-5).
  level := GREATEST(aaa.used_percent(was.octets, u.quota_octets, u.pack_octets, was.over_octets),
    aaa.used_percent(was.seconds, u.quota_seconds, u.pack_seconds, was.over_seconds));
  IF level > was.warned THEN
    UPDATE aaa.quota_use q SET warned = level WHERE q.tenant_id = p_tenant AND q.account_id = p_account;
    INSERT INTO work.outbox (tenant_id, topic, subject, payload) VALUES (p_tenant, 'account.quota', 'account:' || p_account,
      jsonb_build_object('account_id', p_account, 'percent', level, 'epoch', u.quota_epoch, 'window_on', win));
    PERFORM pg_notify('broadloom_outbox', 'account');
  END IF;
  -- Used up now, and not before this report.
  has_octets := u.quota_octets + GREATEST(0, u.pack_octets - was.over_octets);
  has_seconds := u.quota_seconds + GREATEST(0, u.pack_seconds - was.over_seconds);
  IF (was.octets >= has_octets AND was.octets - p_octets < has_octets)
      OR (was.seconds >= has_seconds AND was.seconds - p_seconds < has_seconds) THEN
    INSERT INTO work.outbox (tenant_id, topic, subject, payload)
    SELECT s.tenant_id, CASE WHEN u.quota_cut THEN 'radius.disconnect' ELSE 'radius.coa' END, 'account:' || p_account,
      jsonb_build_object('nas_id', s.nas_id, 'session_id', s.session_id, 'username', s.username, 'framed_ip', host(s.framed_ip),
        'account_id', p_account, 'mac', s.mac, 'reason', 'quota')
    FROM aaa.session s WHERE s.tenant_id = p_tenant AND s.account_id = p_account
      AND (u.quota_cut OR u.throttle_profile_id IS NOT NULL);
    PERFORM pg_notify('broadloom_outbox', 'radius');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION aaa.add_usage(p_tenant int, p_account bigint, p_day date, p_in bigint, p_out bigint, p_seconds bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_account > 0 AND (p_in > 0 OR p_out > 0 OR p_seconds > 0) THEN
    INSERT INTO aaa.usage AS g (tenant_id, account_id, day, octets_in, octets_out, seconds)
    VALUES (p_tenant, p_account, p_day, p_in, p_out, p_seconds)
    ON CONFLICT (tenant_id, account_id, day) DO UPDATE SET octets_in = g.octets_in + EXCLUDED.octets_in,
      octets_out = g.octets_out + EXCLUDED.octets_out, seconds = g.seconds + EXCLUDED.seconds;
    PERFORM aaa.count_quota(p_tenant, p_account, p_day, p_in + p_out, p_seconds);
  END IF;
END $$;

-- The MAC in a name, as wire/mac_address.py reads it (a test compares both); null for none.
CREATE OR REPLACE FUNCTION aaa.mac_of(p_text text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN t ~ '^\s*[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}(?![0-9a-f])' THEN
      (SELECT string_agg(lpad(part, 2, '0'), ':' ORDER BY n)
       FROM regexp_split_to_table(substring(t FROM '[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}'), '[:-]') WITH ORDINALITY AS s(part, n))
    WHEN t ~ '^\s*([0-9a-f]{4}[.:-][0-9a-f]{4}[.:-][0-9a-f]{4}|[0-9a-f]{6}[.:-][0-9a-f]{6}|[0-9a-f]{12})(?![0-9a-f])' THEN
      rtrim(regexp_replace(left(translate(ltrim(t), ':-. ', ''), 12), '(..)', '\1:', 'g'), ':')
    END
  FROM (SELECT CASE  -- of a DHCP client's identifier the address only
      WHEN l ~ '^\s*0?1([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){5}(?![0-9a-f])' THEN regexp_replace(l, '^\s*0?1[:-]', '')
      WHEN l ~ '^\s*01([0-9a-f]{2}\.[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{2}|[0-9a-f]{12})(?![0-9a-f])' THEN
        substr(translate(ltrim(l), '.', ''), 3, 12)
      ELSE l END AS t
    FROM (SELECT lower(p_text) AS l) lowered) address
$$;

-- Whose session it is where no account has the name: routers and people write it in many ways (RAD-2; wire/user_names.py has the
-- same, a test compares both). Null for nobody's.
CREATE OR REPLACE FUNCTION aaa.account_of_spelling(p_tenant int, p_user text) RETURNS bigint LANGUAGE sql STABLE AS $$
  WITH names AS (
    SELECT plain, btrim(regexp_replace(regexp_replace(plain, '(?<=.)@[^@]*$', ''), '^.*\\', ''), E' \t\r\n\uFFFD') AS bare
    FROM (SELECT btrim(p_user, E' \t\r\n\uFFFD') AS plain) trimmed),
  found AS (
    SELECT u.account_id, u.username, way.place IN (3, 5) AS changed
    FROM names, unnest(ARRAY[CASE WHEN length(p_user) <= 24 THEN aaa.mac_of(p_user) END, plain, lower(plain COLLATE "C"), bare,
        lower(bare COLLATE "C")]) WITH ORDINALITY AS way(name, place)
      JOIN aaa.subscriber u ON u.tenant_id = p_tenant AND u.username = way.name COLLATE "C"
    ORDER BY way.place LIMIT 1)
  SELECT account_id FROM found f WHERE NOT (changed AND EXISTS (  -- in other letters, and more than one is called so
    SELECT FROM aaa.subscriber o WHERE o.tenant_id = p_tenant AND lower(o.username) = f.username AND o.username <> lower(o.username)))
  UNION ALL
  (SELECT CASE count(*) WHEN 1 THEN min(o.account_id) END
   FROM names, unnest(ARRAY[lower(plain COLLATE "C"), lower(bare COLLATE "C")]) WITH ORDINALITY AS way(name, place)
     JOIN aaa.subscriber o ON o.tenant_id = p_tenant AND lower(o.username) = way.name COLLATE "C" AND o.username <> lower(o.username)
   WHERE NOT EXISTS (SELECT FROM found)
   GROUP BY way.place ORDER BY way.place LIMIT 1)
$$;
DROP FUNCTION IF EXISTS aaa.account_of_device(int, text);

-- Instants are seconds since 1970; days are days since 1970 in the tenant's zone; IPv4 addresses are numbers.
CREATE OR REPLACE FUNCTION aaa.account(
  n_start int, n_interim int, n_stop int,
  a_tenant int[], a_nas int[], a_sid text[], a_user text[], a_kind smallint[], a_at float8[], a_sec bigint[],
  a_in bigint[], a_out bigint[], a_pin bigint[], a_pout bigint[], a_ip bigint[], a_day int[], a_cause smallint[],
  a_mac text[], a_called text[], a_port bigint[], a_port_id text[], a_nas_ip bigint[], a_prefix6 text[], a_delegated6 text[]
) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
  done int;
  earliest float8;  -- of the batch
  undone int[] := '{}';
  metered aaa.metered[];  -- what accounts with a quota used
  more aaa.metered[];
  m aaa.metered;
BEGIN
  IF n_interim > 0 THEN
    WITH changed AS (
      UPDATE aaa.session s SET updated_at = GREATEST(s.updated_at, to_timestamp(b.at)), seconds = s.base_seconds + b.sec,
        octets_in = s.base_octets_in + b.oin, octets_out = s.base_octets_out + b.oout,
        packets_in = GREATEST(s.packets_in, b.pin), packets_out = GREATEST(s.packets_out, b.pout),
        framed_ip = COALESCE('0.0.0.0'::inet + b.ip, s.framed_ip), reports = s.reports + 1,
        up_bps = COALESCE((b.oin - s.octets_in + s.base_octets_in) * 8 / NULLIF(b.sec - s.seconds + s.base_seconds, 0), s.up_bps),
        down_bps = COALESCE((b.oout - s.octets_out + s.base_octets_out) * 8 / NULLIF(b.sec - s.seconds + s.base_seconds, 0), s.down_bps)
      FROM (SELECT unnest(a_tenant) AS tenant, unnest(a_nas) AS nas, unnest(a_sid) AS sid, unnest(a_user) AS usr,
          unnest(a_kind) AS kind, unnest(a_at) AS at, unnest(a_sec) AS sec, unnest(a_in) AS oin,
          unnest(a_out) AS oout, unnest(a_pin) AS pin, unnest(a_pout) AS pout, unnest(a_ip) AS ip,
          unnest(a_day) AS day) AS b
      WHERE b.kind = 3 AND s.tenant_id = b.tenant AND s.nas_id = b.nas
        AND s.session_id = b.sid COLLATE "C" AND s.username = b.usr COLLATE "C"
        AND b.sec >= s.seconds - s.base_seconds AND to_timestamp(b.at) >= s.started_at
        AND b.oin >= s.octets_in - s.base_octets_in AND b.oout >= s.octets_out - s.base_octets_out
      RETURNING s.tenant_id, s.account_id, b.day, new.octets_in - old.octets_in AS more_in,
        new.octets_out - old.octets_out AS more_out, new.seconds - old.seconds AS more_seconds),
    counted AS (
      INSERT INTO aaa.usage AS g (tenant_id, account_id, day, octets_in, octets_out, seconds)
      SELECT tenant_id, account_id, date '1970-01-01' + day, aaa.total(more_in), aaa.total(more_out), aaa.total(more_seconds)
      FROM changed WHERE account_id > 0 AND (more_in > 0 OR more_out > 0 OR more_seconds > 0) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
      ON CONFLICT (tenant_id, account_id, day) DO UPDATE SET octets_in = g.octets_in + EXCLUDED.octets_in,
        octets_out = g.octets_out + EXCLUDED.octets_out, seconds = g.seconds + EXCLUDED.seconds)
    SELECT count(*), array_agg(ROW(c.tenant_id, c.account_id, c.day, c.more_in + c.more_out, c.more_seconds)::aaa.metered)
        FILTER (WHERE u.account_id IS NOT NULL) INTO done, metered
    FROM changed c LEFT JOIN aaa.subscriber u ON u.tenant_id = c.tenant_id AND u.account_id = c.account_id AND u.quota_kind > 0;
    -- Prefixes come after the Start, as a rule: kept from the report that first has them, and where they change.
    IF array_remove(a_prefix6, NULL) <> '{}' OR array_remove(a_delegated6, NULL) <> '{}' THEN
      UPDATE aaa.session s SET framed_ipv6_prefix = COALESCE(b.prefix6, s.framed_ipv6_prefix),
        delegated_ipv6_prefix = COALESCE(b.delegated6, s.delegated_ipv6_prefix)
      FROM (SELECT unnest(a_tenant) AS tenant, unnest(a_nas) AS nas, unnest(a_sid) AS sid, unnest(a_user) AS usr,
          unnest(a_kind) AS kind, unnest(a_at) AS at, unnest(a_prefix6) AS prefix6, unnest(a_delegated6) AS delegated6) AS b
      WHERE b.kind = 3 AND s.tenant_id = b.tenant AND s.nas_id = b.nas
        AND s.session_id = b.sid COLLATE "C" AND s.username = b.usr COLLATE "C" AND to_timestamp(b.at) >= s.started_at
        AND (b.prefix6 <> COALESCE(s.framed_ipv6_prefix, '') OR b.delegated6 <> COALESCE(s.delegated_ipv6_prefix, ''));
    END IF;
    IF done < n_interim THEN
      SELECT undone || array_agg(b.ord::int) INTO undone
      FROM unnest(a_tenant, a_nas, a_sid, a_user, a_kind, a_sec, a_in, a_out) WITH ORDINALITY
        AS b(tenant, nas, sid, usr, kind, sec, oin, oout, ord)
      WHERE b.kind = 3 AND NOT EXISTS (
        SELECT FROM aaa.session s WHERE s.tenant_id = b.tenant AND s.nas_id = b.nas
          AND s.session_id = b.sid COLLATE "C" AND s.username = b.usr COLLATE "C" AND s.seconds - s.base_seconds = b.sec
          AND s.octets_in - s.base_octets_in = b.oin AND s.octets_out - s.base_octets_out = b.oout);
    END IF;
  END IF;

  IF n_start > 0 THEN
    earliest := (SELECT min(x) FROM unnest(a_at) x);
    INSERT INTO aaa.session AS s (tenant_id, nas_id, session_id, username, account_id, framed_ip, mac, called, nas_port,
      nas_port_id, nas_address, framed_ipv6_prefix, delegated_ipv6_prefix, started_at, updated_at, seconds, octets_in, octets_out,
      packets_in, packets_out)
    SELECT b.tenant, b.nas, b.sid, b.usr, COALESCE(u.account_id, aaa.account_of_spelling(b.tenant, b.usr), 0),
      '0.0.0.0'::inet + b.ip, b.mac, b.called, b.port, b.port_id, '0.0.0.0'::inet + b.nas_ip, b.prefix6, b.delegated6,
      to_timestamp(b.at - b.sec), to_timestamp(b.at), b.sec, b.oin, b.oout, b.pin, b.pout
    FROM (SELECT unnest(a_tenant) AS tenant, unnest(a_nas) AS nas, unnest(a_sid) AS sid, unnest(a_user) AS usr,
        unnest(a_kind) AS kind, unnest(a_at) AS at, unnest(a_sec) AS sec, unnest(a_in) AS oin,
        unnest(a_out) AS oout, unnest(a_pin) AS pin, unnest(a_pout) AS pout, unnest(a_ip) AS ip,
        unnest(a_mac) AS mac, unnest(a_called) AS called, unnest(a_port) AS port, unnest(a_port_id) AS port_id,
        unnest(a_nas_ip) AS nas_ip, unnest(a_prefix6) AS prefix6, unnest(a_delegated6) AS delegated6) AS b
    LEFT JOIN aaa.subscriber u ON u.tenant_id = b.tenant AND u.username = b.usr COLLATE "C"
    WHERE b.kind = 1 AND b.sec = 0 AND b.oin = 0 AND b.oout = 0
      -- Overtaken by its own Stop. The bounds of the batch spare the months in which none can be; they are looked at once,
      -- what stands IS TRUE for each row (it would choose the months again for each, which costs more than it spares).
      AND (SELECT true FROM aaa.session_history h WHERE h.tenant_id = b.tenant AND h.nas_id = b.nas
        AND h.session_id = b.sid COLLATE "C" AND h.username = b.usr AND (h.ended_at >= to_timestamp(b.at)) IS TRUE
        AND h.ended_at >= to_timestamp(earliest) AND h.ended_at < now() + interval '2 days' LIMIT 1) IS NULL
    ON CONFLICT (tenant_id, nas_id, session_id, username) DO NOTHING;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done < n_start THEN  -- a row equal to ours is either the one just made or an exact repeat of it
      SELECT undone || array_agg(b.ord::int) INTO undone
      FROM unnest(a_tenant, a_nas, a_sid, a_user, a_kind, a_at) WITH ORDINALITY AS b(tenant, nas, sid, usr, kind, at, ord)
      WHERE b.kind = 1 AND NOT EXISTS (
        SELECT FROM aaa.session s WHERE s.tenant_id = b.tenant AND s.nas_id = b.nas AND s.session_id = b.sid COLLATE "C"
          AND s.username = b.usr COLLATE "C" AND s.updated_at = to_timestamp(b.at) AND s.started_at = s.updated_at);
    END IF;
  END IF;

  IF n_stop > 0 THEN
    WITH ended AS (
      DELETE FROM aaa.session s
      USING (SELECT unnest(a_tenant) AS tenant, unnest(a_nas) AS nas, unnest(a_sid) AS sid, unnest(a_user) AS usr,
          unnest(a_kind) AS kind, unnest(a_at) AS at, unnest(a_sec) AS sec, unnest(a_in) AS oin,
          unnest(a_out) AS oout, unnest(a_pin) AS pin, unnest(a_pout) AS pout, unnest(a_ip) AS ip,
          unnest(a_day) AS day, unnest(a_cause) AS cause, unnest(a_prefix6) AS prefix6,
          unnest(a_delegated6) AS delegated6) AS b
      WHERE b.kind = 2 AND s.tenant_id = b.tenant AND s.nas_id = b.nas
        AND s.session_id = b.sid COLLATE "C" AND s.username = b.usr COLLATE "C"
        AND to_timestamp(b.at) >= s.updated_at AND b.sec >= s.seconds - s.base_seconds
        AND b.oin >= s.octets_in - s.base_octets_in AND b.oout >= s.octets_out - s.base_octets_out
      RETURNING s.tenant_id, s.account_id, b.day, s.base_octets_in + b.oin - s.octets_in AS more_in,
        s.base_octets_out + b.oout - s.octets_out AS more_out, s.base_seconds + b.sec - s.seconds AS more_seconds,
        s.nas_id, s.session_id, s.username, COALESCE('0.0.0.0'::inet + b.ip, s.framed_ip) AS framed_ip,
        COALESCE(b.prefix6, s.framed_ipv6_prefix) AS framed_ipv6_prefix,
        COALESCE(b.delegated6, s.delegated_ipv6_prefix) AS delegated_ipv6_prefix, s.mac, s.called, s.nas_port, s.nas_port_id,
        s.nas_address, s.started_at, to_timestamp(b.at) AS ended_at, s.base_seconds + b.sec AS seconds,
        s.base_octets_in + b.oin AS octets_in, s.base_octets_out + b.oout AS octets_out, GREATEST(s.packets_in, b.pin) AS packets_in,
        GREATEST(s.packets_out, b.pout) AS packets_out,
        b.cause, NULLIF(s.base_seconds, 0) AS base_seconds, NULLIF(s.base_octets_in, 0) AS base_octets_in,
        NULLIF(s.base_octets_out, 0) AS base_octets_out, s.reports),
    kept AS (
      INSERT INTO aaa.session_history (tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
        delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, updated_at, seconds, octets_in, octets_out,
        packets_in, packets_out, ended_at, cause, base_seconds, base_octets_in, base_octets_out, reports)
      SELECT tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
        delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, ended_at, seconds, octets_in, octets_out,
        packets_in, packets_out, ended_at, cause, base_seconds, base_octets_in, base_octets_out, reports
      FROM ended),
    counted AS (
      INSERT INTO aaa.usage AS g (tenant_id, account_id, day, octets_in, octets_out, seconds)
      SELECT tenant_id, account_id, date '1970-01-01' + day, aaa.total(more_in), aaa.total(more_out), aaa.total(more_seconds)
      FROM ended WHERE account_id > 0 AND (more_in > 0 OR more_out > 0 OR more_seconds > 0) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
      ON CONFLICT (tenant_id, account_id, day) DO UPDATE SET octets_in = g.octets_in + EXCLUDED.octets_in,
        octets_out = g.octets_out + EXCLUDED.octets_out, seconds = g.seconds + EXCLUDED.seconds)
    SELECT count(*), array_agg(ROW(c.tenant_id, c.account_id, c.day, c.more_in + c.more_out, c.more_seconds)::aaa.metered)
        FILTER (WHERE u.account_id IS NOT NULL) INTO done, more
    FROM ended c LEFT JOIN aaa.subscriber u ON u.tenant_id = c.tenant_id AND u.account_id = c.account_id AND u.quota_kind > 0;
    metered := metered || more;
    IF done < n_stop THEN
      SELECT undone || array_agg(b.ord::int) INTO undone
      FROM unnest(a_tenant, a_nas, a_sid, a_user, a_kind, a_at) WITH ORDINALITY AS b(tenant, nas, sid, usr, kind, at, ord)
      WHERE b.kind = 2 AND NOT EXISTS (
        SELECT FROM aaa.session_history h WHERE h.tenant_id = b.tenant AND h.nas_id = b.nas AND h.session_id = b.sid COLLATE "C"
          AND h.username = b.usr AND h.ended_at = to_timestamp(b.at));
    END IF;
  END IF;
  IF metered IS NOT NULL THEN
    FOREACH m IN ARRAY metered LOOP
      PERFORM aaa.count_quota(m.tenant_id, m.account_id, date '1970-01-01' + m.day, m.octets, m.seconds);
    END LOOP;
  END IF;
  RETURN undone;
END $$;

-- Moves one open session to the history with the counters it has.
CREATE OR REPLACE FUNCTION aaa.close_session(s aaa.session, p_ended timestamptz, p_cause smallint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO aaa.session_history (tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
    delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, updated_at, seconds, octets_in, octets_out,
    packets_in, packets_out, ended_at, cause, base_seconds, base_octets_in, base_octets_out, reports)
  VALUES (s.tenant_id, s.nas_id, s.session_id, s.username, s.account_id, s.framed_ip, s.framed_ipv6_prefix,
    s.delegated_ipv6_prefix, s.mac, s.called, s.nas_port, s.nas_port_id, s.nas_address, s.started_at, s.updated_at, s.seconds,
    s.octets_in, s.octets_out, s.packets_in, s.packets_out, p_ended, p_cause, NULLIF(s.base_seconds, 0),
    NULLIF(s.base_octets_in, 0), NULLIF(s.base_octets_out, 0), s.reports);
  DELETE FROM aaa.session d WHERE d.tenant_id = s.tenant_id AND d.nas_id = s.nas_id AND d.session_id = s.session_id
    AND d.username = s.username;
$$;

-- What was out of the ordinary with a session's packets, for its page (RAD-5): a row for each day and kind, counted up. Only the
-- exact path calls it, so that ordinary packets pay nothing.
CREATE OR REPLACE FUNCTION aaa.note(
  p_tenant int, p_nas int, p_sid text, p_user text, p_day int, p_kind text, p_at timestamptz, p_sec bigint, p_in bigint, p_out bigint
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO aaa.session_note AS n (tenant_id, nas_id, session_id, username, day, kind, first_at, last_at, times, seconds,
    octets_in, octets_out)
  VALUES (p_tenant, p_nas, p_sid, p_user, date '1970-01-01' + p_day, p_kind, p_at, p_at, 1, p_sec, p_in, p_out)
  ON CONFLICT (tenant_id, nas_id, session_id, username, day, kind) DO UPDATE SET times = n.times + 1,
    first_at = LEAST(n.first_at, EXCLUDED.first_at), last_at = GREATEST(n.last_at, EXCLUDED.last_at),
    seconds = EXCLUDED.seconds, octets_in = EXCLUDED.octets_in, octets_out = EXCLUDED.octets_out;
$$;

-- One update with all the rules of radius.md; right for every order of arrival, and for repeats.
CREATE OR REPLACE FUNCTION aaa.account_one(
  p_tenant int, p_nas int, p_sid text, p_user text, p_kind smallint, p_at float8, p_sec bigint,
  p_in bigint, p_out bigint, p_pin bigint, p_pout bigint, p_ip bigint, p_day int, p_cause smallint,
  p_mac text, p_called text, p_port bigint, p_port_id text, p_nas_ip bigint, p_prefix6 text, p_delegated6 text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s aaa.session;
  h aaa.session_history;
  found_open boolean;
  found_closed boolean;
  at timestamptz := to_timestamp(p_at);
  began timestamptz := to_timestamp(p_at - p_sec);  -- when the router began to count, by its own word
  today date := date '1970-01-01' + p_day;
  old_in bigint; old_out bigint; old_seconds bigint;
  went_back boolean;
  newer boolean := false;  -- whether the identifier was used again since: what is open is another session
BEGIN
  -- Two nodes may hold repeats of the same packet; the row they argue about may not exist yet.
  PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant || ':' || p_nas || ':' || p_sid, 4242));
  SELECT * INTO s FROM aaa.session WHERE tenant_id = p_tenant AND nas_id = p_nas AND session_id = p_sid AND username = p_user FOR UPDATE;
  found_open := FOUND;

  IF p_kind = 1 THEN
    IF found_open AND at > GREATEST(s.updated_at, s.started_at + interval '1 minute') THEN
      PERFORM aaa.close_session(s, s.updated_at, 102::smallint);  -- the router began anew and uses the identifier again
      found_open := false;
    ELSIF found_open AND at < s.started_at - interval '1 minute' AND EXISTS (SELECT FROM aaa.session_history c
        WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas AND c.session_id = p_sid AND c.username = p_user AND c.ended_at >= at) THEN
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'start_late', at, p_sec, p_in, p_out);
      RETURN;  -- of an older session of the same identifier
    ELSIF found_open THEN  -- sent again, or overtaken by its own interims
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, CASE WHEN s.reports > 0 AND at < s.updated_at THEN 'start_late'
        ELSE 'start_again' END, at, p_sec, p_in, p_out);
      UPDATE aaa.session u SET started_at = LEAST(u.started_at, began), mac = COALESCE(u.mac, p_mac), called = COALESCE(u.called, p_called),
        nas_port = COALESCE(u.nas_port, p_port), nas_port_id = COALESCE(u.nas_port_id, p_port_id),
        framed_ip = COALESCE(u.framed_ip, '0.0.0.0'::inet + p_ip), nas_address = COALESCE(u.nas_address, '0.0.0.0'::inet + p_nas_ip),
        framed_ipv6_prefix = COALESCE(u.framed_ipv6_prefix, p_prefix6),
        delegated_ipv6_prefix = COALESCE(u.delegated_ipv6_prefix, p_delegated6)
      WHERE u.tenant_id = p_tenant AND u.nas_id = p_nas AND u.session_id = p_sid AND u.username = p_user;
      RETURN;
    ELSIF EXISTS (SELECT FROM aaa.session_history c WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas AND c.session_id = p_sid
        AND c.username = p_user AND c.ended_at >= at) THEN
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'start_late', at, p_sec, p_in, p_out);
      RETURN;  -- overtaken by its own Stop
    END IF;
  END IF;

  IF found_open AND p_kind = 2 AND at < s.started_at THEN
    -- The late Stop of an older session of the same identifier; without an older one it is our clock that was set back. Where
    -- the new one began within a minute, it is the older one's Stop that was sent again, or this one's.
    found_open := NOT EXISTS (SELECT FROM aaa.session_history c WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas
      AND c.session_id = p_sid AND c.username = p_user AND c.started_at <= at AND (at < s.started_at - interval '1 minute'
        OR (p_sec = c.seconds - COALESCE(c.base_seconds, 0) AND p_in = c.octets_in - COALESCE(c.base_octets_in, 0)
          AND p_out = c.octets_out - COALESCE(c.base_octets_out, 0))));
  ELSIF found_open AND p_kind = 3 AND at < s.started_at THEN
    -- A late Interim of an older session of the same identifier: it must not make the new one begin with its counters.
    found_open := NOT EXISTS (SELECT FROM aaa.session_history c WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas
      AND c.session_id = p_sid AND c.username = p_user AND c.started_at <= at AND c.ended_at >= began
      AND (began < s.started_at - interval '1 minute' OR (p_sec <= c.seconds - COALESCE(c.base_seconds, 0)
        AND p_in <= c.octets_in - COALESCE(c.base_octets_in, 0) AND p_out <= c.octets_out - COALESCE(c.base_octets_out, 0))));
    newer := NOT found_open;
  END IF;

  IF NOT found_open AND p_kind IN (2, 3) THEN
    SELECT * INTO h FROM aaa.session_history c WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas AND c.session_id = p_sid
      AND c.username = p_user AND c.ended_at >= began - interval '10 minutes' AND c.started_at <= at
      ORDER BY c.ended_at DESC LIMIT 1 FOR UPDATE;
    -- The same session when it had not ended as the router began to count. Also when the very same Stop (or an Interim that
    -- it overtook) was sent again so late, without Acct-Delay-Time, that its own time of counting seems to begin later.
    found_closed := FOUND AND (h.ended_at >= began
      OR (p_kind = 2 AND p_sec = h.seconds - COALESCE(h.base_seconds, 0) AND p_in = h.octets_in - COALESCE(h.base_octets_in, 0)
        AND p_out = h.octets_out - COALESCE(h.base_octets_out, 0))
      OR (p_kind = 3 AND h.ended_at >= began - interval '1 minute' AND p_sec <= h.seconds - COALESCE(h.base_seconds, 0)
        AND p_in <= h.octets_in - COALESCE(h.base_octets_in, 0) AND p_out <= h.octets_out - COALESCE(h.base_octets_out, 0)));
    IF found_closed AND p_kind = 3 AND p_sec <= h.seconds - COALESCE(h.base_seconds, 0)
        AND p_in <= h.octets_in - COALESCE(h.base_octets_in, 0) AND p_out <= h.octets_out - COALESCE(h.base_octets_out, 0) THEN
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'report_late', at, p_sec, p_in, p_out);
      RETURN;  -- overtaken by the Stop
    ELSIF found_closed AND p_kind = 3 AND at > h.ended_at AND NOT newer THEN
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'reopened', at, p_sec, p_in, p_out);
      -- It lives after all: re-open it (openwisp-radius#322).
      DELETE FROM aaa.session_history c WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas AND c.session_id = p_sid
        AND c.username = p_user AND c.ended_at = h.ended_at AND c.started_at = h.started_at;
      INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
        delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, updated_at, seconds, octets_in, octets_out,
        packets_in, packets_out, base_seconds, base_octets_in, base_octets_out, reports)
      VALUES (h.tenant_id, h.nas_id, h.session_id, h.username, h.account_id, h.framed_ip, h.framed_ipv6_prefix,
        h.delegated_ipv6_prefix, h.mac, h.called, h.nas_port, h.nas_port_id, h.nas_address, h.started_at, h.updated_at, h.seconds,
        h.octets_in, h.octets_out, h.packets_in, h.packets_out, COALESCE(h.base_seconds, 0), COALESCE(h.base_octets_in, 0),
        COALESCE(h.base_octets_out, 0), COALESCE(h.reports, 0))
      RETURNING * INTO s;
      found_open := true;
    ELSIF found_closed THEN
      -- A Stop for a session that was closed: sent again, or closed by us before the router said so. Or an Interim from before
      -- the end that we had not heard of.
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, CASE WHEN p_kind = 3 THEN 'report_late' WHEN h.cause >= 100
        THEN 'stop_late' ELSE 'stop_again' END, at, p_sec, p_in, p_out);
      s.seconds := GREATEST(h.seconds, COALESCE(h.base_seconds, 0) + p_sec);
      s.octets_in := GREATEST(h.octets_in, COALESCE(h.base_octets_in, 0) + p_in);
      s.octets_out := GREATEST(h.octets_out, COALESCE(h.base_octets_out, 0) + p_out);
      UPDATE aaa.session_history c SET seconds = s.seconds, octets_in = s.octets_in, octets_out = s.octets_out,
        packets_in = GREATEST(c.packets_in, p_pin), packets_out = GREATEST(c.packets_out, p_pout),
        reports = COALESCE(c.reports, 0) + (p_kind = 3)::int,
        ended_at = CASE WHEN h.cause >= 100 AND p_kind = 2 THEN at WHEN newer THEN GREATEST(c.ended_at, at) ELSE c.ended_at END,
        cause = CASE WHEN h.cause >= 100 AND p_kind = 2 THEN p_cause ELSE c.cause END
      WHERE c.tenant_id = p_tenant AND c.nas_id = p_nas AND c.session_id = p_sid AND c.username = p_user
        AND c.ended_at = h.ended_at AND c.started_at = h.started_at;
      PERFORM aaa.add_usage(p_tenant, h.account_id, today, s.octets_in - h.octets_in, s.octets_out - h.octets_out,
        s.seconds - h.seconds);
      RETURN;
    END IF;
  END IF;

  IF NOT found_open THEN  -- a Start; an Interim whose Start was lost; a Stop of which nothing was known
    s := NULL;
    s.account_id := COALESCE((SELECT u.account_id FROM aaa.subscriber u WHERE u.tenant_id = p_tenant AND u.username = p_user),
      aaa.account_of_spelling(p_tenant, p_user), 0);
    IF p_kind <> 1 THEN
      PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'start_missing', at, p_sec, p_in, p_out);
    END IF;
    IF p_kind = 2 THEN
      INSERT INTO aaa.session_history (tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
        delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, updated_at, seconds, octets_in, octets_out,
        packets_in, packets_out, ended_at, cause, reports)
      VALUES (p_tenant, p_nas, p_sid, p_user, s.account_id, '0.0.0.0'::inet + p_ip, p_prefix6, p_delegated6, p_mac, p_called, p_port,
        p_port_id, '0.0.0.0'::inet + p_nas_ip, began, at, p_sec, p_in, p_out, p_pin, p_pout, at, p_cause, 0);
    ELSE
      INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, framed_ip, framed_ipv6_prefix,
        delegated_ipv6_prefix, mac, called, nas_port, nas_port_id, nas_address, started_at, updated_at, seconds, octets_in, octets_out,
        packets_in, packets_out, reports)
      VALUES (p_tenant, p_nas, p_sid, p_user, s.account_id, '0.0.0.0'::inet + p_ip, p_prefix6, p_delegated6, p_mac, p_called, p_port,
        p_port_id, '0.0.0.0'::inet + p_nas_ip, began, at, p_sec, p_in, p_out, p_pin, p_pout, (p_kind = 3)::int)
      ON CONFLICT (tenant_id, nas_id, session_id, username) DO NOTHING;
      IF NOT FOUND THEN  -- another node was faster by a moment; it is an ordinary update now
        RAISE EXCEPTION 'session appeared meanwhile' USING ERRCODE = 'serialization_failure';
      END IF;
    END IF;
    PERFORM aaa.add_usage(p_tenant, s.account_id, today, p_in, p_out, p_sec);
    RETURN;
  END IF;

  -- An open session and its Interim or Stop. Lower counters are either old news or counters that began again at 0: the
  -- latter when the packet is newer than the last one and its time of counting goes on, or began after the last one.
  old_in := s.octets_in; old_out := s.octets_out; old_seconds := s.seconds;
  went_back := p_in < s.octets_in - s.base_octets_in OR p_out < s.octets_out - s.base_octets_out
    OR p_sec < s.seconds - s.base_seconds;
  IF at > s.updated_at AND went_back AND (p_sec >= s.seconds - s.base_seconds OR began >= s.updated_at - interval '1 second') THEN
    PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, 'restarted', at, s.seconds, s.octets_in, s.octets_out);
    IF p_sec < s.seconds - s.base_seconds THEN
      s.base_seconds := s.seconds; s.base_octets_in := s.octets_in; s.base_octets_out := s.octets_out;
    ELSE
      IF p_in < s.octets_in - s.base_octets_in THEN s.base_octets_in := s.octets_in; END IF;
      IF p_out < s.octets_out - s.base_octets_out THEN s.base_octets_out := s.octets_out; END IF;
    END IF;
  ELSIF at < s.updated_at OR (went_back AND p_kind = 3) THEN  -- overtaken on the way, where the router tells no delay
    PERFORM aaa.note(p_tenant, p_nas, p_sid, p_user, p_day, CASE p_kind WHEN 2 THEN 'stop_early' ELSE 'report_late' END, at, p_sec,
      p_in, p_out);
  END IF;
  s.seconds := GREATEST(s.seconds, s.base_seconds + p_sec);
  s.octets_in := GREATEST(s.octets_in, s.base_octets_in + p_in);
  s.octets_out := GREATEST(s.octets_out, s.base_octets_out + p_out);
  s.packets_in := GREATEST(s.packets_in, p_pin);
  s.packets_out := GREATEST(s.packets_out, p_pout);
  s.up_bps := COALESCE((s.octets_in - old_in) * 8 / NULLIF(s.seconds - old_seconds, 0), s.up_bps);
  s.down_bps := COALESCE((s.octets_out - old_out) * 8 / NULLIF(s.seconds - old_seconds, 0), s.down_bps);
  s.updated_at := GREATEST(s.updated_at, at);
  s.framed_ip := COALESCE('0.0.0.0'::inet + p_ip, s.framed_ip);
  s.framed_ipv6_prefix := COALESCE(p_prefix6, s.framed_ipv6_prefix);
  s.delegated_ipv6_prefix := COALESCE(p_delegated6, s.delegated_ipv6_prefix);
  IF p_kind = 2 THEN
    PERFORM aaa.close_session(s, GREATEST(at, s.started_at), p_cause);
  ELSE
    UPDATE aaa.session u SET seconds = s.seconds, octets_in = s.octets_in, octets_out = s.octets_out, packets_in = s.packets_in,
      packets_out = s.packets_out, updated_at = s.updated_at, framed_ip = s.framed_ip, framed_ipv6_prefix = s.framed_ipv6_prefix,
      delegated_ipv6_prefix = s.delegated_ipv6_prefix, reports = s.reports + 1, up_bps = s.up_bps,
      down_bps = s.down_bps, base_seconds = s.base_seconds,
      base_octets_in = s.base_octets_in, base_octets_out = s.base_octets_out
    WHERE u.tenant_id = p_tenant AND u.nas_id = p_nas AND u.session_id = p_sid AND u.username = p_user;
  END IF;
  PERFORM aaa.add_usage(p_tenant, s.account_id, today, s.octets_in - old_in, s.octets_out - old_out, s.seconds - old_seconds);
END $$;

CREATE OR REPLACE FUNCTION aaa.account_each(
  a_tenant int[], a_nas int[], a_sid text[], a_user text[], a_kind smallint[], a_at float8[], a_sec bigint[],
  a_in bigint[], a_out bigint[], a_pin bigint[], a_pout bigint[], a_ip bigint[], a_day int[], a_cause smallint[],
  a_mac text[], a_called text[], a_port bigint[], a_port_id text[], a_nas_ip bigint[], a_prefix6 text[], a_delegated6 text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. cardinality(a_tenant) LOOP
    PERFORM aaa.account_one(a_tenant[i], a_nas[i], a_sid[i], a_user[i], a_kind[i], a_at[i], a_sec[i], a_in[i], a_out[i], a_pin[i],
      a_pout[i], a_ip[i], a_day[i], a_cause[i], a_mac[i], a_called[i], a_port[i], a_port_id[i], a_nas_ip[i], a_prefix6[i], a_delegated6[i]);
  END LOOP;
END $$;

-- Accounting-On and -Off: the router has no sessions (OW#621). Those that began after the event stay.
CREATE OR REPLACE FUNCTION aaa.close_nas_sessions(p_tenant int, p_nas int, p_at float8, p_cause smallint)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE s aaa.session; closed int := 0;
BEGIN
  FOR s IN SELECT * FROM aaa.session WHERE tenant_id = p_tenant AND nas_id = p_nas AND started_at <= to_timestamp(p_at)
      ORDER BY session_id, username FOR UPDATE LOOP
    PERFORM aaa.close_session(s, GREATEST(to_timestamp(p_at), s.updated_at), p_cause);
    closed := closed + 1;
  END LOOP;
  RETURN closed;
END $$;
