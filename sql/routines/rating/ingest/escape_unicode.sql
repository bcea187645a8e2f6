-- rating.escape_unicode: hide the escapes of code points (\u0041) in a JSON document, so that extracting a member
-- decodes none.
--
-- Extracting a member decodes all strings of a document, and fails for all of them if one cannot be decoded. In JSON
-- `\/` means the same as `/`, so `\/u0041` is free to represent the escape. rating.unescape_unicode restores it.

create or replace function rating.escape_unicode(document json)
returns json
language sql
immutable
parallel safe
return case
    when strpos(escape_unicode.document::text, '\u') = 0 then escape_unicode.document
    else replace(
        replace(replace(replace(escape_unicode.document::text, '\\', e'\x01'), '\/', '/'), '\u', '\/u'), e'\x01', '\\'
    )::json
end;

comment on function rating.escape_unicode(json) is 'Hide the escapes of code points in a JSON document.';
