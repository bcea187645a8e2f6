-- An e-mail address counts only once it is verified: by the issuer's token, or by the operator who imported it.
--
-- Addresses that are stored already came from tokens that nobody asked. They stay as they are, without a time of
-- verification: nothing is sent to them and nobody is shown them, until a token verifies them or replaces them
-- (docs/decisions/0016-verified-addresses.md).

alter table users.profiles
add column email_verified_at timestamptz;

comment on column users.profiles.email_verified_at is
'When the address was last verified; null: never, and then it is not used. Read addresses by users.address_of.';

update users.profiles as p
set email = null
where not ops.is_line(p.email);

alter table users.profiles
drop constraint email_has_an_at,
add constraint email_has_an_at check (email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254 and ops.is_line(email));
