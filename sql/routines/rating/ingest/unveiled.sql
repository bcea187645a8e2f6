-- rating.unveiled: what rating.veiled disguised, or a part of it, as it was.

create or replace function rating.unveiled(document json)
returns json
language sql
immutable
parallel safe
return case
    when strpos(unveiled.document::text, '\/u') = 0 then unveiled.document
    else replace(replace(replace(unveiled.document::text, '\\', e'\x01'), '\/u', '\u'), e'\x01', '\\')::json
end;

comment on function rating.unveiled(json) is 'What rating.veiled disguised, as it was.';
