-- organizations.phone_digits: return the digits of a phone number without leading zeros.

create or replace function organizations.phone_digits(phone text)
returns text
language sql
immutable
parallel safe
return ltrim(regexp_replace(phone_digits.phone, '[^0-9]', '', 'g'), '0');

comment on function organizations.phone_digits(text) is
'Return the digits of a phone number without leading zeros.';
