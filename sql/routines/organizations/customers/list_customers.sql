-- organizations.list_customers: return a page of an organization's customers for its staff.
--
-- For front desk, accountants, editors, admins and owners. `q` has prefixes of words of the name, the address and the
-- phone number (organizations.query_words), and finds customers with all of them. Null filters nothing. Without words
-- and tag the list is ordered by name, otherwise by the first word that matches; then by the person's id. `key` and id
-- of the last row are the place after which the next page starts. Records the read in the access log.
--
-- Reads about one index entry for each row of the page. With several words, the rarest decides the order, by at most
-- 200 entries of each, and the others filter. Another plan would read all customers with a frequent prefix, so the
-- planner may only look rows up in the order of the index.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function organizations.list_customers(
    organization_id uuid,
    q text default null,
    tag text default null,
    blocked boolean default null,
    after_key text default null,
    after_id uuid default null,
    most integer default 100
)
returns table (answer jsonb, key text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        list_customers.organization_id, 'front_desk', 'accountant', 'editor', 'admin', 'owner'
    );
    prefixes constant text[] := organizations.query_words(list_customers.q);
    -- No word contains the greatest character, so it ends a range of prefixes. A tag matches as a whole.
    ends constant text[] := array(select w.word || U&'\+10FFFF' from unnest(prefixes) as w (word));
    from_key text := coalesce(list_customers.after_key, '');
    from_id uuid := coalesce(list_customers.after_id, '00000000-0000-0000-0000-000000000000');
    rows_most constant integer := least(list_customers.most, 10001);
    the_first text;
    the_end text;
    the_ids uuid[];
    the_keys text[];
begin
    if list_customers.q is null and list_customers.tag is null then
        if list_customers.blocked then
            select
                array_agg(c.customer_id order by c.sort_name, c.customer_id),
                array_agg(c.sort_name order by c.sort_name, c.customer_id)
            into the_ids, the_keys
            from (
                select c.customer_id, c.sort_name
                from organizations.customers as c
                where
                    c.organization_id = the_organization.id
                    and c.blocked_at is not null
                    and (c.sort_name, c.customer_id) > (from_key collate "C", from_id)
                order by c.sort_name, c.customer_id
                limit rows_most
            ) as c;
        else
            select
                array_agg(c.customer_id order by c.sort_name, c.customer_id),
                array_agg(c.sort_name order by c.sort_name, c.customer_id)
            into the_ids, the_keys
            from (
                select c.customer_id, c.sort_name
                from organizations.customers as c
                where
                    c.organization_id = the_organization.id
                    and (c.sort_name, c.customer_id) > (from_key collate "C", from_id)
                    and (list_customers.blocked is null or c.blocked_at is null)
                order by c.sort_name, c.customer_id
                limit rows_most
            ) as c;
        end if;
    elsif list_customers.q is null or prefixes <> '{}' then
        select r.first, r.until
        into the_first, the_end
        from (
            select w.first, w.until
            from unnest(prefixes, ends) as w (first, until)
            union all
            select '#' || list_customers.tag, '#' || list_customers.tag || U&'\0001'
            where list_customers.tag is not null
        ) as r
        cross join lateral (
            select count(*) as entries
            from (
                select
                from organizations.customer_words as w
                where
                    w.organization_id = the_organization.id
                    and w.word >= r.first collate "C"
                    and w.word < r.until collate "C"
                limit 200
            ) as w
        ) as e
        order by e.entries, length(r.first) desc, r.first
        limit 1;
        if from_key < the_first collate "C" then
            from_key := the_first;
            from_id := '00000000-0000-0000-0000-000000000000';
        end if;

        select
            array_agg(m.customer_id order by m.word, m.customer_id),
            array_agg(m.word order by m.word, m.customer_id)
        into the_ids, the_keys
        from (
            select w.customer_id, w.word
            from organizations.customer_words as w
            -- Looked up for one index entry after the other: `offset 0` prevents another order of the join.
            cross join lateral (
                select c.words, c.tags, c.blocked_at
                from organizations.customers as c
                where c.organization_id = w.organization_id and c.customer_id = w.customer_id
                offset 0
            ) as c
            where
                w.organization_id = the_organization.id
                -- The only lower bound: with two of them, the scan may start at the lower one.
                and (w.word, w.customer_id) > (from_key collate "C", from_id)
                and w.word < the_end collate "C"
                -- A customer with several matching words appears once, at the first of them.
                and w.word = (
                    select min(u.word collate "C")
                    from unnest(c.words) as u (word)
                    where u.word >= the_first collate "C" and u.word < the_end collate "C"
                )
                and not exists (
                    select
                    from unnest(prefixes) as k (word)
                    where not exists (
                        select from unnest(c.words) as u (word) where starts_with(u.word, k.word)
                    )
                )
                and (list_customers.tag is null or list_customers.tag = any (c.tags))
                and (list_customers.blocked is null or (c.blocked_at is not null) = list_customers.blocked)
            order by w.word, w.customer_id
            limit rows_most
        ) as m;
    end if;

    return query
    with recorded as materialized (
        select ops.add_accesses(
            operation => 'customers',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_organization.id, 'person', i.id, 'rows', 1
                ))
                from unnest(the_ids) as i (id)
            )
        )
    )

    select organizations.customer_answer(c, p), i.key
    from unnest(the_ids, the_keys) with ordinality as i (id, key, place)
    cross join recorded as r
    inner join organizations.customers as c on c.organization_id = the_organization.id and c.customer_id = i.id
    inner join users.profiles as p on p.id = c.customer_id and p.erased_at is null
    order by i.place;
end;
$$;

comment on function organizations.list_customers(uuid, text, text, boolean, text, uuid, integer) is
'Return a page of an organization''s customers for its staff.';

grant execute on function organizations.list_customers(uuid, text, text, boolean, text, uuid, integer)
to authenticated, service_role;
