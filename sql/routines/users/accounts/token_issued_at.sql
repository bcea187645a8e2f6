-- users.token_issued_at: return when the token with these claims was issued, or null if they do not include it.

create or replace function users.token_issued_at(claims jsonb)
returns timestamptz
language sql
immutable
parallel safe
return case
    when
        jsonb_typeof(token_issued_at.claims -> 'iat') = 'number'
        and (token_issued_at.claims ->> 'iat')::numeric between 0 and 253402300799
    then to_timestamp((token_issued_at.claims ->> 'iat')::double precision)
end;

comment on function users.token_issued_at(jsonb) is
'Return when the token with these claims was issued, or null if they do not include it.';
