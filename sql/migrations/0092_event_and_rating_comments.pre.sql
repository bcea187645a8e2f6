-- Describe the tables, columns and types of events, reference data and ratings plainly.

-- Reference data

comment on schema ref is 'Reference data: anyone may read it, and migrations write it.';
comment on column ref.countries.prices_include_tax is
'Whether displayed prices include tax, by the country''s custom. Otherwise tax is added at payment.';
comment on table ref.tax_rates is
'Value added or sales tax by country and date, in hundredths of a percent. A changed rate is a new row.';
comment on column ref.tax_rates.category is
'A category of events with its own rate (ref.event_categories), or standard.';
comment on table ref.timezones is 'IANA time zones that this server knows, updated after each migration.';

-- Events

comment on type events.event_listing is 'An event in public lists, without private columns.';
comment on table events.events is
'Events, partitioned by month of their start. Partitions are created ahead, and the default one should stay empty.';
comment on column events.events.policy is 'The booking policy when the event was created or last edited.';
comment on column events.events.detached is 'The event was edited individually, so edits of its series skip it.';
comment on table events.terms is
'The facts about an event that a booking needs, copied by a trigger: one small row instead of a search of partitions.';
comment on table events.inventory is
'Capacity and counters of an event''s seats. Triggers change them by the rule of events.adjust_inventory.';
comment on column events.inventory.capacity is 'Null means no limit.';
comment on column events.inventory.taken is 'Seats of bookings with status confirmed, attended or no_show.';
comment on column events.inventory.waitlisted is 'Waitlist entries that wait for an offer.';
comment on column events.inventory.closed is 'The event was cancelled: no seats or waitlist entries are added.';
comment on column events.bookings.guest is
'Extra seats for guests. The customer may have another booking of the event.';
comment on column events.bookings.price_cents is 'The price of all seats together.';
comment on column events.bookings.policy is
'The event''s policy at the time of booking. It determines cancellation fees and refunds.';
comment on column events.bookings.booked_by is
'The person who booked: the customer or a member of staff. Null for a service.';
comment on column events.bookings.late is 'The booking was cancelled after the policy''s cut-off.';
comment on column events.bookings.fee_cents is 'The fee of a late cancellation or a no-show, by the policy.';
comment on table events.holds is
'Seats reserved for a customer for a limited time. Until they expire they count like sold seats.';
comment on column events.holds.ended_at is
'When the hold stopped reserving seats. An expired hold ends at its expiry, even if a job notices it later.';
comment on column events.waitlist_entries.place is
'The order of the waitlist, which only grows. An entry whose offer expires gets a new place at the end.';
comment on column events.waitlist_entries.joined_by is
'The person who made the entry: the customer or a member of staff. Null for an imported entry.';
comment on column events.series.generated_until is 'The local date up to and including which occurrences exist.';
comment on table events.occurrences is
'The generated local starts of a series, each once. A moved event keeps its first local start.';

-- Ratings

