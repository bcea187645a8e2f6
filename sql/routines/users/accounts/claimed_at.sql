-- users.claimed_at: return when the token with these claims was issued; null where it does not say.

create or replace function users.claimed_at(claims jsonb)
returns timestamptz
language sql
immutable
parallel safe
return case
    when
        jsonb_typeof(claimed_at.claims -> 'iat') = 'number'
        and (claimed_at.claims ->> 'iat')::numeric between 0 and 253402300799
    then to_timestamp((claimed_at.claims ->> 'iat')::double precision)
end;

comment on function users.claimed_at(jsonb) is 'When the token of the claims was issued, or null.';
