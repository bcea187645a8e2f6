-- rating.json_text: return the value of a JSON string, or null for any other JSON.

create or replace function rating.json_text(member jsonb)
returns text
language sql
immutable
parallel safe
return case when jsonb_typeof(json_text.member) = 'string' then json_text.member #>> '{}' end;

comment on function rating.json_text(jsonb) is 'Return the value of a JSON string, or null for any other JSON.';
