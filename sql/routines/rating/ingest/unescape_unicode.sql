-- rating.unescape_unicode: restore the escapes that rating.escape_unicode hid, in a JSON document or a part of it.

create or replace function rating.unescape_unicode(document json)
returns json
language sql
immutable
parallel safe
return case
    when strpos(unescape_unicode.document::text, '\/u') = 0 then unescape_unicode.document
    else replace(replace(replace(unescape_unicode.document::text, '\\', e'\x01'), '\/u', '\u'), e'\x01', '\\')::json
end;

comment on function rating.unescape_unicode(json) is 'Restore the escapes that rating.escape_unicode hid.';
