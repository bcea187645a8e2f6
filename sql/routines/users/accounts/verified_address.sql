-- users.verified_address: the e-mail address of a person that may be used: a verified one; null where there is none.
--
-- Written into the statements that call it. The only way to read an address: whatever sends, shows or prints one asks
-- here.

create or replace function users.verified_address(profile users.profiles)
returns text
language sql
immutable
parallel safe
return case when (verified_address.profile).email_verified_at is not null then (verified_address.profile).email end;

comment on function users.verified_address(users.profiles) is 'A person''s verified e-mail address, or null.';
