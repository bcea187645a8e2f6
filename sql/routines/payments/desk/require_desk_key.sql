-- payments.require_desk_key: refuse a request that moves money through a till without an idempotency key.
--
-- Internal.
--
-- Refuses: 400 idempotency_key_required.

create or replace function payments.require_desk_key(key text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if require_desk_key.key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;
end;
$$;

comment on function payments.require_desk_key(text) is
'Refuse a request that moves money through a till without an idempotency key.';
