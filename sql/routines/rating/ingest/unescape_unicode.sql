-- rating.unescape_unicode: what rating.escape_unicode disguised, or a part of it, as it was.

create or replace function rating.unescape_unicode(document json)
returns json
language sql
immutable
parallel safe
return case
    when strpos(unescape_unicode.document::text, '\/u') = 0 then unescape_unicode.document
    else replace(replace(replace(unescape_unicode.document::text, '\\', e'\x01'), '\/u', '\u'), e'\x01', '\\')::json
end;

comment on function rating.unescape_unicode(json) is 'What rating.escape_unicode disguised, as it was.';
