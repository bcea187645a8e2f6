-- Record the date from which the intervals of a series are counted, which a split keeps.
--
-- Null, the value of each existing series, means the start date. So every series keeps its occurrences.

alter table events.series add column anchor_date date;

comment on column events.series.anchor_date is
'The intervals of the rule are counted from the day, week, month or year of this date. Null: from start_date.';
