-- Ratings: what people say of items, what is still to be counted, what is known of items and voters, what is published.

create schema if not exists rating;
grant usage on schema rating to app_read, app_write;

create type rating.model as enum ('bayes', 'elo');
create type rating.event_kind as enum ('vote', 'slider', 'fire');
create type rating.vote_kind as enum ('normal', 'super');
create domain rating.client_id as text constraint id_is_1_to_128_long check (length(value) between 1 and 128);

create table rating.settings (
    organization_id uuid primary key references organizations.organizations on delete cascade,
    model rating.model not null default 'bayes',
    public boolean not null default true,
    rating_weight double precision not null default 0.40,
    slider_weight double precision not null default 0.30,
    fire_weight double precision not null default 0.30,
    votes_least integer not null default 5,
    opponents_least integer not null default 3,
    sliders_least integer not null default 2,
    slider_voters_least integer not null default 2,
    score_step double precision not null default 0.5,
    confidence_step double precision not null default 5,
    deviation_step double precision not null default 2,
    tiers double precision[] not null default '{20,30,40,50,60,70,80}',
    pause_seconds integer not null default 0,
    paused_until timestamptz,
    period_seconds integer not null default 60,
    updated_at timestamptz not null default now(),
    constraint weights_are_shares check (
        rating_weight between 0 and 1 and slider_weight between 0 and 1 and fire_weight between 0 and 1
        and abs(rating_weight + slider_weight + fire_weight - 1) < 1e-9
    ),
    constraint least_can_be_counted check (
        votes_least between 0 and 1000 and opponents_least between 0 and 20
        and sliders_least between 0 and 1000 and slider_voters_least between 0 and 20
    ),
    constraint steps_are_not_negative check (
        score_step between 0 and 100 and confidence_step between 0 and 100 and deviation_step between 0 and 1000
    ),
    constraint tiers_are_few check (cardinality(tiers) <= 100 and array_position(tiers, null) is null),
    constraint pause_is_up_to_a_day check (pause_seconds between 0 and 86400),
    constraint period_is_up_to_a_day check (period_seconds between 1 and 86400)
);

comment on table rating.settings is
'How an organization wants its items rated and published. No row: the defaults of the columns.';
comment on column rating.settings.public is 'Anyone may read scores, and whoever is known may rate items that exist.';
comment on column rating.settings.votes_least is 'With the other three: what an item must have before it is published.';
comment on column rating.settings.score_step is
'A published score is renewed when it has moved by so much; so the others.';
comment on column rating.settings.tiers is
'A score that has crossed one of these is published, however little it moved.';
comment on column rating.settings.pause_seconds is 'At least so long between two publishes of an item.';
comment on column rating.settings.paused_until is 'Nothing is published before; what is held back is published then.';
comment on column rating.settings.period_seconds is
'Batches of so long count against the same ratings, those before it; see rating.populations.period.';

create table rating.populations (
    organization_id uuid primary key references organizations.organizations on delete cascade,
    period bigint not null default 1,
    period_began_at timestamptz not null default now(),
    prior_mean double precision not null default 1500,
    prior_deviation double precision not null default 350,
    slider_mean double precision not null default 50,
    slider_deviation double precision not null default 15,
    rater_deviation double precision not null default 10,
    noise_deviation double precision not null default 15,
    fires_half double precision not null default 10,
    honest_share double precision not null default 0.9,
    items bigint not null default 0,
    estimated_at timestamptz,
    constraint spreads_are_positive check (
        prior_deviation > 0 and slider_deviation > 0 and rater_deviation > 0 and noise_deviation > 0 and fires_half > 0
    ),
    constraint honest_share_is_a_share check (honest_share > 0 and honest_share < 1)
);

