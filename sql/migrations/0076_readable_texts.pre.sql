-- Texts that people read hold no control characters and nothing that reorders the text around it.
--
-- The functions stand here and not among the routines: constraints use them, and a changed rule must be checked against
-- the rows that are there. They have no SET clause, so that PostgreSQL writes them into the constraints.
--
-- Refused are controls (U+0000-U+001F, U+007F-U+009F), line and paragraph separators (U+2028, U+2029), and the
-- characters that open or close a direction (U+202A-U+202E, U+2066-U+206F): an open one turns round the text that
-- follows it on a page. Marks of direction (U+061C, U+200E, U+200F) are allowed. They act like one invisible letter,
-- and Arabic and Hebrew need them beside digits and punctuation. Texts of several lines may hold tabs and line ends.

create function ops.is_line(value text)
returns boolean
language sql
immutable
parallel safe
return is_line.value !~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]';

comment on function ops.is_line(text) is
'Whether a text of one line is fit to be read: no control characters, nothing that changes its direction.';

create function ops.is_text(value text)
returns boolean
language sql
immutable
parallel safe
return is_text.value !~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]';

comment on function ops.is_text(text) is
'Whether a text of several lines is fit to be read: as ops.is_line, but for tabs and line ends.';

create function users.is_name(value text)
returns boolean
language sql
immutable
parallel safe
return length(is_name.value) between 1 and 200
and ops.is_line(is_name.value)
-- Something beside spaces and characters without a shape.
and is_name.value ~ (
    '[^\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f'
    || '\u2000-\u200f\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]'
);

comment on function users.is_name(text) is
'Whether a person can be called this: 1 to 200 characters of one line, with something to read among them.';

-- Rows that came before the rule lose the characters that it refuses; a name that is none without them is left out.
do $$
declare
    the_table regclass;
    the_column name;
    the_rule name;
    the_class text;
begin
    for the_table, the_column, the_rule in
        values
        ('users.profiles'::regclass, 'name'::name, 'is_line'::name),
        ('events.events', 'title', 'is_line'),
        ('events.events', 'description', 'is_text'),
        ('events.events', 'status_reason', 'is_text'),
        ('events.series', 'title', 'is_line'),
        ('events.series', 'description', 'is_text'),
        ('events.series', 'status_reason', 'is_text'),
        ('events.bookings', 'status_reason', 'is_text'),
        ('events.waitlist_entries', 'status_reason', 'is_text'),
        ('messaging.webhook_endpoints', 'description', 'is_text'),
        ('organizations.organizations', 'name', 'is_line'),
        ('organizations.locations', 'name', 'is_line'),
        ('organizations.locations', 'address', 'is_text'),
        ('organizations.locations', 'city', 'is_line'),
        ('organizations.instructors', 'name', 'is_line'),
        ('organizations.instructors', 'bio', 'is_text'),
        ('organizations.policies', 'name', 'is_line'),
        ('payments.packages', 'name', 'is_line'),
        ('payments.credit_lots', 'note', 'is_text'),
        ('payments.fees', 'reason', 'is_text'),
        ('payments.refunds', 'status_reason', 'is_text'),
        ('payments.refunds', 'debt_reason', 'is_text')
    loop
        the_class := case the_rule
            when 'is_line' then '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]'
            else '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]'
        end;
        execute format(
            'update %1$s set %2$I = coalesce(nullif(regexp_replace(%2$I, %3$L, '''', ''g''), ''''), ''-'')'
            || ' where not ops.%4$I(%2$I)',
            the_table, the_column, the_class, the_rule
        );
    end loop;

    update users.profiles as p
    set name = null
    where not users.is_name(p.name);
end;
$$;

alter table users.profiles
drop constraint name_is_short,
add constraint name_is_legible check (users.is_name(name));

alter table events.events
add constraint event_texts_are_readable check (
    ops.is_line(title) and ops.is_text(description) and ops.is_text(status_reason)
);

alter table events.series
add constraint series_texts_are_readable check (
    ops.is_line(title) and ops.is_text(description) and ops.is_text(status_reason)
);

alter table events.bookings
add constraint booking_reason_is_readable check (ops.is_text(status_reason));

alter table events.waitlist_entries
add constraint waitlist_reason_is_readable check (ops.is_text(status_reason));

alter table messaging.webhook_endpoints
add constraint endpoint_description_is_readable check (ops.is_text(description));

alter table organizations.organizations
add constraint organization_name_is_readable check (ops.is_line(name)),
-- Control characters of a JSON text are written as escapes.
add constraint branding_is_readable check (
    ops.is_text(branding::text) and branding::text !~ '(^|[^\\])(\\\\)*\\(u00[01]|[bf])'
);

alter table organizations.locations
add constraint location_texts_are_readable check (
    ops.is_line(name) and ops.is_text(address) and ops.is_line(city)
);

alter table organizations.instructors
add constraint instructor_texts_are_readable check (
    ops.is_line(name) and ops.is_text(bio)
);

alter table organizations.policies
add constraint policy_name_is_readable check (ops.is_line(name));

alter table payments.packages
add constraint package_name_is_readable check (ops.is_line(name));

alter table payments.credit_lots
add constraint credit_note_is_readable check (ops.is_text(note));

alter table payments.fees
add constraint fee_reason_is_readable check (ops.is_text(reason));

alter table payments.refunds
add constraint refund_reasons_are_readable check (
    ops.is_text(status_reason) and ops.is_text(debt_reason)
);
