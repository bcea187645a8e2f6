-- rating.text_of: a JSON text; null for what is no text.

create or replace function rating.text_of(member jsonb)
returns text
language sql
immutable
parallel safe
return case when jsonb_typeof(text_of.member) = 'string' then text_of.member #>> '{}' end;

comment on function rating.text_of(jsonb) is 'A JSON text; null for what is no text.';
