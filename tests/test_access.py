"""Keys and secrets: shown once, kept as digests, refused at once when revoked, and what links a secret still vouches for."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import OutputError
from engine.jobs.access import Access
from engine.jobs.home import Home
from engine.jobs.signing import SignatureRefused, Signer


@pytest.fixture
def home(tmp_path):
    return Home.open(tmp_path)


def test_a_key_leads_to_its_organisation_and_its_text_is_not_kept(home):
    access = Access(home)
    key, text = access.create_key("first")
    assert text.startswith("eng_")
    assert len(text) == 47
    assert access.identify(text) == access.organisation().id == key.org_id
    assert access.identify(text[:-1]) is None
    assert access.identify("") is None
    assert text not in home.access.read_text()
    assert stat.S_IMODE(home.access.stat().st_mode) == 0o600


def test_another_process_revokes_and_a_running_one_obeys(home):
    running, other = Access(home), Access(home)
    key, text = running.create_key("first")
    _, kept = running.create_key("second")
    assert running.identify(text)
    revoked = other.revoke(key.id)
    assert revoked.revoked_at
    assert running.identify(text) is None
    assert running.identify(kept)
    assert [one.revoked_at is None for one in running.all_keys()] == [False, True]
    assert other.revoke(key.id).revoked_at == revoked.revoked_at
    with pytest.raises(LookupError):
        other.revoke("key_none")


def test_organisations_are_apart(home):
    access = Access(home)
    _, own = access.create_key("own")
    _, foreign = access.create_key("foreign", "org_other")
    assert access.identify(own) != access.identify(foreign) == "org_other"


def test_a_damaged_file_is_named(home):
    home.access.write_text("{")
    with pytest.raises(OutputError, match=r"access\.json is damaged"):
        Access(home).all_keys()


def test_a_link_holds_until_it_expires_and_outlives_one_new_secret(home):
    access = Access(home)
    signer = Signer(access)
    query = _split(signer.sign("GET", "out_1", 2000))
    signer.check("GET", "out_1", query, 1999.0)
    signer.check("HEAD", "out_1", query, 1999.0)
    with pytest.raises(SignatureRefused, match="expired"):
        signer.check("GET", "out_1", query, 2000.0)
    access.rotate()
    signer.check("GET", "out_1", query, 1999.0)
    assert _split(signer.sign("GET", "out_1", 2000)) != query
    access.rotate()
    with pytest.raises(SignatureRefused, match="not valid"):
        signer.check("GET", "out_1", query, 1999.0)


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(Access(Home.open(tmp_path_factory.mktemp("home"))))


@quick
@given(st.sampled_from(["method", "place", "exp", "kid", "sig"]), st.text(max_size=70))
def test_whatever_is_changed_breaks_a_link(signer, part, other):
    query = _split(signer.sign("GET", "out_1", 2000))
    asked = {"method": "GET", "place": "out_1", **query}
    if other in (asked[part], "HEAD"):
        return
    asked[part] = other
    with pytest.raises(SignatureRefused):
        signer.check(asked.pop("method"), asked.pop("place"), asked, 0.0)


def _split(query):
    return dict(pair.split("=") for pair in query.split("&"))
