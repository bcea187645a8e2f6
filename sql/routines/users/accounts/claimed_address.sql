-- users.claimed_address: return the e-mail address that a token gives its caller; null unless the issuer verified it.
--
-- The SET clause keeps it out of the statements that call users.is_current, such as each booking. They would prepare
-- it for 1 % of a booking's instructions, and rarely evaluate it.

create or replace function users.claimed_address(claims jsonb)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
return case
    when
        claimed_address.claims -> 'email_verified' = 'true'::jsonb
        and ops.is_address(claimed_address.claims ->> 'email')
    then claimed_address.claims ->> 'email'
end;

comment on function users.claimed_address(jsonb) is 'The verified e-mail address of a token''s claims, or null.';
