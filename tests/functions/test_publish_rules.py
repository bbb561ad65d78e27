"""Rules of publish_rules: what is right goes live at once, what is wrong never takes away what worked."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from world import client, lambda_context

from cartwake import live
from cartwake.gateways import bucket
from cartwake.store import bundles, sweeps
from cartwake.sweeps import SweepKind
from cartwake.times import SECOND
from tests.calls import record_calls
from tests.starter import read_starter

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "infra" / "starter"
BUCKET = "rules-bucket"
CART = "journeys/abandoned-cart.json"
VIP = "segments/vip.json"

pytestmark = pytest.mark.usefixtures("tables")


def load_app() -> Any:
    spec = importlib.util.spec_from_file_location("publish_rules_app", ROOT / "functions" / "publish_rules" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def app() -> Any:
    return load_app()


def put(key: str, content: str | bytes | dict[str, Any]) -> None:
    body = json.dumps(content) if isinstance(content, dict) else content
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def delete(key: str) -> None:
    client("s3").delete_object(Bucket=BUCKET, Key=key)


def get(key: str) -> Any:
    return json.loads(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def upload_starter(*, whole: bool = False) -> None:
    for name, content in read_starter(whole=whole).items():
        put(name, content)


def starter(key: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((STARTER / key).read_text())
    return read


def run(app: Any, event: dict[str, Any] | None = None) -> dict[str, Any]:
    app.handler(event or notify("settings.json"), lambda_context())
    status: dict[str, Any] = get("_status/status.json")
    return status


def notify(*keys: str) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key, "sequencer": "1"}}} for key in keys]}


def live_bundle() -> Any:
    live.forget()
    return live.load_live(1)


def test_starter_goes_live(app: Any) -> None:
    """Files that are right go live: one bundle, its sources, a status and the schemas."""
    upload_starter(whole=True)
    status = run(app)
    pointer = bundles.get_live()
    assert pointer is not None
    assert status["good"]
    assert status["live"] == {"generation": 1, "hash": pointer.hash}
    assert {each["state"] for each in status["files"].values()} == {"live"}
    bundle = live_bundle()
    files = [path for folder in ("journeys", "campaigns") for path in (STARTER / folder).glob("*.json")]
    assert set(bundle.journeys) == {path.stem for path in files}
    assert bundle.generation == 1
    assert get("schemas/segment.json")["$schema"]
    assert get(f"bundles/{pointer.hash}.sources.json")["files"]["settings.json"]


def test_doubled_and_unordered_notifications_change_nothing(app: Any) -> None:
    """A notification that comes again, late or empty makes no new generation, and the status is still written."""
    upload_starter()
    run(app)
    before = bundles.get_live()
    delete("_status/status.json")
    for event in (notify(CART, CART), notify("journeys/never-was.json"), {}, notify(VIP)):
        assert run(app, event)["good"]
    assert bundles.get_live() == before


def test_leftovers_are_told_the_time(app: Any, monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """What only removed steps need is kept from the time of the publish that removed them."""
    monkeypatch.setattr(app, "read_clock", lambda: now)
    upload_starter()
    run(app)
    put(CART, starter(CART) | {"steps": [{"wait": "1 hour"}, {"email": "cart-1"}]})
    run(app)
    found = {leftover.need.event: leftover.since for leftover in live_bundle().leftovers.values()}
    assert found == {"Product Added": now, "Product Removed": now, "Page Viewed": now}


def test_a_sweep_opens_when_functions_know_the_rules(app: Any, monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """In the row of each part it stands from when on anybody may be looked at, whichever message asks for it."""
    monkeypatch.setattr(app, "read_clock", lambda: now)
    monkeypatch.setenv("SWEEP_AFTER_SECONDS", "45")
    upload_starter()
    run(app)
    put(VIP, {"name": "VIP", "where": {"did": "Order Completed", "at_least": 7}})
    run(app)
    assert {part.aim.opens_at for part in sweeps.list_parts(SweepKind.LIVE)} == {now + 45 * SECOND}


def test_nothing_goes_live_without_settings(app: Any) -> None:
    """Without settings nothing goes live, and the status says so."""
    put(VIP, starter(VIP))
    status = run(app)
    assert bundles.get_live() is None
    assert status["live"] is None
    assert not status["good"]
    assert "missing" in status["files"]["settings.json"]["faults"][0]["message"]


def test_bad_file_keeps_its_last_good_version(app: Any) -> None:
    """A file with a fault is not taken over: its last good version stays, while other changes go live."""
    upload_starter()
    run(app)
    before = live_bundle()
    put(VIP, {"name": "x", "where": {"did": "Order Completed", "at_leest": 3}})
    put("segments/fans.json", {"name": "Fans", "where": {"did": "Page Viewed", "at_least": 9}})
    status = run(app)
    after = live_bundle()
    assert after.segments["vip"] == before.segments["vip"]
    assert "fans" in after.segments
    rejected = status["files"][VIP]
    assert (rejected["state"], rejected["in_use"]) == ("rejected", "last_good")
    assert rejected["faults"][0]["path"] == "where.at_leest"
    assert rejected["faults"][0]["suggestion"] == "at_least"


def test_deleted_template_in_use_stays(app: Any) -> None:
    """A template that a journey sends stays when it is deleted; the status says who needs it."""
    upload_starter()
    run(app)
    for name in ("cart-1", "cart-1.de", "cart-1.pl"):
        delete(f"templates/{name}.mjml")
    status = run(app)
    assert live_bundle().templates["cart-1"].html
    gone = status["files"]["templates/cart-1.mjml"]
    assert (gone["state"], gone["in_use"]) == ("rejected", "last_good")
    assert CART in gone["faults"][0]["message"]


def test_lost_race_is_run_again(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody else moves the pointer first, everything is read again and published after it."""
    upload_starter()
    real, calls = bundles.put_live, []

    def lose_once(pointer: bundles.Live, **rest: Any) -> bool:
        calls.append(pointer)
        if len(calls) == 1:
            put(VIP, {"name": "Other", "where": {"did": "Order Completed", "at_least": 5}})
            load_app().handler({}, lambda_context())
        return real(pointer, **rest)

    monkeypatch.setattr(app, "put_live", lose_once)
    assert run(app)["good"]
    pointer = bundles.get_live()
    assert pointer is not None
    assert pointer.generation == 1
    assert live_bundle().segments["vip"].title == "Other"


