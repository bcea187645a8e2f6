-- rating.json_text: a JSON text; null for what is no text.

create or replace function rating.json_text(member jsonb)
returns text
language sql
immutable
parallel safe
return case when jsonb_typeof(json_text.member) = 'string' then json_text.member #>> '{}' end;

comment on function rating.json_text(jsonb) is 'A JSON text; null for what is no text.';
