-- users.token_address: return the verified e-mail address of a token's claims, or null.
--
-- The SET clause prevents inlining into users.is_current, which each booking evaluates. Preparing the inlined
-- expression costs 1 % of a booking, and it is rarely evaluated.

create or replace function users.token_address(claims jsonb)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
return case
    when
        token_address.claims -> 'email_verified' = 'true'::jsonb
        and ops.is_address(token_address.claims ->> 'email')
    then token_address.claims ->> 'email'
end;

comment on function users.token_address(jsonb) is 'Return the verified e-mail address of a token''s claims, or null.';
