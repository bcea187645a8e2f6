-- ops.take_tokens: refuse an operation that is called more often than its rule allows.
--
-- The caller and the source address have a token bucket each, which refill continuously. The algorithm is the generic
-- cell rate algorithm (ITU-T I.371): a bucket is stored as the time at which it will be full again. A refused call
-- takes no token. Locks the caller's bucket and then the address's until the transaction ends. A fault of the limiter
-- never stops the request: it raises the warning rate_limiter_failed instead, which the caller counts.
--
-- Refuses: 429 rate_limited, with retry_after_seconds.

create or replace function ops.take_tokens(operation text, address text default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_rule ops.rate_limit_rules;
    wait_seconds double precision;
begin
    select r.* into the_rule
    from ops.rate_limit_rules as r
    where r.operation = take_tokens.operation;

    if not found or ops.caller_is_service() then
        return;
    end if;

    if ops.caller_id() is not null then
        wait_seconds := ops.take_token(
            take_tokens.operation, 'caller:' || ops.caller_id(), the_rule.per_minute, the_rule.burst
        );
    end if;

    if wait_seconds is null and take_tokens.address is not null then
        wait_seconds := ops.take_token(
            take_tokens.operation, 'address:' || left(take_tokens.address, 100),
            the_rule.address_per_minute, the_rule.address_burst
        );
    end if;

    if wait_seconds is not null then
        raise exception using errcode = 'PT429', message = 'rate_limited',
            detail = jsonb_build_object('retry_after_seconds', ceil(wait_seconds))::text;
    end if;
exception
    when sqlstate 'PT429' then
        raise;
    when others then
        raise warning using errcode = 'PT199', message = 'rate_limiter_failed', detail = sqlerrm;
end;
$$;

comment on function ops.take_tokens(text, text) is
'Take one token from the caller''s bucket and one from the address''s.';

grant execute on function ops.take_tokens(text, text) to app_read;
