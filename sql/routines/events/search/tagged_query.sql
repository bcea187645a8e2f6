-- events.tagged_query: return a query of words for words with a tag (events.tagged_words).
--
-- Works on the text of the query: each word is in quotes, and contains none (events.words_apart). One expression
-- without a search path, so that the planner inlines it.

create or replace function events.tagged_query(tag text, words tsquery)
returns tsquery
language sql
immutable
parallel safe
return regexp_replace(words::text, '''([^'']+)''', '''' || tag || ':\1''', 'g')::tsquery;

comment on function events.tagged_query(text, tsquery) is 'Return a query of words for words with a tag.';
