-- organizations.index_customer: keep organizations.customer_words equal to a customer's words.

create or replace function organizations.index_customer()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' then
        if new.words = old.words then
            return null;
        end if;
        delete from organizations.customer_words as w
        where
            w.customer_id = new.customer_id
            and w.organization_id = new.organization_id
            and w.word <> all (new.words);
    end if;

    insert into organizations.customer_words (organization_id, word, customer_id)
    select new.organization_id, w.word, new.customer_id
    from unnest(new.words) as w (word)
    on conflict do nothing;
    return null;
end;
$$;

create or replace trigger index_customer after insert or update on organizations.customers
for each row execute function organizations.index_customer();
