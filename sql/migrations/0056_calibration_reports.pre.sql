-- What a calibration left out, and why: so that nobody takes a fit of half the votes for one of all.

alter table rating.calibrations
add column model rating.model not null default 'bayes',
add column voters bigint not null default 0,
add column votes_left_out bigint not null default 0,
add column touched bigint not null default 0,
add column incomplete bigint not null default 0;

comment on column rating.calibrations.touched is
'Items that would have taken over the fit, had they not been voted on while it was made.';
comment on column rating.calibrations.incomplete is
'Items that counted votes which the fit did not see: archived, beyond its bound, or waiting at their opponent.';
comment on column rating.calibrations.votes_left_out is 'Votes that were counted and not read, roughly.';
comment on column rating.calibrations.before is
'What was assumed of the population, as after is what is assumed since.';
