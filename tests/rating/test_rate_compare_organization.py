"""`make rate-compare FROM=organization` uses the events and the weights of that organization."""

import numpy as np
import pytest

from scripts import rate_compare, rate_events
from tests.kit import rating_tournament


@pytest.fixture
def played(db, server, database_name, monkeypatch):
    monkeypatch.setenv("DATABASE_OWNER_URL", server.url(database_name))
    played = rating_tournament.play(db, items=20, votes_per_item=40, raters=15, sliders_per_item=4)
    db.execute(
        "insert into rating.settings (organization_id, rating_weight, slider_weight, fire_weight) values (%s, 1, 0, 0)",
        [played.organization_id],
    )
    rating_tournament.play(db, seed=2, items=4, votes_per_item=10, raters=3)  # another organization
    return played


def test_organization_is_found_by_id_and_slug_with_all_its_events(played):
    slug = played.db.execute(
        "select slug from organizations.organizations where id = %s", [played.organization_id]
    ).fetchone()["slug"]

    for name in (str(played.organization_id), slug):
        found = rate_events.given(name)
        assert (found.items, found.voters) == (played.items, 15)
        assert (len(found.events.vote_id), len(found.events.slider_id)) == (400, 80)
        assert found.events.a_won.sum() == played.truth.events.a_won.sum()


def test_scores_use_the_weights_of_the_organization(played):
    found = rate_events.given(str(played.organization_id))

    scores = rate_compare._rated("bayes", found)

    assert np.allclose(scores.score, scores.rating_component)
    assert rate_compare._by_place(scores.mean, played.truth.strength) > 0.8


def test_unknown_organization_is_reported(played):
    with pytest.raises(rate_events.NothingToRate, match="no organization nobody"):
        rate_events.given("nobody")
