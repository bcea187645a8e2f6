-- Names have a visible character, and e-mail addresses are ones that mailers can write. Rows are checked again.
--
-- An address is an addr-spec of RFC 5322 without quoted strings, comments, domain literals and encoded words: dot-atoms
-- of ASCII on both sides of one @, and labels of letters, digits and hyphens in the domain. core/readable.py has the
-- same rules in Python.

create function ops.is_address(value text)
returns boolean
language sql
immutable
parallel safe
return length(is_address.value) <= 254
and is_address.value ~ (
    '^(?=.{1,64}@)[A-Za-z0-9!#$%&''*+/?^_`{|}~=-]+(\.[A-Za-z0-9!#$%&''*+/?^_`{|}~=-]+)*'
    || '@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$'
)
-- =?charset?q?text?= is an encoded word, which mailers decode.
and strpos(is_address.value, '=?') = 0;

comment on function ops.is_address(text) is 'Whether an e-mail address is one that mailers can write.';

create or replace function users.is_name(value text)
returns boolean
language sql
immutable
parallel safe
return length(is_name.value) between 1 and 200
and ops.is_line(is_name.value)
-- A character that is visible by itself: no space, format character, variation selector, tag or noncharacter.
and is_name.value ~ (
    '[^\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f'
    || '\u2000-\u200f\u202f\u205f-\u2065\u2800\u3000\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb'
    || '\ufffe\uffff\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a'
    || '\U000e0000-\U000e0fff'
    || '\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe\U0003ffff\U0004fffe\U0004ffff'
    || '\U0005fffe\U0005ffff\U0006fffe\U0006ffff\U0007fffe\U0007ffff\U0008fffe\U0008ffff'
    || '\U0009fffe\U0009ffff\U000afffe\U000affff\U000bfffe\U000bffff\U000cfffe\U000cffff'
    || '\U000dfffe\U000dffff\U000efffe\U000effff\U000ffffe\U000fffff\U0010fffe\U0010ffff]'
);

comment on function users.is_name(text) is
'Whether a person can be called this: 1 to 200 characters of one line, with something to read among them.';

update users.profiles as p
set name = null
where not users.is_name(p.name);

update users.profiles as p
set email = null, email_verified_at = null
where not ops.is_address(p.email);

delete from ops.alert_recipients as r
where not ops.is_address(r.email);

alter table users.profiles
drop constraint name_is_legible,
add constraint name_is_legible check (users.is_name(name)),
drop constraint email_has_an_at,
add constraint email_can_be_written check (ops.is_address(email));

alter table ops.alert_recipients
drop constraint recipient_has_an_at,
add constraint recipient_can_be_written check (ops.is_address(email));
