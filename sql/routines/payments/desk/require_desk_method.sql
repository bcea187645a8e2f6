-- payments.require_desk_method: refuse a payment method that the desk does not take.
--
-- Internal.
--
-- Refuses: 422 invalid_request.

create or replace function payments.require_desk_method(method text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (require_desk_method.method in ('cash', 'terminal')) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`payment_method` must be cash or terminal.')::text;
    end if;
end;
$$;

comment on function payments.require_desk_method(text) is 'Refuse a payment method that the desk does not take.';
