-- users.verified_address: return a person's verified e-mail address, or null.
--
-- PostgreSQL inlines it into the calling statements. Every routine that sends, shows or prints an address must read it
-- here.

create or replace function users.verified_address(profile users.profiles)
returns text
language sql
immutable
parallel safe
return case when (verified_address.profile).email_verified_at is not null then (verified_address.profile).email end;

comment on function users.verified_address(users.profiles) is 'Return a person''s verified e-mail address, or null.';
