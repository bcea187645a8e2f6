-- Lots of returned credits: credits that return late are a lot of their own, so that the rest is not prolonged.

comment on column payments.credit_lots.lapsed is
'The amount that expired, was taken back, or returned in a lot of its own.';
