-- events.folded: return a text in lower case without accents: É is e, ü is u, ß is ss, Ø is o.
--
-- Decomposes the text and drops the combining marks, so the result depends on neither an extension nor a locale. One
-- expression without a search path, so that the planner inlines it.

create or replace function events.folded(value text)
returns text
language sql
immutable
parallel safe
return case
    when octet_length(value) = length(value) then lower(value)
    else lower(
        regexp_replace(
            normalize(
                translate(
                    replace(
                        replace(
                            replace(
                                replace(
                                    replace(
                                        replace(
                                            replace(
                                                replace(value, U&'\00DF', 'ss'), U&'\1E9E', 'ss'
                                            ), U&'\00C6', 'ae'
                                        ), U&'\00E6', 'ae'
                                    ), U&'\0152', 'oe'
                                ), U&'\0153', 'oe'
                            ), U&'\00DE', 'th'
                        ), U&'\00FE', 'th'
                    ),
                    U&'\00D8\00F8\0141\0142\0110\0111\00D0\00F0\0131\0130\2019\02BC',
                    'oollddddii'''''
                ),
                nfkd
            ),
            U&'[\0300-\036F]', '', 'g'
        )
    )
end;

comment on function events.folded(text) is 'Return a text in lower case without accents.';
