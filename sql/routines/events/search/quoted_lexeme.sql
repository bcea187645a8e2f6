-- events.quoted_lexeme: return a lexeme as it is written in the text of a query.

create or replace function events.quoted_lexeme(lexeme text)
returns text
language sql
immutable
parallel safe
return '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''';

comment on function events.quoted_lexeme(text) is 'Return a lexeme as it is written in the text of a query.';
