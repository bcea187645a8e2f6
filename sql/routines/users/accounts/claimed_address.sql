-- users.claimed_address: the e-mail address that a token gives its caller; null unless the issuer verified it.

create or replace function users.claimed_address(claims jsonb)
returns text
language sql
immutable
parallel safe
return case
    when
        claimed_address.claims -> 'email_verified' = 'true'::jsonb
        and ops.is_address(claimed_address.claims ->> 'email')
    then claimed_address.claims ->> 'email'
end;

comment on function users.claimed_address(jsonb) is 'The verified e-mail address of a token''s claims, or null.';
