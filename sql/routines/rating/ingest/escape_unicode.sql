-- rating.escape_unicode: JSON whose escapes of code points (\u0041) are disguised, so that taking it apart decodes
-- none.
--
-- Taking a member out of JSON decodes all of its texts, and fails for all when one cannot be decoded. "\/" is an escape
-- that says no more than "/", so "\/u0041" is free to stand for the escape. rating.unescape_unicode undoes it.

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

comment on function rating.escape_unicode(json) is 'JSON with its escapes of code points disguised.';
