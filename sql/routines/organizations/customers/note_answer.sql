-- organizations.note_answer: return a note about a customer as the API shows it.

create or replace function organizations.note_answer(note organizations.customer_notes)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', (note_answer.note).id,
        'customer_id', (note_answer.note).customer_id,
        'note', (note_answer.note).note,
        'author_id', (note_answer.note).author_id,
        'author_name', (select p.name from users.profiles as p where p.id = (note_answer.note).author_id),
        'created_at', (note_answer.note).created_at
    );
$$;

comment on function organizations.note_answer(organizations.customer_notes) is
'Return a note about a customer as the API shows it.';
