"""Test for the structural faults that Supabase's linter (splinter) reports, where they can exist here.

Each check is a query that returns the faulty objects. A second test creates a fault that the query must find.
EXCEPTIONS lists the allowed cases with their reason. The files in tests/database/walk list all grants.
"""

from dataclasses import dataclass

import pytest

from tests.kit.walk import catalog


@dataclass(frozen=True, slots=True)
class Check:
    """A query that returns faulty objects, a fault, and the name by which the query must find it."""

    name: str
    query: str
    fault: str
    found: str


UNPINNED = {
    "payments.hash_link(bytea,bytea)": "runs for each entry of the ledger; see test_owner_code",
}

TABLE = "create table ops.novelty (id bigint primary key, person_id uuid); "
SECURED = TABLE + "alter table ops.novelty enable row level security; "
READ = "grant select on ops.novelty to authenticated; "
OWN = "(person_id = (select ops.caller_id()))"

CHECKS = (
    Check(
        "a table has row security",
        """
        select t.oid::regclass::text from pg_class as t inner join OURS as n on n.oid = t.relnamespace
        where t.relkind in ('r', 'p') and not t.relrowsecurity
        """,
        TABLE,
        "ops.novelty",
    ),
    Check(
        "a table with policies has row security",
        """
        select distinct t.oid::regclass::text from pg_policy as l inner join pg_class as t on t.oid = l.polrelid
        where not t.relrowsecurity
        """,
        TABLE + f"create policy own on ops.novelty for select to authenticated using {OWN}",
        "ops.novelty",
    ),
    Check(
        "a table with grants has a policy",
        """
        select t.oid::regclass::text
        from pg_class as t
        inner join OURS as n on n.oid = t.relnamespace
        cross join unnest(array['anon', 'authenticated', 'service_role']) as r (role)
        where
            t.relkind in ('r', 'p')
            and has_table_privilege(r.role, t.oid, 'select, insert, update, delete')
            and not exists (select from pg_policy as l where l.polrelid = t.oid)
        """,
        SECURED + READ,
        "ops.novelty",
    ),
    Check(
        "a policy is for a role with grants on the table",
        """
        select distinct format('%s %s', l.polname, t.oid::regclass)
        from pg_policy as l
        inner join pg_class as t on t.oid = l.polrelid
        where not exists (
            select
            from unnest(case when l.polroles = '{0}' then array['anon'::regrole::oid] else l.polroles end) as m (oid)
            where has_table_privilege(m.oid, t.oid, case l.polcmd
                when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                else 'select, insert, update, delete'
            end)
        )
        """,
        SECURED + f"create policy own on ops.novelty for select to authenticated using {OWN}",
        "own ops.novelty",
    ),
    Check(
        "a policy evaluates the caller once and not for each row",
        """
        select format('%s %s', l.policyname, format('%I.%I', l.schemaname, l.tablename)::regclass)
        from pg_policies as l
        where
            replace(concat_ws(' ', l.qual, l.with_check), 'SELECT ops.', '')
            ~ '(ops|public)\\.(claims|caller_id|caller_is_service|user_orgs|current_org_id)\\(|current_setting\\('
        """,
        SECURED + READ + "create policy own on ops.novelty for select to authenticated "
        "using (person_id = ops.caller_id())",
        "own ops.novelty",
    ),
    Check(
        "a policy for writing has a condition, except for the service",
        """
        select format('%s %s', l.polname, l.polrelid::regclass) from pg_policy as l
        where
            l.polcmd in ('a', 'w', 'd', '*')
            and l.polroles <> array['service_role'::regrole::oid]
            and 'true' in (pg_get_expr(l.polqual, l.polrelid), pg_get_expr(l.polwithcheck, l.polrelid))
        """,
        SECURED + "grant insert on ops.novelty to authenticated; "
        "create policy any_insert on ops.novelty for insert to authenticated with check (true)",
        "any_insert ops.novelty",
    ),
    Check(
        "a view runs with its reader's rights",
        """
        select v.oid::regclass::text from pg_class as v inner join OURS as n on n.oid = v.relnamespace
        where v.relkind = 'v' and not coalesce(v.reloptions, '{}') @> array['security_invoker=true']
        """,
        "create view ops.novelty as select 1 as one",
        "ops.novelty",
    ),
    Check(
        "no role can read a materialized view or a foreign table, because they have no row security",
        """
        select v.oid::regclass::text from pg_class as v inner join OURS as n on n.oid = v.relnamespace
        where
            v.relkind in ('m', 'f')
            and (
                has_table_privilege('anon', v.oid, 'select')
                or has_table_privilege('authenticated', v.oid, 'select')
                or has_table_privilege('service_role', v.oid, 'select')
            )
        """,
        "create materialized view ops.novelty as select 1 as one; grant select on ops.novelty to service_role",
        "ops.novelty",
    ),
    Check(
        "a security definer routine pins its search path with pg_temp last",
        """
        select p.oid::regprocedure::text from pg_proc as p inner join OURS as n on n.oid = p.pronamespace
        where p.prosecdef and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
        """,
        "create function ops.novelty() returns int language sql security definer set search_path = '' as 'select 1'",
        "ops.novelty()",
    ),
    Check(
        "a routine has a parsed body or pins its search path",
        """
        select p.oid::regprocedure::text from pg_proc as p inner join OURS as n on n.oid = p.pronamespace
        where
            p.prosqlbody is null and p.prokind in ('f', 'p')
            and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
            -- PostgreSQL makes the constructors of a range type itself.
            and not exists (
                select from pg_depend as d
                where
                    d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i'
                    and d.refclassid = 'pg_type'::regclass
            )
        """,
        "create function ops.novelty() returns int language sql as 'select 1'",
        "ops.novelty()",
    ),
    Check(
        "no routine is executable by public",
        """
        select p.oid::regprocedure::text from pg_proc as p inner join OURS as n on n.oid = p.pronamespace
        where p.proacl is null or exists (select from aclexplode(p.proacl) as a where a.grantee = 0)
        """,
        "create function ops.novelty() returns int language sql return 1; "
        "grant execute on function ops.novelty() to public",
        "ops.novelty()",
    ),
    Check(
        "no schema grants a privilege to public",
        """
        select format('%s %s', n.nspname, a.privilege_type)
        from pg_namespace as n
        inner join OURS as o on o.oid = n.oid
        cross join aclexplode(n.nspacl) as a
        where a.grantee = 0
        """,
        "grant usage on schema ops to public",
        "ops USAGE",
    ),
    Check(
        "only the owner can create temporary objects",
        """
        select r.role
        from unnest(array['anon', 'authenticated', 'service_role', 'marquee_public', 'marquee_people',
            'marquee_service']) as r (role)
        where has_database_privilege(r.role, current_database(), 'temporary, create')
        """,
        "do $$ begin execute format('grant temporary on database %I to anon', current_database()); end $$",
        "anon",
    ),
    Check(
        "no default or generated column calls a security definer routine",
        """
        select format('%s.%s calls %s', d.adrelid::regclass, a.attname, p.oid::regprocedure)
        from pg_attrdef as d
        inner join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
        inner join pg_class as t on t.oid = d.adrelid
        inner join pg_depend as e on e.classid = 'pg_attrdef'::regclass and e.objid = d.oid
        inner join pg_proc as p on e.refclassid = 'pg_proc'::regclass and e.refobjid = p.oid
        inner join OURS as n on n.oid = p.pronamespace
        where not t.relispartition and p.prosecdef
        """,
        "create function ops.novel() returns int language sql security definer return 1; "
        "create table ops.novelty (id int default ops.novel())",
        "ops.novelty.id calls ops.novel()",
    ),
    Check(
        "no extension is installed in our schemas",
        """
        select e.extname from pg_extension as e inner join OURS as n on n.oid = e.extnamespace
        """,
        "create extension vector schema ops",
        "vector",
    ),
    Check(
        "a table has a primary key",
        """
        select t.oid::regclass::text from pg_class as t inner join OURS as n on n.oid = t.relnamespace
        where
            t.relkind in ('r', 'p') and not t.relispartition
            and not exists (select from pg_index as i where i.indrelid = t.oid and i.indisprimary)
        """,
        "create table ops.novelty (id int)",
        "ops.novelty",
    ),
    Check(
        "no two indexes are the same",
        """
        select min(i.indexrelid::regclass::text)
        from pg_index as i
        inner join pg_class as t on t.oid = i.indrelid
        inner join OURS as n on n.oid = t.relnamespace
        where not t.relispartition
        group by
            i.indrelid, i.indkey, i.indclass, i.indoption, i.indcollation, pg_get_expr(i.indpred, i.indrelid),
            pg_get_expr(i.indexprs, i.indrelid)
        having count(*) > 1
        """,
        TABLE + "create index one on ops.novelty (person_id); create index two on ops.novelty (person_id)",
        "ops.one",
    ),
)

EXCEPTIONS: dict[str, dict[str, str]] = {
    "a table has a primary key": {
        "ops.performance_metrics": "measurements that are never looked up one by one",
        "rating.score_history": "scores that are never looked up one by one",
    },
    "a routine has a parsed body or pins its search path": UNPINNED,
}


def named(db, check: Check) -> set[str]:
    rows = db.execute(check.query.replace("OURS", catalog.OURS)).fetchall()
    return {value for row in rows for value in row.values()}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_database_has_no_fault(rolled_back, check):
    assert named(rolled_back, check) == EXCEPTIONS.get(check.name, {}).keys()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_detects_its_fault(rolled_back, check):
    before = named(rolled_back, check)

    rolled_back.execute(check.fault)

    assert named(rolled_back, check) - before == {check.found}
