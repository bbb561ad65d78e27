"""Changed rules reach everybody, and a change that would move too many people waits for somebody's word."""

import json
from typing import Any

import pytest
from builders import NOON, an_event, an_order
from shoppers import Shop
from world import client, lambda_context, read_queue

import functions.publish_rules.app as publish_rules
from cartwake import live
from cartwake.bundles import Bundle
from cartwake.segments import is_member
from cartwake.store import bundles, profiles, runs, sweeps
from cartwake.sweeps import SweepKind
from cartwake.times import DAY, MINUTE, SECOND

SETTINGS: dict[str, Any] = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "limits": {"moved_people": 2},
}
MAIL = """<mjml><mj-head><mj-title>T</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
HELLO = {"name": "H", "status": "live", "trigger": {"segment": "buyers"}, "steps": [{"email": "hello"}]}
WHOS = [f"u#{index}" for index in range(6)]
FILE = "segments/buyers.json"


def buyers(at_least: int) -> dict[str, Any]:
    return {"name": "Buyers", "where": {"did": "Order Completed", "at_least": at_least}}


def put(key: str, content: Any = "") -> None:
    body = json.dumps(content) if isinstance(content, dict) else content
    client("s3").put_object(Bucket="rules-bucket", Key=key, Body=body)


def delete(key: str) -> None:
    client("s3").delete_object(Bucket="rules-bucket", Key=key)


def get(key: str) -> Any:
    return json.loads(client("s3").get_object(Bucket="rules-bucket", Key=key)["Body"].read())


class Market:
    """A shop whose marketers save files; u#0 has not ordered, u#1 once, u#2 twice, and so on."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def notify(self) -> dict[str, Any]:
        """Do what a notification of the bucket starts, and return the status."""
        publish_rules.handler({}, lambda_context())
        status: dict[str, Any] = get("_status/status.json")
        return status

    def save(self, **files: Any) -> dict[str, Any]:
        put_all(files)
        return self.notify()

    def sweep(self) -> dict[str, Any]:
        """Let everything that was asked for happen; what a trial writes starts a publish."""
        live.forget()
        before = results()
        self.shop.follow()
        return self.notify() if results() != before else dict(get("_status/status.json"))

    def members(self) -> list[str]:
        return [who for who in WHOS if is_member(profiles.get_profile(who).state.memberships.get("buyers"))]

    @staticmethod
    def rules() -> Bundle:
        live.forget()
        return live.load_live(NOON)


def put_all(files: dict[str, Any]) -> None:
    for name, content in files.items():
        put({"buyers": FILE, "settings": "settings.json", "hello": "journeys/hello.json"}[name], content)


def results() -> list[Any]:
    listed = client("s3").list_objects_v2(Bucket="rules-bucket", Prefix="trials/").get("Contents", ())
    return [(each["Key"], get(each["Key"])) for each in listed]


