"""Search by words: names, accents, prefixes, languages, ranks, and names that change."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import gateway, scheduling
from tests.kit.concurrency import InBackground
from tests.kit.databases import Connect
from tests.kit.scheduling import Database, World


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def search(**query: Any) -> gateway.Answer:
    answer = gateway.get("catalog", "/events", query=query)
    assert answer.status == 200, answer.text
    return answer


def titles(q: str, **query: Any) -> list[str]:
    return [event["title"] for event in search(q=q, **query).body["items"]]


def make_event(world: World, title: str, days: float = 3, **changes: Any) -> str:
    starts_at = datetime.now(UTC) + timedelta(days=days)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    return str(scheduling.make_event(world, title=title, **{**times, **changes})["id"])


def place(world: World, name: str, city: str = "Zürich") -> str:
    row = world.db.execute(
        "insert into organizations.locations (organization_id, name, city, country, time_zone)"
        " values (%s, %s, %s, 'CH', 'Europe/Zurich') returning id",
        [world.organization_id, name, city],
    ).fetchone()
    assert row is not None
    return str(row["id"])


def instructor(world: World, name: str) -> str:
    row = world.db.execute(
        "insert into organizations.instructors (organization_id, name) values (%s, %s) returning id",
        [world.organization_id, name],
    ).fetchone()
    assert row is not None
    return str(row["id"])


def test_search_finds_place_city_instructor_and_organizer(world: World) -> None:
    world.db.execute("update organizations.organizations set name = 'Riverside Studio' where id = %s",
                     [world.organization_id])  # fmt: skip
    make_event(
        world,
        "Evening",
        location_id=place(world, "Botanical Garden"),
        instructor_id=instructor(world, "Béatrice Ølund"),
    )

    for q in ("garden", "Botanical", "zurich", "Zürich", "Zuerich", "ZÜRICH", "beatrice", "olund", "riverside",
              "studio evening", "garden zurich beatrice"):  # fmt: skip
        assert titles(q) == ["Evening"], q
    assert titles("garden bern") == []


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Élève à l'école", ["eleve", "élève", "ELEVE", "ecole", "élèves"]),
        ("Straßenfest", ["strassenfest", "straßenfest", "STRASSENFEST", "strassen"]),
        ("Gärten für Anfänger", ["garten", "gärten", "gaerten", "anfanger", "für", "fur"]),
        ("Città e perché", ["citta", "perche", "PERCHÉ"]),
        ("Smørrebrød Łódź Œuvre ægir", ["smorrebrod", "lodz", "oeuvre", "aegir"]),
        ("Zu\u0308rich decomposed", ["zürich", "zurich", "zuerich"]),
        ("Café", ["cafe\u0301", "cafe", "caf"]),
        ("İstanbul ǅ ﬁlm", ["istanbul", "film"]),
    ],
)
@pytest.mark.parametrize("language", ["de", "en", "fr", "it"])
def test_accents_umlauts_and_sharp_s_are_folded(world: World, title: str, words: list[str], language: str) -> None:
    make_event(world, title, language=language)

    assert {q: titles(q) for q in words} == {q: [title] for q in words}


@pytest.mark.parametrize(
    ("language", "title", "words"),
    [
        ("en", "Running classes", ["run", "runs", "class"]),
        ("de", "Konzerte im Park", ["Konzert", "Konzerten", "Parks"]),
        ("fr", "Cours de cuisines françaises", ["cuisine", "francaise", "cours de cuisine"]),
        ("it", "Lezioni di canto", ["lezione", "canti", "lezioni di canto"]),
    ],
)
def test_words_are_stemmed_in_four_languages(world: World, language: str, title: str, words: list[str]) -> None:
    make_event(world, title, language=language)

    assert {q: titles(q) for q in words} == {q: [title] for q in words}


def test_words_of_several_languages_and_places_can_be_mixed(world: World) -> None:
    make_event(world, "Konzerte", language="de", location_id=place(world, "Botanical Gardens", "Genève"))

    for q in ("konzert garden", "Konzert geneve", "the konzert in the gardens"):
        assert titles(q) == ["Konzerte"], q


def test_last_word_is_a_prefix(world: World) -> None:
    make_event(world, "Photography workshop")

    for q in ("ph", "photog", "photograp", "photography wo", "photography workshops", "Photography WORK"):
        assert titles(q) == ["Photography workshop"], q
    for q in ("photog workshop", '"photog"', "p", "photographyx"):
        assert titles(q) == [], q
    assert titles("workshop -photo") == ["Photography workshop"]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Yoga/Pilates", ["yoga", "pilates", "pila", "yoga/pilates", "yoga / pilates", "yoga pilates", "pilates/yoga",
                          '"yoga pilates"', "yoga/pil"]),
        ("AC/DC night", ["ac", "dc", "ac/dc", "ac dc night", "AC-DC"]),
        ("foo.bar talk", ["foo", "bar", "foo.bar", "bar.foo", "foo bar", "bar talk"]),
        ("info@barre.example", ["info", "barre", "info@barre.example", "barre.exam"]),
        ("a:one_two+three~four", ["one", "two", "three", "four", "one_two", "three+four"]),
        ("http://x.example/yoga?mat=own", ["yoga", "mat", "http://x.example/yoga"]),
        ("Tai Chi", ["tai-chi", "Tai‑Chi", "tai-ch", '"tai-chi"', "tai / chi", "tai – chi"]),
        ("Hot-Yoga", ["hot-yoga", "hot-yog", "hot yoga", "yog", "Hot–Yoga"]),
        ("Trick-or-treat", ["trick-or-treat", "trick treat", "treat", "trick-or-tre"]),
        ("L'été à l’école d’Annecy", ["été", "l'été", "l’ete", "ecole", "l'école", "annecy", "d'ann"]),
        ("Rock'n'roll with O'Brien", ["rock'n'roll", "rock n roll", "o'brien", "o'bri", "brien"]),
        ("Foo／Bar…Baz", ["foo", "bar", "baz", "foo／bar"]),
        ("Piano—Violin «Duo»", ["piano", "violin", "duo", "piano-violin", "«duo»"]),
        ("Pho\u00adto\u200bgraphy", ["photography", "photog"]),
        ("3.14 -5 1/2 2024-05-06", ["3.14", "14", "5", "1/2", "2024", "06", "2024-05-06"]),
    ],
)  # fmt: skip
def test_parts_of_joined_words_are_words(world: World, title: str, words: list[str]) -> None:
    make_event(world, title)
    make_event(world, "Another")

    assert {q: titles(q) for q in words} == {q: [title] for q in words}


@pytest.mark.parametrize("joined", ["Yoga/Pilates", "Yoga-Pilates", "yoga.pilates", "Yoga_Pilates", "Yoga Pilates"])
def test_joined_words_are_excluded_by_each_part(world: World, joined: str) -> None:
    make_event(world, joined)
    make_event(world, "Pilates", days=4)

    assert titles("-yoga") == titles("pilates -yoga") == ["Pilates"]
    assert titles("-pilates") == []
    for q in ("pilates -yoga/pilates", "pilates -yoga-pilates", 'pilates -"yoga pilates"', "pilates --yoga"):
        assert titles(q) == ["Pilates"], q
    assert titles("pilates -pilates-yoga") == [joined, "Pilates"]


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Zürich", ["zürich", "zurich", "zuerich", "Zu\u0308rich", "ZUERICH", "zür", "zuer", "zur"]),
        ("Zuerich", ["zürich", "zurich", "zuerich", "ZÜRICH", "Zu\u0308rich", "zür", "zuer", "zur"]),
        ("Zurich", ["zürich", "zurich", "zuerich", "Zu\u0308rich", "zür", "zuer"]),
        ("Baeckerhöfe", ["bäckerhöfe", "baeckerhoefe", "Bäckerhöf", "backerhofe"]),
        ("Bäckerhöfe", ["bäckerhöfe", "baeckerhoefe", "backerhofe"]),
        ("Baeckerhoefe", ["bäckerhöfe", "baeckerhoefe", "backerhofe", "Bäckerhöf", "backerhof"]),
        ("Steuerräume", ["steuerräume", "steuerraeume", "steuerraume", "steu"]),
        ("Steuerraeume", ["steuerräume", "steuerraeume", "steuerraume", "steu"]),
        ("Straße", ["strasse", "straße", "STRASSE", "STRAẞE", "straß"]),
        ("Strasse", ["strasse", "straße", "STRAẞE", "straß"]),
    ],
)
@pytest.mark.parametrize("language", ["de", "en"])
def test_umlauts_and_two_letters_find_each_other(
    world: World, written: str, searched: list[str], language: str
) -> None:
    title = f"{written} walk"
    make_event(world, title, language=language)

    for q in searched:
        assert titles(q) == [title], q
        if len(q) > 4:
            assert titles(f"walk -{q}") == [], q
            assert titles(f"{q} walk") == titles(f"walk {q}") == titles(f"walk or {q}") == [title], q
            assert titles(f'"{q} walk"') == [title], q


def test_word_that_ends_in_two_letters_of_an_umlaut_is_a_prefix_as_written(world: World) -> None:
    make_event(world, "Blur")
    make_event(world, "Blues", days=4)

    assert titles("blue") == ["Blues"]
    assert titles("blu") == ["Blur", "Blues"]


def test_phrases_find_neighbours_in_their_order_within_one_text(world: World) -> None:
    here = place(world, "Haus zum Löwen", "Genève")
    world.db.execute("update organizations.organizations set name = 'Riverside' where id = %s", [world.organization_id])
    make_event(
        world,
        "Morning Zürich classes",
        category="yoga",
        location_id=here,
        instructor_id=instructor(world, "Ana Ølund"),
        description="Bring friends and a mat.",
    )
    found = ["Morning Zürich classes"]

    for q in ('"morning zurich"', '"zürich classes"', '"zuerich classes"', '"morning zürich classes"', '"haus zum"',
              '"zum Loewen"', '"zum löwen"', '"ana olund"', '"friends and a mat"', '"class"'):  # fmt: skip
        assert titles(q) == found, q
    for q in ('"zurich morning"', '"classes zurich"', '"classes morning"', '"zuerich morning"', '"morning classes"',
              '"classes yoga"', '"yoga haus"', '"classes haus"', '"lowen geneve"', '"löwen genève"', '"geneve ana"',
              '"olund riverside"', '"riverside bring"', '"lowen zum"', '"mat friends"'):  # fmt: skip
        assert titles(q) == [], q
        assert titles(f"morning -{q}") == found, q


def test_phrases_are_found_at_the_end_of_a_long_description(world: World) -> None:
    make_event(world, "Many words", description="x " * 2400 + "the very end")

    assert titles('"very end"') == ["Many words"]
    assert titles('"end very"') == []


def test_title_ranks_before_names_and_names_before_descriptions(world: World) -> None:
    make_event(world, "Described", days=1, description="A walk through the garden.")
    make_event(world, "At the place", days=2, location_id=place(world, "Garden"))
    make_event(world, "Gardening", days=3)
    make_event(world, "Garden party", days=5)
    make_event(world, "Garden late", days=6)
    make_event(world, "Gardenia", days=4)

    found = titles("garden")

    assert found == ["Gardening", "Garden party", "Garden late", "Gardenia", "At the place", "Described"]


def test_pages_of_ranked_results_list_every_event_once(world: World) -> None:
    here = place(world, "Yoga loft")
    for number in range(7):
        make_event(world, f"Yoga {number}", days=10 - number)
        make_event(world, f"Place {number}", days=10 - number, location_id=here)
        make_event(world, f"Text {number}", days=10 - number, description="yoga")
        make_event(world, f"Yogalates {number}", days=10 - number)
    whole = [event["id"] for event in search(q="yoga", limit=100).body["items"]]

    for limit in (1, 3, 5, 27, 28):
        seen, cursor = [], None
        while True:
            page = search(q="yoga", limit=limit, cursor=cursor).body
            seen += [event["id"] for event in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            if len(seen) == limit:  # a page is stable while others change
                make_event(world, "Yoga before", days=0.5)
        assert seen == whole, limit
        world.db.execute("delete from events.events where title = 'Yoga before'")


def test_cursor_of_another_kind_of_search_is_refused(world: World) -> None:
    for number in range(3):
        make_event(world, f"Yoga {number}")
    ranked = search(q="yoga", limit=1).body["next_cursor"]
    plain = search(limit=1).body["next_cursor"]

    assert gateway.get("catalog", "/events", query={"cursor": ranked}).status == 422
    assert gateway.get("catalog", "/events", query={"cursor": plain, "q": "yoga"}).status == 422


@pytest.mark.parametrize("q", ["-yoga", "yoga -hot", "-hot -slow", "hot or slow", "yoga or -hot", '"hot yoga" or jazz'])
def test_excluded_words_exclude_words_anywhere(world: World, q: str) -> None:
    make_event(world, "Hot yoga")
    make_event(world, "Yoga", days=4, description="Not hot at all.")
    make_event(world, "Jazz", days=5)
    make_event(world, "Slow jazz", days=6)

    assert (
        sorted(titles(q))
        == {
            "-yoga": ["Jazz", "Slow jazz"],
            "yoga -hot": [],
            "-hot -slow": ["Jazz"],
            "hot or slow": ["Hot yoga", "Slow jazz", "Yoga"],
            "yoga or -hot": ["Hot yoga", "Jazz", "Slow jazz", "Yoga"],
            '"hot yoga" or jazz': ["Hot yoga", "Jazz", "Slow jazz"],
        }[q]
    )


@pytest.mark.parametrize("q", ["the", "a", "-", "--", "or", "or or", '"', '""', "'", "\\", "a\\'b", "*", ":*", "<->",
                               "yoga:*", "yoga:A", "!yoga", "(yoga", "a" * 200, "é" * 200, "x " * 100, "ß", "\u0301",
                               "-\u0301", "日本", "🎷", "a-b-c-d", "http://x.example/y?z=1", "3.14", "-3"])  # fmt: skip
def test_search_accepts_every_text(world: World, q: str) -> None:
    make_event(world, "Yoga class", description="a-b-c-d http://x.example/y?z=1 3.14")

    search(q=q)


@pytest.mark.parametrize("window", [{}, {"to": "9999-12-30T00:00:00Z"}, {"to": "0001-01-02T00:00:00Z"}])
def test_search_before_the_first_event_finds_nothing(world: World, window: dict[str, str]) -> None:
    for query in ({}, {"q": "-1"}, {"q": "yoga"}, {"q": "yo -1"}, {"city": "Olten"}, {"availability": "available"},
                  {"availability": "full", "q": "yo"}, {"availability": "unlimited"}):  # fmt: skip
        assert search(**query, **window).body["items"] == [], query


def test_filter_by_city_folds_accents(world: World) -> None:
    for number, written in enumerate(("Zürich", "Zurich", "Zuerich"), 1):
        make_event(world, written, days=number, location_id=place(world, "Hall", written))

    for city in ("zurich", "ZÜRICH", "Zürich", "Zu\u0308rich", "Zuerich"):
        found = [event["title"] for event in search(city=city).body["items"]]
        assert found == ["Zürich", "Zurich", "Zuerich"], city


def test_event_that_has_begun_is_never_found(world: World) -> None:
    event_id = make_event(world, "Evening")
    make_event(world, "Later", days=4)
    world.db.execute(
        "update events.events set starts_at = now() - interval '5 minutes', ends_at = now() + interval '1 hour'"
        " where id = %s",
        [event_id],
    )
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    for query in ({}, {"q": "evening or later"}, {"availability": "available"}, {"city": "Zurich"}):
        for window in ({}, {"from": since}):
            assert "Evening" not in [event["title"] for event in search(**query, **window).body["items"]]
    assert [event["title"] for event in search(**{"from": since}).body["items"]] == ["Later"]


RENAMES = [
    ("organizations.organizations", "organization_id", "name", "Riverside"),
    ("organizations.locations", "location_id", "name", "Riverside"),
    ("organizations.locations", "location_id", "city", "Riverside"),
    ("organizations.instructors", "instructor_id", "name", "Riverside"),
]


@pytest.mark.parametrize(("table", "member", "column", "name"), RENAMES)
def test_renamed_names_are_found_at_once(world: World, table: str, member: str, column: str, name: str) -> None:
    ids = {"location_id": place(world, "Hall", "Olten"), "instructor_id": instructor(world, "Ana")}
    make_event(world, "Evening", **ids)
    wanted = {"organization_id": str(world.organization_id), **ids}[member]
    assert titles("riverside") == []

    world.db.execute(f"update {table} set {column} = %s where id = %s", [name, wanted])

    assert titles("riverside") == ["Evening"]
    if column == "city":
        assert [event["title"] for event in search(city="riverside").body["items"]] == ["Evening"]
    world.db.execute(f"update {table} set {column} = 'Elsewhere' where id = %s", [wanted])
    assert (titles("riverside"), titles("elsewhere")) == ([], ["Evening"])


def test_rename_writes_a_bounded_number_of_listings_and_queues_the_others(world: World) -> None:
    here = place(world, "Hall", "Olten")
    world.db.execute(
        """
        insert into events.events (
            starts_at, ends_at, organization_id, location_id, title, language, time_zone, currency, policy
        )
        select
            now() + n * interval '1 hour', now() + n * interval '1 hour' + interval '1 hour', %s, %s, 'Evening ' || n,
            'en', 'Europe/Zurich', 'CHF', '{}'
        from generate_series(1, 450) as n
        """,
        [world.organization_id, here],
    )
    world.db.execute(
        "insert into events.inventory (event_id, capacity) select t.event_id, 9 from events.terms as t"
        " where not exists (select from events.inventory as i where i.event_id = t.event_id)"
    )
    world.db.execute("update organizations.locations set name = 'Riverside' where id = %s", [here])
    count = "select count(*) as n from events.listings where lexemes @@ '''n:riverside'''"
    queued = "select count(*) as n from events.stale_listings"
    at_once, rest = world.db.execute(count).fetchone(), world.db.execute(queued).fetchone()

    answer = gateway.invoke("maintain", {"job": "refresh_listings"})

    assert (at_once, rest) == ({"n": 200}, {"n": 250})
    assert (answer["done"], answer["more"]) == (250, False)
    assert (world.db.execute(count).fetchone(), world.db.execute(queued).fetchone()) == ({"n": 450}, {"n": 0})


def wait_for_end_or_lock(db: Database, thread: InBackground) -> None:
    waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    until = time.monotonic() + 30
    while thread.is_alive() and not db.execute(waiting).fetchall():
        assert time.monotonic() < until
        time.sleep(0.01)


def expected_names(db: Database, event_id: str) -> bool:
    """Return whether the listing has the present names."""
    row = db.execute(
        """
        select l.lexemes @@ plainto_tsquery('simple', events.folded(concat_ws(' ', o.name, p.name))) as fits
        from events.listings as l
        inner join organizations.organizations as o on o.id = l.organization_id
        left join organizations.locations as p on p.id = l.location_id
        where l.event_id = %s
        """,
        [event_id],
    ).fetchone()
    assert row is not None
    return bool(row["fits"])


@pytest.mark.parametrize("edit", ["title", "location_id", "new"])
@pytest.mark.parametrize("first", ["edit", "rename"])
def test_listing_has_the_new_name_when_an_edit_and_a_rename_overlap(
    world: World, connect: Connect, edit: str, first: str
) -> None:
    here = place(world, "Hall", "Olten")
    event_id = make_event(world, "Evening", location_id=None if edit == "location_id" else here)
    editor, renamer = connect(), connect()
    new_id = uuid4()

    def change() -> None:
        if edit == "new":
            editor.execute(
                "insert into events.events (id, starts_at, ends_at, organization_id, location_id, title, language,"
                " time_zone, currency, policy) values (%s, now() + interval '1 day', now() + interval '2 days', %s, %s,"
                " 'New', 'en', 'Europe/Zurich', 'CHF', '{}')",
                [new_id, world.organization_id, here],
            )
            editor.execute("insert into events.inventory (event_id, capacity) values (%s, 5)", [new_id])
        elif edit == "title":
            editor.execute("update events.events set title = 'Later' where id = %s", [event_id])
        else:
            editor.execute("update events.events set location_id = %s where id = %s", [here, event_id])

    def rename() -> None:
        renamer.execute("update organizations.locations set name = 'Riverside' where id = %s", [here])

    holder, (begin, follow) = (editor, (change, rename)) if first == "edit" else (renamer, (rename, change))
    with holder.transaction():
        begin()
        second = InBackground(follow)
        wait_for_end_or_lock(world.db, second)
    second.got()
    gateway.invoke("maintain", {"job": "refresh_listings"})

    assert expected_names(world.db, str(new_id) if edit == "new" else event_id)


def test_full_event_is_found_by_its_new_words(world: World) -> None:
    here = place(world, "Hall", "Olten")
    event_id = make_event(world, "Evening", location_id=here, capacity=1)
    scheduling.book(world, event_id, world.customer)
    assert titles("hall evening", availability="full") == ["Evening"]

    world.db.execute("update organizations.locations set name = 'Riverside' where id = %s", [here])
    world.db.execute("update events.events set title = 'Sunrise', category = 'yoga' where id = %s", [event_id])

    assert titles("riverside sunrise", availability="full", category="yoga") == ["Sunrise"]
    assert titles("hall", availability="full") == titles("evening", availability="full") == []
    assert titles("sunrise", availability="filling") == titles("sunrise", availability="available") == []


def test_event_that_fills_during_a_rename_is_found_by_the_new_name(world: World, connect: Connect) -> None:
    here = place(world, "Hall", "Olten")
    event_id = make_event(world, "Evening", location_id=here, capacity=1)
    renamer = connect()

    with renamer.transaction():
        renamer.execute("update organizations.locations set name = 'Riverside' where id = %s", [here])
        scheduling.book(world, event_id, world.customer)  # does not wait for the rename
    gateway.invoke("maintain", {"job": "refresh_listings"})

    assert titles("riverside", availability="full") == ["Evening"]
    assert titles("hall", availability="full") == []


def test_rename_during_the_booking_of_the_last_seat_is_queued(world: World, connect: Connect) -> None:
    here = place(world, "Hall", "Olten")
    event_id = make_event(world, "Evening", location_id=here, capacity=1)
    booker = connect()

    with booker.transaction():
        booker.execute("update events.inventory set taken = 1 where event_id = %s", [event_id])
        world.db.execute("update organizations.locations set name = 'Riverside' where id = %s", [here])
    gateway.invoke("maintain", {"job": "refresh_listings"})

    assert titles("riverside", availability="full") == ["Evening"]
    assert titles("hall", availability="full") == []


def test_listings_equal_public_scheduled_events_through_their_life(world: World) -> None:
    event_id = make_event(world, "Evening")
    listed = "select count(*) as n from events.listings where event_id = %s"

    def is_listed() -> bool:
        return world.db.execute(listed, [event_id]).fetchone() == {"n": 1}

    assert is_listed()
    for column, value, expected in [
        ("visibility", "private", False), ("visibility", "public", True), ("status", "draft", None),
    ]:  # fmt: skip
        if expected is not None:
            world.db.execute(f"update events.events set {column} = %s where id = %s", [value, event_id])
            assert is_listed() == expected
    world.db.execute(
        "update events.events set starts_at = starts_at + interval '70 days', ends_at = ends_at + interval '70 days'"
        " where id = %s",
        [event_id],
    )
    moved = world.db.execute(
        "select l.starts_at = e.starts_at as same from events.listings as l, events.events as e"
        " where e.id = l.event_id and l.event_id = %s",
        [event_id],
    ).fetchone()
    assert moved == {"same": True}
    world.db.execute("update events.inventory set capacity = null where event_id = %s", [event_id])
    assert [event["title"] for event in search(availability="unlimited").body["items"]] == ["Evening"]
    world.db.execute("delete from events.events where id = %s", [UUID(event_id)])
    assert not is_listed()


def test_booking_writes_no_listing(world: World) -> None:
    event_id = make_event(world, "Evening", capacity=2)
    version = "select xmin::text as xmin, ctid::text as ctid from events.listings where event_id = %s"
    before = world.db.execute(version, [event_id]).fetchone()

    scheduling.book(world, event_id, world.customer, 2)
    scheduling.wait(world, event_id, world.second_customer)

    assert world.db.execute(version, [event_id]).fetchone() == before
    assert search(q="evening", availability="full").body["items"][0]["seats_left"] == 0


@pytest.mark.own_database  # the statistics of a table outlive its rows
def test_booking_updates_the_inventory_in_place(world: World) -> None:
    event_id = make_event(world, "Evening", capacity=100)
    name = "events.inventory"
    people = [world.customer, world.second_customer, world.stranger]
    world.db.execute("select pg_stat_force_next_flush()")
    for person in people:
        scheduling.book(world, event_id, person)
    world.db.execute("select pg_stat_force_next_flush()")

    row = world.db.execute(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_all_tables where relid = %s::regclass", [name]
    ).fetchone()

    assert row is not None
    assert row["n_tup_upd"] == row["n_tup_hot_upd"] == len(people)


def test_missing_listings_are_written_after_a_migration(world: World, db: psycopg.Connection[Any]) -> None:
    make_event(world, "Evening")
    db.execute("truncate events.listings")
    db.execute("select events.queue_missing_listings()")

    row = db.execute("select ops.continue_migration() as more").fetchone()

    assert row == {"more": False}
    assert titles("evening") == ["Evening"]