def test_change_while_publishing_is_not_lost(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file saved while others are published is in what is live, and in the status, when the function ends."""
    upload_starter()
    real, calls = app.choose, []

    def change_once(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            put(VIP, "{")
        return real(*args, **kwargs)

    monkeypatch.setattr(app, "choose", change_once)
    assert run(app)["files"][VIP]["state"] == "rejected"
    assert live_bundle().segments["vip"]


def test_only_what_changed_is_read(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save fetches the file that was saved, and no other: the others are in what is live."""
    upload_starter()
    run(app)
    put(VIP, starter(VIP) | {"name": "Other"})
    calls = record_calls(monkeypatch)
    run(app)
    rules = [it["Key"] for name, it in calls if name == "GetObject" and not it["Key"].startswith(("_", "bundles/"))]
    assert rules == [VIP]
    assert live_bundle().segments["vip"].title == "Other"


def test_files_whose_tags_tell_nothing_are_read(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a key of KMS encrypts the bucket, tags are no hashes: what is published is the same."""
    monkeypatch.setattr(bucket, "has_etag", lambda _content, _etag: False)
    upload_starter()
    run(app)
    put(VIP, starter(VIP) | {"name": "Other"})
    assert run(app)["good"]
    assert live_bundle().segments["vip"].title == "Other"


def test_a_file_read_newer_than_listed_is_in(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file saved between listing and reading, and put back after it, is not live as it was in between."""
    upload_starter()
    real, calls = app.read_files, []

    def read(*args: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            return real(*args)
        put(VIP, starter(VIP) | {"name": "Between"})
        files = real(*args)
        put(VIP, starter(VIP) | {"name": "Last"})
        return files

    monkeypatch.setattr(app, "read_files", read)
    run(app)
    assert live_bundle().segments["vip"].title == "Last"


def test_a_failure_that_nobody_foresaw_is_told(
    app: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever publishing fails, the status says so and no longer that all is good, and an alarm hears of it."""
    upload_starter()
    run(app)
    before = bundles.get_live()

    def fail(*_: Any) -> None:
        raise KeyError("bought")

    monkeypatch.setattr(app, "find_change", fail)
    capsys.readouterr()
    with pytest.raises(KeyError):
        run(app)
    status = get("_status/status.json")
    assert before is not None
    assert (status["good"], status["problem"], status["live"]["hash"]) == (False, "KeyError: 'bought'", before.hash)
    assert '"RulesProblems":[1.0]' in capsys.readouterr().out
    assert bundles.get_live() == before


def test_a_failure_over_all_files_is_counted(
    app: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that compiling fails on is set apart, without an end of the function, and the alarm hears of it."""
    import cartwake.rules.compile as compiling

    upload_starter()
    run(app)
    real = compiling.carry

    def fail(stock: Any, **named: Any) -> Any:
        if any(journey.title == "Crash" for journey in stock.journeys.values()):
            raise KeyError("bought")
        return real(stock, **named)

    monkeypatch.setattr(compiling, "carry", fail)
    put(CART, starter(CART) | {"name": "Crash"})
    put("segments/fans.json", {"name": "Fans", "where": {"did": "Page Viewed", "at_least": 9}})
    capsys.readouterr()
    status = run(app)
    assert (status["problem"], status["files"][CART]["in_use"]) == ("KeyError: 'bought'", "last_good")
    assert '"RulesProblems":[1.0]' in capsys.readouterr().out
    assert "fans" in live_bundle().segments
