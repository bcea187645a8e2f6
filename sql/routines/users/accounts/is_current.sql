-- users.is_current: whether a profile can be used as it is: it is not erased, and has the address of the token.
--
-- Written into the statements that call it, of each booking among others: the comparison that nearly every caller
-- passes comes first. A token without a verified address asks for nothing.

create or replace function users.is_current(profile users.profiles, claims jsonb)
returns boolean
language sql
immutable
parallel safe
return (is_current.profile).erased_at is null
and (
    (is_current.claims -> 'email_verified' = 'true'::jsonb) is not true
    or (
        (is_current.profile).email = is_current.claims ->> 'email'
        and (is_current.profile).email_verified_at is not null
    )
    or users.claimed_address(is_current.claims) is null
);

comment on function users.is_current(users.profiles, jsonb) is
'Whether a profile is not erased and has the verified address of the claims, if they have one.';
