-- ops.take_token: take one token from a bucket.
--
-- Returns null when the token was taken, and otherwise the seconds until one is available. Locks the bucket until the
-- transaction ends. Internal.

create or replace function ops.take_token(operation text, subject text, per_minute integer, burst integer)
returns double precision
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    interval_of_one interval := make_interval(secs => 60.0 / take_token.per_minute);
    full_in_most interval := interval_of_one * take_token.burst;
    will_be_full_at timestamptz;
begin
    insert into ops.rate_limits as l (operation, subject, full_at)
    values (take_token.operation, take_token.subject, clock_timestamp() + interval_of_one)
    on conflict on constraint rate_limits_pkey do update
    set full_at = greatest(l.full_at, clock_timestamp()) + interval_of_one
    where greatest(l.full_at, clock_timestamp()) + interval_of_one <= clock_timestamp() + full_in_most;

    if found then
        return null;
    end if;

    select l.full_at into will_be_full_at
    from ops.rate_limits as l
    where l.operation = take_token.operation and l.subject = take_token.subject;

    return greatest(0.001, extract(epoch from will_be_full_at + interval_of_one - full_in_most - clock_timestamp()));
end;
$$;

comment on function ops.take_token(text, text, integer, integer) is
'Take one token from a bucket; returns null when it was taken, and otherwise the seconds to wait.';
