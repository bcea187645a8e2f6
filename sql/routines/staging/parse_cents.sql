-- staging.parse_cents: return an amount such as 12.50 in the smallest unit of its currency, or null if it is invalid.
--
-- Negative amounts, amounts above a million and fractions of the smallest unit are invalid.

create or replace function staging.parse_cents(amount text, decimal_places integer)
returns bigint
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when amount ~ '^\d{1,7}(\.\d{1,6})?$' and amount::numeric <= 1000000
        and amount::numeric * 10 ^ decimal_places = trunc(amount::numeric * 10 ^ decimal_places)
        then (amount::numeric * 10 ^ decimal_places)::bigint
    end;
$$;

comment on function staging.parse_cents(text, integer) is
'Return an amount such as 12.50 in the smallest unit of its currency, or null if it is invalid.';
