-- users.token_address: the e-mail address that a token gives its caller; null unless the issuer verified it.

create or replace function users.token_address(claims jsonb)
returns text
language sql
immutable
parallel safe
return case
    when
        token_address.claims -> 'email_verified' = 'true'::jsonb
        and ops.is_address(token_address.claims ->> 'email')
    then token_address.claims ->> 'email'
end;

comment on function users.token_address(jsonb) is 'The verified e-mail address of a token''s claims, or null.';
