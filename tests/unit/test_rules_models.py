"""Rules of what marketers may write: nothing unknown passes, and every fault says where, what and what is near."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.rules.base import check, dump
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import read_file
from cartwake.rules.models import Journey, Segment
from cartwake.rules.outward_models import WebhookStep
from cartwake.rules.schemas import build_schemas
from cartwake.rules.settings_models import Settings
from cartwake.rules.vocabulary import VALUES

SHOP = {"name": "N", "url": "https://n.example", "postal_address": "Street 1"}
SETTINGS = {"shop": SHOP, "sender": {"email": "shop@example.com"}}


def journey(**changes: Any) -> dict[str, Any]:
    return {"name": "J", "trigger": {"event": "Product Added"}, "steps": [{"email": "cart-1"}]} | changes


def faults_of(model: Any, data: Any) -> list[Fault]:
    found = check(model, data, "file.json")
    return found if isinstance(found, list) else []


def only_fault(model: Any, data: Any) -> Fault:
    (fault,) = faults_of(model, data)
    return fault


def where_fault(where: Any) -> Fault:
    return only_fault(Segment, {"name": "S", "where": where})


@pytest.mark.parametrize(
    ("where", "path", "suggestion"),
    [
        ({"did": "Order Completed", "at_leest": 3}, "where.at_leest", "at_least"),
        ({"did_nott": "Order Completed"}, "where", "did_not"),
        ({"all": [{"did": "A"}, {"any": [{"trait": "x", "iss": 1, "exists": True}]}]}, "where.all[1].any[0].iss", "is"),
        ({"did": "A", "where": {"url": {"matchs": "*x*"}}}, "where.where.url.matchs", "matches"),
        ({"in_segment": "VIP Club"}, "where.in_segment", "vip-club"),
    ],
)
def test_unknown_key_is_refused_with_path_and_nearest(where: Any, path: str, suggestion: str) -> None:
    """A key that is not there is refused, with its path and the nearest right one."""
    fault = where_fault(where)
    assert (fault.path, fault.suggestion) == (path, suggestion)


@pytest.mark.parametrize(
    ("where", "path", "says"),
    [
        ({"did": "A", "at_least": "3"}, "where.at_least", "without quotes"),
        ({"did": "A", "at_least": 2.5}, "where.at_least", "whole number"),
        ({"did": "A", "at_least": 0}, "where.at_least", "1 or more"),
        ({"did": "A", "at_least": True}, "where.at_least", "number"),
        ({"did": "A", "at_least": 3, "at_most": 2}, "where.at_most", "exclude each other"),
        ({"did": "A", "in_last": "1 day", "since": "start"}, "where.since", "exclude each other"),
        ({"did": "A", "in_last": "90days"}, "where.in_last", "90 days"),
        ({"did": "A", "in_last": "0 days"}, "where.in_last", "more than nothing"),
        ({"did": "A", "in_last": 90}, "where.in_last", "text"),
        ({"did": ""}, "where.did", "empty"),
        ({"did": "A", "where": {}}, "where.where", "empty"),
        ({"did": "A", "where": {"x": None}}, "where.where.x", "text, a number"),
        ({"did": "A", "where": {"x": []}}, "where.where.x", "empty"),
        ({"did": "A", "where": {"x": {}}}, "where.where.x", "empty"),
        ({"total_of": "revenue", "more_than": 3, "in_last": "1 day"}, "where.on", "missing"),
        ({"total_of": "revenue", "on": "A", "in_last": "1 day"}, "where.more_than", "missing"),
        ({"trait": "phone"}, "where.exists", "missing"),
        ({"trait": "born", "more_than": "soon"}, "where.more_than", "date"),
        ({"trait": "x", "matches": "*" * 13}, "where.matches", "stars"),
        ({"all": []}, "where.all", "empty"),
        ({"none": {"did": "A"}}, "where.none", "list"),
        ({}, "where", "empty"),
        ([], "where", "object"),
        ("did", "where", "object"),
    ],
)
def test_wrong_value_is_refused_with_a_sentence(where: Any, path: str, says: str) -> None:
    """A value that cannot be meant is refused where it stands, in words."""
    fault = where_fault(where)
    assert fault.path == path
    assert says in fault.message


def test_all_faults_of_a_file_are_told_at_once() -> None:
    """A marketer mends a file once and not once for each fault."""
    data = journey(status="life", again="after 7 dayz", steps=[{"wait": "soon"}, {"email": "A B"}], nam="x")
    assert {fault.path for fault in faults_of(Journey, data)} == {
        "status",
        "again",
        "steps[0].wait",
        "steps[1].email",
        "nam",
    }


@pytest.mark.parametrize("trigger", [{"segment": "vip"}, {"date_in": "birthday"}])
def test_a_key_needs_an_event_to_be_read_from(trigger: Any) -> None:
    """A segment that is entered and a date that comes carry no order id: a key is refused, with what would be right."""
    fault = only_fault(Journey, journey(trigger=trigger, key="order_id"))
    assert (fault.path, "trigger is none" in fault.message) == ("key", True)
    assert "Order Completed" in fault.example


def test_no_date_starts_what_is_transactional() -> None:
    """A browser may say a date, and neither consent nor a cap would stand between that and a mailbox."""
    assert only_fault(Journey, journey(kind="transactional", trigger={"date_in": "renews_at"})).path == "trigger"


@pytest.mark.parametrize("trigger", [{"event": "Order Completed"}, {"enrolled": True}])
def test_a_key_is_taken_where_there_is_an_event(trigger: Any) -> None:
    """An event of any kind may name the order; also the one that enrols."""
    assert isinstance(check(Journey, journey(trigger=trigger, key="order.id"), "j.json"), Journey)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (journey(trigger={"date_in": "day", "before": "1 day", "after": "1 day"}), "trigger.after"),
        (journey(trigger={"date_in": "day", "before": "900 days"}), "trigger.before"),
        (journey(trigger={"date_in": "day", "at": "25:00"}), "trigger.at"),
        (journey(trigger={"enrolled": False}), "trigger.enrolled"),
        (journey(trigger={"catalog": "price_fell"}), "trigger"),
        (journey(exit=[{"date_in": "day"}]), "exit[0]"),
        (journey(exit=[{"enrolled": True}]), "exit[0]"),
    ],
)
def test_what_starts_nothing_is_told(data: Any, path: str) -> None:
    """A trigger that means nothing is refused where it stands; a date and a hand end no run."""
    assert only_fault(Journey, data).path == path


@pytest.mark.parametrize(
    ("said", "recurs"),
    [
        ({}, "never"),
        ({"trigger": {"date_in": "birthday", "every_year": True}}, "always"),
        ({"trigger": {"date_in": "birthday"}, "again": "never"}, "never"),
        ({"trigger": {"date_in": "birthday"}, "again": "after 300 days"}, "after 300 days"),
    ],
)
def test_a_date_comes_again_unless_the_file_says_otherwise(said: Any, recurs: str) -> None:
    """Each date starts a run once, so a birthday needs no word of `again`."""
    read = check(Journey, journey(**said), "j.json")
    assert isinstance(read, Journey)
    assert read.recurs == recurs


@pytest.mark.parametrize(
    ("url", "suggestion"),
    [
        ("http://crm.example.com/x", "https://crm.example.com/x"),
        ("https://CRM.example.com/x", "https://crm.example.com/x"),
        (" https://crm.example.com/x#top", "https://crm.example.com/x"),
        ("https://crm.example.com:8443/x", ""),
        ("https://user:" + "secret@crm.example.com/x", ""),
        ("https://127.0.0.1/x", ""),
        ("https://[::1]/x", ""),
        ("https://2130706433/", ""),
        ("https://localhost/x", ""),
        ("https://crm.example.com/a b", ""),
        ("https://crm.example.com/a\r\nX-Evil: 1", ""),
        ("https://crm.example.com\\@evil.example/", ""),
        ("ftp://crm.example.com", "https://crm.example.com"),
        ("https://[bad", ""),
    ],
)
def test_a_webhook_goes_to_a_plain_address(url: str, suggestion: str) -> None:
    """By https, to a host by its name; no port, user, number or sign that a line of HTTP could be made of."""
    fault = only_fault(Journey, journey(steps=[{"webhook": url}]))
    assert (fault.path, fault.suggestion) == ("steps[0].webhook", suggestion)


@pytest.mark.parametrize("key", ["headers", "secret", "method"])
def test_what_a_webhook_does_not_say_is_told(key: str) -> None:
    """Keys that other systems have here get a sentence on where that is said."""
    fault = only_fault(Journey, journey(steps=[{"webhook": "https://crm.example.com/", key: "x"}]))
    assert fault.message == WebhookStep.elsewhere[key]


def test_no_setting_is_taken_that_nothing_reads() -> None:
    """How long things are kept is fixed for now: the key is refused and says so, instead of doing nothing."""
    fault = only_fault(Settings, SETTINGS | {"retention": {"events": "30 days"}})
    assert fault.path == "retention"
    assert "400 days" in fault.message


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"timezone": "Europe/Berln"}, "timezone"),
        ({"currency": "euro"}, "currency"),
        ({"caps": {"email": "often"}}, "caps.email"),
        ({"sending_hours": {"sms": {"from": "20:00", "to": "09:00"}}}, "sending_hours.sms"),
        ({"sending_hours": {"sms": {"from": "9", "to": "20:00"}}}, "sending_hours.sms.from"),
        ({"shop": SHOP | {"url": "javascript:alert(1)"}}, "shop.url"),
        ({"shop": SHOP | {"color": "red"}}, "shop.color"),
        ({"shop": SHOP | {"hosts": ["pay.example", "localhost"]}}, "shop.hosts[1]"),
        ({"shop": SHOP | {"hosts": ["Pay.example"]}}, "shop.hosts[0]"),
        ({"shop": SHOP | {"hosts": ["pay.example:8443"]}}, "shop.hosts[0]"),
        ({"shop": SHOP | {"hosts": ["*.pay.example"]}}, "shop.hosts[0]"),
        ({"shop": SHOP | {"name": "a\nb"}}, "shop.name"),
        ({"shop": SHOP | {"url": "https://żółw-.example"}}, "shop.url"),
        ({"shop": SHOP | {"url": "https://" + "ż" * 70 + ".pl"}}, "shop.url"),
        ({"sender": {"email": "shop"}}, "sender.email"),
        ({"sender": {"email": "büro@shop.example"}}, "sender.email"),
        ({"sender": {"email": "shop@example.com", "reply_to": "büro@shop.example"}}, "sender.reply_to"),
        ({"sender": {"email": "a@b.example\r\nBcc: x@y.example"}}, "sender.email"),
        ({"sender": {"email": "shop@example.com", "sms_name": "much too long a name"}}, "sender.sms_name"),
        (
            {"sender": {"email": "shop@example.com", "sms_by_country": {"US": "much too long"}}},
            "sender.sms_by_country.US",
        ),
        ({"demo": "true"}, "demo"),
    ],
)
def test_settings_are_checked(changes: Any, path: str) -> None:
    """Settings that would fail when they are used are refused before."""
    assert only_fault(Settings, SETTINGS | changes).path == path


def test_the_host_of_an_address_is_suggested() -> None:
    """Who gives an address is told the part of it that is meant."""
    fault = only_fault(Settings, SETTINGS | {"shop": SHOP | {"hosts": ["https://Pay.example/cart"]}})
    assert fault.suggestion == "pay.example"


def test_what_ses_does_not_take_before_the_at_is_said() -> None:
    """A sender whom no mail program would refuse is told what about it SES does not take."""
    fault = only_fault(Settings, SETTINGS | {"sender": {"email": "büro@shop.example"}})
    assert "ASCII" in fault.message
    assert '"büro"' in fault.message


def test_a_host_beyond_ascii_is_suggested_as_it_is_called() -> None:
    """Who writes a host as people do is told how browsers and certificates name it."""
    fault = only_fault(Settings, SETTINGS | {"shop": SHOP | {"hosts": ["sklep.żółw.example"]}})
    assert fault.suggestion == "sklep.xn--w-uga1v8h.example"


def test_null_hours_mean_any_hour() -> None:
    """`null` takes the default hours away, and survives being written again."""
    read = check(Settings, SETTINGS | {"sending_hours": {"sms": None}}, "settings.json")
    assert isinstance(read, Settings)
    assert read.sending_hours.sms is None
    assert dump(read) == SETTINGS | {"sending_hours": {"sms": None}}


def test_written_as_read() -> None:
    """A model is written as it was read, the key that says what something is first."""
    where = {"all": [{"trait": "plan", "is": ["gold", "silver"]}, {"did": "A", "where": {"x": {"at_least": 2}}}]}
    read = check(Segment, {"name": "S", "where": where}, "x.json")
    assert isinstance(read, Segment)
    assert dump(read)["where"] == where
    assert next(iter(dump(read)["where"]["all"][0])) == "trait"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["did", "start"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["did", "all", "any", "where", "trait", "is", "steps", "wait", "if", "then", "name", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def read(file: str, content: bytes) -> list[Fault]:
    """Return the faults of a file; anything else that is raised is a defect."""
    with suppress(Faulty):
        read_file(file, content)
        return []
    with pytest.raises(Faulty) as caught:
        read_file(file, content)
    return list(caught.value.faults) or [Fault(file=file, message="")]


@given(_json, st.sampled_from(["settings.json", "segments/a.json", "journeys/a.json"]))
def test_any_json_is_read_or_told(data: Any, file: str) -> None:
    """Whatever JSON a file holds, it is read or its faults are told; nothing else happens."""
    assert all(fault.file == file and fault.message for fault in read(file, json.dumps(data).encode()))


@given(st.binary(max_size=200), st.sampled_from(["settings.json", "templates/a.mjml", "templates/a.txt"]))
def test_any_bytes_are_read_or_told(content: bytes, file: str) -> None:
    """Whatever bytes a file holds, it is read or its faults are told; nothing else happens."""
    assert all(fault.file == file and fault.message for fault in read(file, content))


@pytest.mark.parametrize(
    ("key", "said", "meant"),
    [
        *(
            ("status", said, "live")
            for said in ("active", "activated", "enabled", "published", "Running", "on", "lvie")
        ),
        *(("status", said, "paused") for said in ("inactive", "disabled", "stopped", "off", "pause")),
        *(("status", said, "") for said in ("testing", "activation", "not_live")),
        *(("kind", said, "marketing") for said in ("promotional", "newsletter", "Promo", "market")),
        *(("kind", said, "") for said in ("service", "optional", "non_marketing", "non-transactional")),
        ("kind", "transaction", "transactional"),
        *(("is", said, "subscribed") for said in ("optedin", "opted-in", "opt_in", "yes", "Confirmed", "subscribe")),
        *(("is", said, "unsubscribed") for said in ("opted out", "opt-out", "no", "not_subscribed", "unsubscribe")),
        *(("is", said, "never_asked") for said in ("never", "unknown", "none")),
        *(("is", said, "") for said in ("maybe", "blocked")),
    ],
)
def test_a_wrong_value_suggests_what_it_means_or_nothing(key: str, said: str, meant: str) -> None:
    """Letters that look alike may mean the opposite: words are known by what they mean, others suggest nothing."""
    if key == "is":
        fault = where_fault({"consent": "email", "is": said})
    else:
        fault = only_fault(Journey, journey(**{key: said}))
    assert (fault.path.rpartition(".")[2], fault.suggestion) == (key, meant)


def test_every_known_value_means_another() -> None:
    """What is known of the values of other systems is written in small letters, and is no value of our own there."""
    assert all(word.isalpha() and word.islower() and word not in meant for word, meant in VALUES.items())
    schemas = b"".join(build_schemas().values())
    assert all(f'"{each}"'.encode() in schemas for meant in VALUES.values() for each in meant)
