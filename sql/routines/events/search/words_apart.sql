-- events.words_apart: return a text in composed form, with spaces for the signs between words: Yoga/Pilates, Tai-Chi.
--
-- Otherwise the parser of text search takes addresses, paths, numbers and compounds for one word. Signs within a word,
-- such as a soft hyphen, are dropped. One expression without a search path, so that the planner inlines it.

create or replace function events.words_apart(value text)
returns text
language sql
immutable
parallel safe
return translate(
    case
        when octet_length(value) = length(value) then value
        else regexp_replace(
            translate(normalize(value, nfkc), U&'\00AD\200B\200C\200D\2060', ''),
            U&'[\00A0-\00BF\00D7\00F7\02BC\2000-\206F\2212\3000-\3003\3008-\3020\30FB]', ' ', 'g'
        )
    end,
    '/.@:_+-~*\''"',
    repeat(' ', 12)
);

comment on function events.words_apart(text) is
'Return a text in composed form, with spaces for the signs between words.';