comment on schema rating_archive is 'Archived months of counted rating events. Only the owner may use it.';
comment on type rating.ingestion is
'A request of rating events: organization, caller and an array of the events as received. Internal.';
comment on type rating.outcome is
'The result of one event of a request. A null status means that its key was already known. Internal.';
comment on table rating.settings is
'How an organization''s items are rated and published. Without a row, the columns'' defaults apply.';
comment on column rating.settings.public is
'Anyone may read scores, and any known person may rate existing items.';
comment on column rating.settings.votes_least is
'The minimum number of votes before an item is published. Opponents, sliders and slider voters have minimums too.';
comment on column rating.settings.score_step is
'A published score is renewed after a change of at least this size. Confidence and deviation have steps too.';
comment on column rating.settings.tiers is
'A score that crosses one of these values is published, even after a small change.';
comment on column rating.settings.pause_seconds is 'The minimum time between two publications of an item.';
comment on column rating.settings.paused_until is
'Nothing is published before this time. Delayed scores are published then.';
comment on column rating.settings.period_seconds is
'All batches within this time count against the ratings before it. See rating.populations.period.';
comment on column rating.settings.events_per_voter_and_day is
'The maximum number of rating events that one voter may send in a day (UTC). Events of the service do not count.';
comment on table rating.calibrations is
'The nightly fits of all votes, with the distance of the running ratings from each fit.';
comment on column rating.calibrations.applied is
'Items that adopted the fit. Items with new votes since then wait for the next fit.';
comment on column rating.calibrations.before is
'The estimates of the population before the calibration. Column after has the later ones.';
comment on column rating.calibrations.votes_left_out is
'The approximate number of counted votes that the fit did not read.';
comment on column rating.calibrations.touched is
'Items that did not adopt the fit because they received votes while it ran.';
comment on column rating.calibrations.incomplete is
'Items that counted votes which the fit did not see: archived, beyond its bound, or uncounted by the opponent.';
comment on table rating.dirty_items is 'Items that must be counted or published.';
comment on column rating.dirty_items.generation is
'A new number with each mark, never reused, so that a mark during processing is not lost.';
comment on column rating.dirty_items.marked_at is 'When the item started to wait.';
comment on column rating.dirty_items.available_at is
'Items are claimed in this order, after this time. Each point of priority counts as twenty seconds of waiting.';
comment on table rating.event_keys is 'Keys of accepted events, so that a resent event is not counted again.';
comment on column rating.event_keys.content is
'A hash of the event. The same key with different content is refused.';
comment on table rating.fires is 'Fires of voters for items. Each voter lights an item once.';
comment on table rating.inbox is
'Events that an item has not counted yet, one row per item. The batch that counts them deletes them.';
comment on column rating.inbox.first is 'Of the two rows of a vote, the one by which its voter is judged.';
comment on table rating.item_fires is
'Voters by the items that they lit, kept permanently: one fire per voter and item.';
comment on table rating.item_scores is 'The published score of an item, with its components.';
comment on column rating.item_scores.reliability is
'The reliability of the raters, from 0 to 1. Its effect on the score depends on the model.';
comment on column rating.item_scores.mean is
'The rating in its own units. Column deviation is its standard deviation.';
comment on table rating.item_stats is
'The statistics of an item: counters and sums. Each event is added once and never read again.';
comment on column rating.item_stats.period is
'The period of the current sums. The base columns hold the state before it.';
comment on column rating.item_stats.slider_sum is 'The weighted sum of slider values, as the model interprets them.';
comment on column rating.item_stats.fire_weight is 'The sum of fires, each weighted by its voter''s reliability.';
comment on column rating.item_stats.reliability_sum is
'The sum of the raters'' reliabilities when their events were counted.';
comment on column rating.item_stats.opponents is
'The first twenty opponents in id order, which suffice to check the minimum number.';
comment on column rating.item_stats.version is 'The number of changes to this row.';
comment on table rating.populations is
'Nightly estimates of an organization''s items and raters as a whole. Without a row, the columns'' defaults apply.';
comment on column rating.populations.period is
'All batches of a period count against the ratings before it, so their order and size make no difference.';
comment on column rating.populations.prior_mean is
'The rating of an item before its first vote. Column prior_deviation is its standard deviation.';
comment on column rating.populations.rater_deviation is
'The standard deviation of the raters'' own means, in points of sliders.';
comment on column rating.populations.noise_deviation is
'The standard deviation of a rater''s slider from its expected value.';
comment on column rating.populations.fires_half is 'The number of fires that gives half of the fire component.';
comment on column rating.populations.honest_share is 'The share of raters who do not rate at random.';
comment on table rating.sliders is 'Values from 0 to 100 that voters gave to items.';
comment on table rating.votes is
'Votes, each for one of two items. Rows are only added, by rating.ingest and rating.ingest_requests.';
comment on column rating.votes.event_id is
'A number of rating.event_ids, which gives the order in which events of one request count.';
comment on column rating.votes.kind is 'A super vote counts as two votes.';
comment on column rating.votes.occurred_at is
'The time of the vote by the client''s clock. Nothing is computed from it.';
comment on table rating.requests is
'The results of queued requests, whose events were written after the response.';
comment on table rating.score_history is 'All scores that were ever published, unchanged.';
comment on table rating.voter_days is
'The number of rating events of a voter in a day (UTC). Lost in a crash; the day''s count then starts at zero.';
comment on table rating.voters is
'The statistics of a rater: their use of sliders, and their agreement with other raters.';
comment on column rating.voters.agreed is 'Votes for the item that was expected to win.';
comment on column rating.voters.expected is 'The expected number of agreeing votes of an honest rater.';
comment on column rating.voters.log_odds is
'The evidence of votes and sliders for an honest rater against a random one: a sum of logarithms.';
comment on column rating.voters.base_log_odds is
'The value before the period, like the other base columns.';
comment on column rating.voters.slider_sum is
'The sum of value − 50. Column slider_square_sum has the sum of its square. Both describe the rater''s scale.';
comment on column rating.voters.residual_sum is
'The sum of the difference between a slider''s value and the value that the item''s other sliders predict.';