comment on table rating.populations is
'What is estimated of an organization''s items and raters as a whole, each night. No row: the defaults of the columns.';
comment on column rating.populations.period is
'All batches of a period are counted against the ratings before it, so that their order and size do not matter.';
comment on column rating.populations.prior_mean is 'With prior_deviation: what a rating is before the first vote.';
comment on column rating.populations.rater_deviation is
'How far the raters'' own means lie apart, in points of sliders.';
comment on column rating.populations.noise_deviation is 'How far a rater''s slider lies from what it should show.';
comment on column rating.populations.fires_half is 'So many fires make half of the fire component.';
comment on column rating.populations.honest_share is 'The share of raters who do not vote at random.';

create sequence rating.event_ids as bigint;

create table rating.votes (
    event_id bigint not null,
    organization_id uuid not null,
    key rating.client_id not null,
    voter_id rating.client_id not null,
    item_a rating.client_id not null,
    item_b rating.client_id not null,
    winner rating.client_id not null,
    kind rating.vote_kind not null default 'normal',
    occurred_at timestamptz,
    received_at timestamptz not null default now(),
    primary key (event_id, received_at),
    constraint items_differ check (item_a <> item_b),
    constraint winner_is_one_of_the_two check (winner in (item_a, item_b))
) partition by range (received_at);

create table rating.sliders (
    event_id bigint not null,
    organization_id uuid not null,
    key rating.client_id not null,
    voter_id rating.client_id not null,
    item_id rating.client_id not null,
    value double precision not null,
    occurred_at timestamptz,
    received_at timestamptz not null default now(),
    primary key (event_id, received_at),
    constraint value_is_0_to_100 check (value between 0 and 100)
) partition by range (received_at);

create table rating.fires (
    event_id bigint not null,
    organization_id uuid not null,
    key rating.client_id not null,
    voter_id rating.client_id not null,
    item_id rating.client_id not null,
    occurred_at timestamptz,
    received_at timestamptz not null default now(),
    primary key (event_id, received_at)
) partition by range (received_at);

create table rating.votes_default partition of rating.votes default;
create table rating.sliders_default partition of rating.sliders default;
create table rating.fires_default partition of rating.fires default;

create index votes_by_time on rating.votes (organization_id, received_at, event_id);
create index sliders_by_time on rating.sliders (organization_id, received_at, event_id);
create index fires_by_time on rating.fires (organization_id, received_at, event_id);

comment on table rating.votes is 'Which of two items a voter preferred. Only ever added to, by rating.ingest.';
comment on table rating.sliders is 'What a voter gave an item, from 0 to 100.';
comment on table rating.fires is 'Who lit an item: each voter once.';
comment on column rating.votes.event_id is 'From rating.event_ids: the order in which the events of one request count.';
comment on column rating.votes.kind is 'A super vote weighs two.';
comment on column rating.votes.occurred_at is 'When it happened, by the client; nothing is computed from it.';

create table rating.event_keys (
    organization_id uuid not null,
    key rating.client_id not null,
    content bigint not null,
    received_at timestamptz not null default now(),
    primary key (organization_id, key)
);

create index event_keys_by_age on rating.event_keys using brin (received_at);

comment on table rating.event_keys is
'Keys of the events that were taken, so that what is sent again is not counted again.';
comment on column rating.event_keys.content is 'A hash of the event: the same key with another content is refused.';

create table rating.item_fires (
    organization_id uuid not null,
    item_id rating.client_id not null,
    voter_id rating.client_id not null,
    primary key (organization_id, item_id, voter_id)
);

comment on table rating.item_fires is 'Who has lit which item, for ever: one fire per voter and item.';

create table rating.inbox (
    organization_id uuid not null,
    item_id rating.client_id not null,
    event_id bigint not null,
    kind rating.event_kind not null,
    voter_id rating.client_id not null,
    opponent_id rating.client_id,
    first boolean not null default true,
    score double precision not null,
    weight smallint not null default 1,
    received_at timestamptz not null default now(),
    primary key (organization_id, item_id, event_id),
    constraint votes_have_opponents check ((kind = 'vote') = (opponent_id is not null)),
    constraint score_is_in_its_range check (score between 0 and case when kind = 'slider' then 100 else 1 end),
    constraint weight_is_one_or_two check (weight in (1, 2))
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.2);

