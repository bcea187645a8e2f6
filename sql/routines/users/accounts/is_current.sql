-- users.is_current: return whether a profile can be used as it is: it is not erased, and its address is as new as the
-- token's.
--
-- Written into the statements that call it, of each booking among others: the comparison that nearly every caller
-- passes comes first. A token without a verified address asks for nothing, and neither does one that is older than the
-- stored address, or that has no time (`iat`) where a verified address is stored.

create or replace function users.is_current(profile users.profiles, claims jsonb)
returns boolean
language sql
immutable
parallel safe
return (is_current.profile).erased_at is null
and (
    (is_current.claims -> 'email_verified' = 'true'::jsonb) is not true
    or (
        coalesce(users.token_issued_at(is_current.claims), '-infinity') <= (is_current.profile).email_verified_at
    ) is true
    or users.token_address(is_current.claims) is null
);

comment on function users.is_current(users.profiles, jsonb) is
'Whether a profile is not erased and has an address as new as that of the claims, if they have one.';