@pytest.fixture
def market(tables: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Market:
    """Rules with a limit of two people are live, and remember orders."""
    shop = Shop(monkeypatch, now)
    monkeypatch.setattr(publish_rules, "read_clock", lambda: shop.now)
    monkeypatch.setattr(publish_rules, "put_schemas", lambda: None)  # half of the time, and not what is asked here
    market = Market(shop)
    put("settings.json", SETTINGS)
    put("templates/hello.mjml", MAIL)
    put("journeys/hello.json", HELLO)
    put(FILE, buyers(5))
    status = market.notify()
    assert status["good"], status["files"]
    for index, who in enumerate(WHOS):
        shop.derive(*[an_order(who=who, id=f"o{number}", at=NOON - number) for number in range(max(1, index))])
    shop.follow()
    assert market.members() == ["u#5"]
    assert len(runs.list_runs("u#5")) == 1
    shop.now += MINUTE
    return market


def test_the_first_rules_move_nobody(market: Market) -> None:
    """What is published first is neither held nor swept."""
    assert sweeps.list_parts(SweepKind.LIVE) == []
    assert sweeps.list_parts(SweepKind.TRIAL) == []
    assert market.rules().settings.limit_moved == 2


def test_a_small_change_is_counted_and_goes_live(market: Market) -> None:
    """Within the limit nobody is asked: it is counted, live, and then everybody is looked at; nothing starts."""
    status = market.save(buyers=buyers(4))
    assert status["held"]["counted"] is False
    assert status["files"][FILE] == {"state": "held", "in_use": "last_good", "faults": [], "warnings": []}
    assert not status["good"]
    assert "is not live yet: it is counted how many people would be moved" in status["message"]
    status = market.sweep()
    assert status["good"]
    assert "held" not in status
    assert status["sweep"] == "_status/sweep.json"
    assert market.members() == ["u#5"]
    market.sweep()
    assert market.members() == ["u#4", "u#5"]
    assert get("_status/sweep.json")["segments"] == {"buyers": {"entered": 1, "left": 0}}
    assert runs.list_runs("u#4") == []


def test_a_large_change_is_held_and_said_plainly(market: Market) -> None:
    """Beyond the limit the last live rules stay; the status says how many would move, where, and what confirms."""
    market.save(buyers=buyers(2))
    before = bundles.get_live()
    status = market.sweep()
    assert bundles.get_live() == before
    held = status["held"]
    assert (held["people"], held["limit"], held["segments"]) == (3, 2, {"buyers": {"entered": 3, "left": 0}})
    assert held["confirm_by"] == f"confirm/{held['candidate']}"
    assert status["message"] == (
        "segments/buyers.json is held: 3 people would be moved (buyers: 3 entered), and settings.json allows 2. "
        f"To let it go live, upload any file as confirm/{held['candidate']}; to give it up, put the old files back. "
        "Everything else is live."
    )
    assert market.notify()["held"] == held
    assert read_queue("sweeps") == []
    assert market.members() == ["u#5"]


def held(market: Market, at_least: int = 2) -> str:
    """Save a change that is held, and return its name."""
    market.save(buyers=buyers(at_least))
    candidate: str = market.sweep()["held"]["candidate"]
    return candidate


def test_a_confirmed_change_goes_live(market: Market) -> None:
    """The file that the status names lets it go live, whatever is in it; then everybody is looked at."""
    put(f"confirm/{held(market)}")
    status = market.notify()
    assert status["good"]
    assert "held" not in status
    market.sweep()
    assert market.members() == ["u#2", "u#3", "u#4", "u#5"]
    assert [runs.list_runs(who) for who in ("u#2", "u#3", "u#4")] == [[], [], []]
    told = get("_status/sweep.json")
    assert (told["percent"], told["segments"]) == (100, {"buyers": {"entered": 3, "left": 0}})
    assert market.shop.subjects() == market.shop.subjects()[:1]


def test_a_confirmation_is_for_exactly_these_files(market: Market) -> None:
    """Another change of the same file is another one, and waits for a word of its own."""
    first = held(market)
    put(f"confirm/{first}")
    market.save(buyers=buyers(1))
    status = market.sweep()
    assert status["held"]["candidate"] != first
    assert market.rules().segments["buyers"].where.count == 5  # type: ignore[union-attr]


def date_back_confirmations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have confirmations be a second older than they are: the bucket tells when a file was written to the second."""
    real = publish_rules.bucket.find_written_at

    def find_written_at(key: str) -> int | None:
        at = real(key)
        return at - SECOND if at and key.startswith("confirm/") else at

    monkeypatch.setattr(publish_rules.bucket, "find_written_at", find_written_at)


def test_a_confirmation_before_the_count_is_none(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever confirms has seen the count: an older file of that name confirms nothing."""
    candidate = held(market)
    put(f"confirm/{candidate}")
    real = publish_rules.bucket.find_written_at

    def find_written_at(key: str) -> int | None:
        at = real(f"trials/{candidate}.json" if key.startswith("confirm/") else key)
        return at - SECOND if at and key.startswith("confirm/") else at

    monkeypatch.setattr(publish_rules.bucket, "find_written_at", find_written_at)
    assert market.notify()["held"]["candidate"] == candidate


def test_what_needs_a_held_segment_waits_with_it(market: Market) -> None:
    """A journey that comes with a new segment is not called wrong: it goes live when the segment does."""
    put("segments/one.json", {"name": "One", "where": {"did": "Order Completed"}})
    put("journeys/one.json", HELLO | {"trigger": {"segment": "one"}})
    put("journeys/wrong.json", HELLO | {"trigger": {"segment": "two"}})
    market.notify()
    status = market.sweep()
    states = {file: (it["state"], it["in_use"]) for file, it in status["files"].items() if file.endswith("one.json")}
    assert states == {"journeys/one.json": ("held", "none"), "segments/one.json": ("held", "none")}
    assert status["files"]["journeys/one.json"]["faults"] == []
    assert "segments/one.json" in status["message"]
    assert "1 of 7 files are not taken over" in status["message"]
    assert status["files"]["journeys/wrong.json"]["state"] == "rejected"
    put(f"confirm/{status['held']['candidate']}")
    assert market.notify()["files"]["journeys/one.json"]["state"] == "live"


def test_what_moves_nobody_is_never_held(market: Market) -> None:
    """While a change is held, a journey can be paused and settings can be changed."""
    candidate = held(market)
    paused = market.save(hello=HELLO | {"status": "paused"})
    assert market.rules().journeys["hello"].status == "paused"
    assert paused["held"]["candidate"] == candidate
    market.save(settings=SETTINGS | {"currency": "PLN"})
    assert market.rules().settings.currency == "PLN"
    assert market.rules().segments["buyers"].where.count == 5  # type: ignore[union-attr]
    put(f"confirm/{candidate}")
    status = market.notify()
    assert status["good"], status["files"]
    assert market.rules().segments["buyers"].where.count == 2  # type: ignore[union-attr]


def test_a_limit_cannot_be_taken_away_with_the_change(market: Market) -> None:
    """The stricter of the limits counts, of what is live and of what shall be."""
    put("settings.json", {name: value for name, value in SETTINGS.items() if name != "limits"})
    market.save(buyers=buyers(2))
    status = market.sweep()
    assert status["held"]["limit"] == 2
    assert {status["files"][file]["state"] for file in (FILE, "settings.json")} == {"held"}
    assert market.rules().segments["buyers"].where.count == 5  # type: ignore[union-attr]


def test_without_a_limit_nothing_is_counted(market: Market) -> None:
    """Where settings.json sets none, a change goes live at once."""
    market.save(settings={name: value for name, value in SETTINGS.items() if name != "limits"})
    assert market.save(buyers=buyers(1))["good"]
    market.sweep()
    assert market.members() == WHOS
    assert sweeps.list_parts(SweepKind.TRIAL) == []


def test_a_change_given_up_is_forgotten(market: Market) -> None:
    """With the old files back everything is live, and nothing waits."""
    held(market)
    status = market.save(buyers=buyers(5))
    assert status["good"]
    assert "held" not in status


def test_a_removed_segment_is_a_change(market: Market) -> None:
    """Whoever is in a segment that is deleted leaves it."""
    market.save(settings=SETTINGS | {"limits": {"moved_people": 0}}, hello=HELLO | {"trigger": {"event": "X"}})
    delete(FILE)
    market.notify()
    status = market.sweep()
    assert status["held"]["segments"] == {"buyers": {"entered": 0, "left": 1}}
    assert status["files"][FILE]["state"] == "held"
    assert "buyers" in market.rules().segments


def test_a_count_is_for_the_rules_that_it_was_made_against(market: Market) -> None:
    """When other definitions went live meanwhile, it is counted again."""
    candidate = held(market)
    result = get(f"trials/{candidate}.json")
    put(f"trials/{candidate}.json", result | {"basis": "another"})
    put(f"confirm/{candidate}")
    assert market.notify()["held"]["counted"] is False
    # the rows of the trial say that it was made, so its result is asked for again
    market.sweep()
    assert get(f"trials/{candidate}.json") == result


def test_a_count_is_for_a_week(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that comes back after a week is counted anew, and a confirmation of an older count is none."""
    candidate = held(market)
    market.save(buyers=buyers(5))
    market.shop.now += 7 * DAY
    put(f"confirm/{candidate}")
    date_back_confirmations(monkeypatch)
    assert market.save(buyers=buyers(2))["held"]["counted"] is False
    first = get(f"trials/{candidate}.json")["counted_at"]
    status = market.sweep()
    assert get(f"trials/{candidate}.json")["counted_at"] == first + 7 * DAY
    assert status["held"]["candidate"] == candidate


def test_a_confirmation_is_spent(market: Market) -> None:
    """A change that was confirmed, undone and made again is counted and confirmed again."""
    candidate = held(market)
    put(f"confirm/{candidate}")
    market.notify()
    market.sweep()
    put(f"confirm/{held(market, 5)}")
    market.notify()
    market.sweep()
    assert market.rules().segments["buyers"].where.count == 5  # type: ignore[union-attr]
    again = market.save(buyers=buyers(2))["held"]
    assert (again["candidate"], again["counted"]) == (candidate, False)
    assert market.rules().segments["buyers"].where.count == 5  # type: ignore[union-attr]


def test_an_event_between_publish_and_look_enters_silently(market: Market) -> None:
    """Until somebody's history is read the answer is unknown, and what was unknown starts nothing afterwards."""
    market.shop.derive(an_event("Product Viewed", who="u#1", id="first", at=NOON))
    market.save(settings={name: value for name, value in SETTINGS.items() if name != "limits"})
    put("segments/viewers.json", {"name": "V", "where": {"did": "Product Viewed", "at_least": 2}})
    put("journeys/look.json", HELLO | {"trigger": {"segment": "viewers"}})
    market.notify()
    market.shop.now += MINUTE
    live.forget()
    market.shop.derive(an_event("Product Viewed", who="u#1", id="second", at=NOON + 2 * MINUTE))
    market.sweep()
    assert is_member(profiles.get_profile("u#1").state.memberships["viewers"])
    assert [run.journey for run in runs.list_runs("u#1")] == []


def test_a_lost_trial_is_found(market: Market) -> None:
    """Lost messages are sent again by `wake`; a lost result is written again."""
    market.save(buyers=buyers(2))
    read_queue("sweeps")
    market.shop.wait(6 * MINUTE)
    candidate = market.notify()["held"]["candidate"]
    delete(f"trials/{candidate}.json")
    assert market.notify()["held"]["counted"] is False
    assert market.sweep()["held"]["people"] == 3


def test_a_newer_candidate_takes_the_place_of_an_older_one(market: Market) -> None:
    """Only the latest change is counted."""
    market.save(buyers=buyers(2))
    market.shop.now += 1
    newer = market.save(buyers=buyers(4))["held"]["candidate"]
    assert {part.aim.candidate for part in sweeps.list_parts(SweepKind.TRIAL)} == {newer}
    assert market.sweep()["good"]


def test_an_older_status_is_not_the_last_word(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publish that saw no count yet, and ends after one that did, looks again."""
    market.save(buyers=buyers(2))
    real, once = publish_rules.write_status, []

    def write_status(*args: Any) -> bytes:
        status = real(*args)
        if not once:
            once.append(True)
            market.sweep()
        return status

    monkeypatch.setattr(publish_rules, "write_status", write_status)
    assert market.notify()["held"]["counted"] is True


class Killed(BaseException):
    """The process ends here."""


WRITES = [("bucket", "write"), ("queue", "send_sweeps"), ("base", "commit"), ("", "put_live")]
READS = [("bucket", "read"), ("sweeps", "list_parts")]


@pytest.mark.parametrize(
    ("module", "name", "late"),
    [*((*it, late) for it in WRITES for late in (False, True)), *((*it, False) for it in READS)],
)
def test_a_publish_killed_anywhere_is_no_harm(
    market: Market, monkeypatch: pytest.MonkeyPatch, module: str, name: str, late: bool
) -> None:
    """Wherever publish_rules ends, another try brings the same end: counted, held, confirmed, swept."""
    owner = getattr(publish_rules, module) if module else publish_rules
    real, calls = getattr(owner, name), [0]
    deaths = []

    def die(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] in deaths and not late:
            raise Killed
        answer = real(*args, **kwargs)
        if calls[0] in deaths:
            raise Killed
        return answer

    def tried() -> None:
        """Publish, killed at every call there is, one after the other, until there are no more."""
        for number in range(1, 40):
            calls[0], deaths[:] = 0, [number]
            try:
                publish_rules.handler({}, lambda_context())
            except Killed:
                continue
            return
        raise AssertionError("never done")

    monkeypatch.setattr(owner, name, die)
    put(FILE, buyers(2))
    tried()
    deaths.clear()
    live.forget()
    market.shop.wait(6 * MINUTE)
    tried()
    status = get("_status/status.json")
    assert status["held"]["people"] == 3
    put(f"confirm/{status['held']['candidate']}")
    tried()
    deaths.clear()
    live.forget()
    market.shop.wait(6 * MINUTE)
    assert get("_status/status.json")["good"]
    assert market.members() == ["u#2", "u#3", "u#4", "u#5"]
    assert get("_status/sweep.json")["percent"] == 100
    assert runs.list_runs("u#2") == []


def test_a_filter_that_needs_history_is_served(market: Market) -> None:
    """Not segments alone: what a journey asks is looked for in the past too."""
    asks = {"did": "Product Viewed", "at_least": 1}
    status = market.save(hello=HELLO | {"filter": asks})
    assert status["good"]
    assert status["sweep"] == "_status/sweep.json"
    market.sweep()
    trackers = profiles.get_profile("u#1").state.trackers
    (key,) = (key for key, need in market.rules().needs.items() if need.event == "Product Viewed")
    assert trackers[key].complete_from == 0