create index inbox_by_age on rating.inbox using brin (received_at);

comment on table rating.inbox is
'Events that an item has not counted yet, once per item: the batch that counts them deletes them, in one transaction.';
comment on column rating.inbox.first is 'Of the two rows of a vote, the one by which its voter is judged.';
comment on column rating.inbox.score is 'Vote: 1 won, 0 lost. Slider: 0 to 100. Fire: 1.';

create table rating.dirty_items (
    organization_id uuid not null,
    item_id rating.client_id not null,
    priority smallint not null default 0 constraint priority_is_0_to_100 check (priority between 0 and 100),
    generation bigint not null default 1,
    marked_at timestamptz not null,
    available_at timestamptz not null,
    lease_until timestamptz,
    attempts integer not null default 0,
    last_error text,
    primary key (organization_id, item_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

create index dirty_items_in_turn on rating.dirty_items (available_at);

comment on table rating.dirty_items is 'Items of which something is to be counted or published.';
comment on column rating.dirty_items.generation is 'Goes up with each marking: a marking while in work is not lost.';
comment on column rating.dirty_items.marked_at is 'Since when it has been waiting.';
comment on column rating.dirty_items.available_at is
'Items are claimed in this order, once it has come: each point of priority counts as twenty seconds of waiting.';

create table rating.item_stats (
    organization_id uuid not null references organizations.organizations on delete cascade,
    item_id rating.client_id not null,
    model rating.model not null,
    mean double precision not null,
    deviation double precision not null,
    period bigint not null default 0,
    base_mean double precision not null,
    base_deviation double precision not null,
    score_sum double precision not null default 0,
    information_sum double precision not null default 0,
    votes bigint not null default 0,
    super_votes bigint not null default 0,
    wins bigint not null default 0,
    sliders bigint not null default 0,
    fires bigint not null default 0,
    slider_sum double precision not null default 0,
    slider_weight double precision not null default 0,
    base_slider_sum double precision not null default 0,
    base_slider_weight double precision not null default 0,
    fire_weight double precision not null default 0,
    reliability_sum double precision not null default 0,
    reliability_count bigint not null default 0,
    opponents text[] not null default '{}',
    slider_voters text[] not null default '{}',
    version bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, item_id),
    constraint deviations_are_positive check (deviation > 0 and base_deviation > 0),
    constraint state_is_finite check (
        mean - mean = 0 and deviation - deviation = 0
        and base_mean - base_mean = 0 and base_deviation - base_deviation = 0
        and score_sum - score_sum = 0 and information_sum - information_sum = 0 and slider_sum - slider_sum = 0
        and slider_weight - slider_weight = 0 and fire_weight - fire_weight = 0
        and base_slider_sum - base_slider_sum = 0 and base_slider_weight - base_slider_weight = 0
        and reliability_sum - reliability_sum = 0
    ),
    constraint counters_count check (
        votes >= 0 and super_votes between 0 and votes and wins between 0 and votes and sliders >= 0 and fires >= 0
        and reliability_count >= 0
    )
) with (fillfactor = 70);

comment on table rating.item_stats is
'What is known of an item: counters and sums to which each event is added once; no event is ever read again.';
comment on column rating.item_stats.period is
'In which the sums were begun; what is called base is the state before it.';
comment on column rating.item_stats.score_sum is 'bayes: the sum of weight · g(s − E) of the period.';
comment on column rating.item_stats.information_sum is 'bayes: the sum of weight · g²E(1 − E) of the period.';
comment on column rating.item_stats.slider_sum is 'Weighted sum of what sliders say, as the model reads them.';
comment on column rating.item_stats.fire_weight is 'Fires, each by the reliability of its voter.';
comment on column rating.item_stats.reliability_sum is
'Sum of the raters'' reliability when their events were counted.';
comment on column rating.item_stats.opponents is
'The first twenty in the order of their ids: enough to tell how many at least.';
comment on column rating.item_stats.version is 'How many batches have changed it.';

create table rating.voters (
    organization_id uuid not null references organizations.organizations on delete cascade,
    voter_id rating.client_id not null,
    votes bigint not null default 0,
    agreed bigint not null default 0,
    expected double precision not null default 0,
    log_odds double precision not null default 0,
    period bigint not null default 0,
    base_log_odds double precision not null default 0,
    sliders bigint not null default 0,
    slider_sum double precision not null default 0,
    slider_square_sum double precision not null default 0,
    residual_sum double precision not null default 0,
    residual_square_sum double precision not null default 0,
    base_sliders bigint not null default 0,
    base_residual_sum double precision not null default 0,
    base_residual_square_sum double precision not null default 0,
    fires bigint not null default 0,
    version bigint not null default 0,
    updated_at timestamptz not null default now(),
    primary key (organization_id, voter_id),
    constraint counters_count check (
        votes >= 0 and agreed between 0 and votes and sliders >= 0 and base_sliders >= 0 and fires >= 0
    ),
    constraint state_is_finite check (
        expected - expected = 0 and log_odds - log_odds = 0 and base_log_odds - base_log_odds = 0
        and slider_sum - slider_sum = 0 and slider_square_sum - slider_square_sum = 0
        and residual_sum - residual_sum = 0 and residual_square_sum - residual_square_sum = 0
        and base_residual_sum - base_residual_sum = 0 and base_residual_square_sum - base_residual_square_sum = 0
    )
) with (fillfactor = 70);

comment on table rating.voters is 'What is known of a rater: how they use sliders, and how far they agree with others.';
comment on column rating.voters.agreed is 'Votes for the item that was expected to win.';
comment on column rating.voters.expected is 'How many of the votes an honest rater would have agreed with.';
comment on column rating.voters.log_odds is
'What the votes and sliders say for an honest rater and against one who clicks at random: a sum of logarithms.';
comment on column rating.voters.base_log_odds is 'As it was before the period; the other base columns too.';
comment on column rating.voters.slider_sum is 'Of value − 50, as slider_square_sum is of its square: calibration.';
comment on column rating.voters.residual_sum is 'Of value − what the item''s other sliders led to expect.';

create table rating.item_scores (
    organization_id uuid not null references organizations.organizations on delete cascade,
    item_id rating.client_id not null,
    score double precision not null,
    rating_component double precision not null,
    slider_component double precision not null,
    fire_component double precision not null,
    reliability double precision not null,
    mean double precision not null,
    deviation double precision not null,
    confidence double precision not null,
    provisional boolean not null,
    votes bigint not null,
    sliders bigint not null,
    fires bigint not null,
    model rating.model not null,
    model_version text not null,
    published_at timestamptz not null default now(),
    primary key (organization_id, item_id),
    constraint shares_of_a_hundred check (
        score between 0 and 100 and rating_component between 0 and 100 and slider_component between 0 and 100
        and fire_component between 0 and 100 and confidence between 0 and 100
    ),
    constraint reliability_is_a_share check (reliability between 0 and 1)
) with (fillfactor = 70);

create index item_scores_by_score on rating.item_scores (organization_id, score desc, item_id);

comment on table rating.item_scores is 'The score of an item that everybody sees, with what it is made of.';
comment on column rating.item_scores.mean is
'The rating itself, in its own units; deviation is its standard deviation.';
comment on column rating.item_scores.confidence is 'From 0 to 100.';
comment on column rating.item_scores.reliability is
'Of the raters, from 0 to 1; what it does to the score is the model''s affair.';

create table rating.score_history (
    organization_id uuid not null,
    item_id rating.client_id not null,
    score double precision not null,
    mean double precision not null,
    deviation double precision not null,
    confidence double precision not null,
    provisional boolean not null,
    votes bigint not null,
    sliders bigint not null,
    fires bigint not null,
    model rating.model not null,
    model_version text not null,
    published_at timestamptz not null
) partition by range (published_at);

create table rating.score_history_default partition of rating.score_history default;
create index score_history_of_item on rating.score_history (organization_id, item_id, published_at);

comment on table rating.score_history is 'Every score that was ever published, as it was.';
