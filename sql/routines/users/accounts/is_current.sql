-- users.is_current: return whether a profile needs no update from the token and is not erased.
--
-- PostgreSQL inlines it into the calling statements, such as each booking: the comparison that most callers pass comes
-- first. A token changes nothing without a verified address, or if it is older than the stored address. Without a time
-- (`iat`) it does not replace a verified address.

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
'Return whether a profile needs no update from the token and is not erased.';
