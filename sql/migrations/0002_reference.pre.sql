-- Reference data, filled here and read by everybody.

create table ref.currencies (
    code char(3) primary key constraint currency_code_is_iso_4217 check (code ~ '^[A-Z]{3}$'),
    name text not null,
    decimal_places smallint not null constraint decimal_places_are_few check (decimal_places between 0 and 4)
);

create table ref.countries (
    code char(2) primary key constraint country_code_is_iso_3166 check (code ~ '^[A-Z]{2}$'),
    name text not null,
    currency char(3) not null references ref.currencies
);

create table ref.timezones (
    name text primary key
);

comment on table ref.timezones is 'IANA names that this server knows; kept in step with it after each migration.';

create table ref.event_categories (
    slug text primary key constraint category_slug_is_plain check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    parent_slug text references ref.event_categories,
    name text not null
);

create index on ref.event_categories (parent_slug);

create table ref.languages (
    code char(2) primary key constraint language_code_is_iso_639 check (code ~ '^[a-z]{2}$'),
    name text not null,
    search_config regconfig not null
);

comment on column ref.languages.search_config is 'How PostgreSQL stems words of this language.';

insert into ref.currencies (code, name, decimal_places)
values
('AUD', 'Australian dollar', 2),
('CAD', 'Canadian dollar', 2),
('CHF', 'Swiss franc', 2),
('CZK', 'Czech koruna', 2),
('DKK', 'Danish krone', 2),
('EUR', 'Euro', 2),
('GBP', 'Pound sterling', 2),
('JPY', 'Yen', 0),
('NOK', 'Norwegian krone', 2),
('NZD', 'New Zealand dollar', 2),
('PLN', 'Polish zloty', 2),
('SEK', 'Swedish krona', 2),
('USD', 'United States dollar', 2);

insert into ref.countries (code, name, currency)
values
('AT', 'Austria', 'EUR'),
('AU', 'Australia', 'AUD'),
('BE', 'Belgium', 'EUR'),
('CA', 'Canada', 'CAD'),
('CH', 'Switzerland', 'CHF'),
('CZ', 'Czechia', 'CZK'),
('DE', 'Germany', 'EUR'),
('DK', 'Denmark', 'DKK'),
('ES', 'Spain', 'EUR'),
('FI', 'Finland', 'EUR'),
('FR', 'France', 'EUR'),
('GB', 'United Kingdom', 'GBP'),
('IE', 'Ireland', 'EUR'),
('IT', 'Italy', 'EUR'),
('JP', 'Japan', 'JPY'),
('LI', 'Liechtenstein', 'CHF'),
('LU', 'Luxembourg', 'EUR'),
('NL', 'Netherlands', 'EUR'),
('NO', 'Norway', 'NOK'),
('NZ', 'New Zealand', 'NZD'),
('PL', 'Poland', 'PLN'),
('PT', 'Portugal', 'EUR'),
('SE', 'Sweden', 'SEK'),
('US', 'United States', 'USD');

insert into ref.timezones (name)
select z.name
from pg_catalog.pg_timezone_names as z
where z.name ~ '^[A-Z]' and z.name !~ '^(posix|right)/';

insert into ref.languages (code, name, search_config)
values
('da', 'Danish', 'pg_catalog.danish'),
('de', 'German', 'pg_catalog.german'),
('en', 'English', 'pg_catalog.english'),
('es', 'Spanish', 'pg_catalog.spanish'),
('fi', 'Finnish', 'pg_catalog.finnish'),
('fr', 'French', 'pg_catalog.french'),
('it', 'Italian', 'pg_catalog.italian'),
('nl', 'Dutch', 'pg_catalog.dutch'),
('no', 'Norwegian', 'pg_catalog.norwegian'),
('pt', 'Portuguese', 'pg_catalog.portuguese'),
('sv', 'Swedish', 'pg_catalog.swedish');

insert into ref.event_categories (slug, parent_slug, name)
values
('fitness', null, 'Fitness'),
('yoga', 'fitness', 'Yoga'),
('pilates', 'fitness', 'Pilates'),
('dance', 'fitness', 'Dance'),
('music', null, 'Music'),
('concert', 'music', 'Concert'),
('festival', 'music', 'Festival'),
('arts', null, 'Arts'),
('theatre', 'arts', 'Theatre'),
('exhibition', 'arts', 'Exhibition'),
('learning', null, 'Learning'),
('workshop', 'learning', 'Workshop'),
('talk', 'learning', 'Talk'),
('food', null, 'Food and drink'),
('sport', null, 'Sport'),
('community', null, 'Community');
