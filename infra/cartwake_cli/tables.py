"""The deployed stack's tables, read and never written: what is stored of one shopper, as the layer's own values."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cartwake.addresses import Address, derive_key, normalise
from cartwake.bundles import Bundle, decode
from cartwake.consents import Statement, Told
from cartwake.erasure import Erasure
from cartwake.events import Event
from cartwake.gateways.secrets import derive_secret
from cartwake.messages import Message
from cartwake.participants import Participant
from cartwake.profiles import Kind, Profile, State, unpack
from cartwake.reasons import NotEntered
from cartwake.rules.publication import Sources, decode_sources
from cartwake.runs import Run, Slot
from cartwake.segments import is_member
from cartwake.statements import Channel
from cartwake.store.base import unsqueeze
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.pools import Code, list_of_shopper
from cartwake_cli.stack import Stack

MOST_HOPS: Final = 10

type Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is stored of one shopper, under every key that was merged into the profile."""

    profile: Profile
    events: tuple[Event, ...] = ()
    runs: tuple[Run, ...] = ()
    slots: tuple[Slot, ...] = ()
    messages: tuple[Message, ...] = ()
    coupons: tuple[Code, ...] = ()
    participants: tuple[Participant, ...] = ()
    refused: tuple[tuple[str, str, int], ...] = ()
    """Reason, where, and when of each event that was not accepted."""
    consents: tuple[Statement, ...] = ()
    erasure: Erasure | None = None


class Tables:
    """Reads the tables of one stack."""

    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self._secrets = cloud.client("secretsmanager")
        self._secret = stack.output("SecretArn")
        self._tables = {name: cloud.table(physical) for name, physical in stack.tables.items()}
        self._s3 = cloud.client("s3")
        self._bucket = stack.bucket
        self._bundles: dict[str, Bundle] = {}

    def read_live(self) -> Bundle | None:
        """Return the rules that are live, or None before the first were published."""
        name = self._find_live()
        if not name:
            return None
        if name not in self._bundles:
            self._bundles = {name: decode(self._read_object(f"bundles/{name}.json"))}
        return self._bundles[name]

    def read_sources(self) -> Sources:
        """Return the files of which the rules that are live were made; none before the first were published."""
        name = self._find_live()
        return decode_sources(self._read_object(f"bundles/{name}.sources.json")) if name else Sources()

    def read_profile(self, who: str) -> Profile:
        """Return the profile that a key leads to; version 0 when there is none."""
        for _ in range(MOST_HOPS):
            row = self._tables["profiles"].get_item(Key={"who": who}, ConsistentRead=True).get("Item")
            profile = Profile(who=who) if row is None else decode_profile(row)
            if profile.kind is not Kind.POINTER:
                break
            who = profile.target
        return profile

    def read_facts(self, who: str) -> Facts:
        """Return all that is stored of a shopper."""
        profile = self.read_profile(who)
        keys = dict.fromkeys((*profile.keys, who))
        return Facts(
            profile=profile,
            events=tuple(_decode(_events, row) for key in keys for row in self._query("events", key)),
            runs=tuple(_decode(_runs, row) for key in keys for row in self._query("runs", key)),
            slots=tuple(decode_slot(row) for key in keys for row in self._query("slots", key)),
            messages=tuple(_decode(_messages, row) for key in keys for row in self._query("messages", key)),
            coupons=self._read_coupons(keys),
            participants=tuple(_decode(_participants, row) for key in keys for row in self._query("participants", key)),
            refused=tuple(
                (str(row["reason"]), str(row.get("where", "")), int(row["at"]))
                for key in keys
                for row in self._query("quarantine", key)
            ),
            consents=self.read_statements(profile),
            erasure=self._read_erasure(profile),
        )

    def _read_erasure(self, profile: Profile) -> Erasure | None:
        """Return what the tombstone says that a shopper's key leads to."""
        if profile.kind is not Kind.TOMBSTONE:
            return None
        row = self._tables["profiles"].get_item(Key={"who": profile.target or profile.who}, ConsistentRead=True)
        packed = row.get("Item", {}).get("erasure")
        return None if packed is None else _erasures.decode(unsqueeze(_bytes(packed)))

    def _read_coupons(self, keys: Iterable[str]) -> tuple[Code, ...]:
        """Return the codes that a shopper was given, and those of others that the shopper has used."""
        return tuple(code for key in keys for code in list_of_shopper(self._tables["coupons"], key))

    def find_key(self, text: str) -> str:
        """Return the key of the shopper whom an address, a user id, an anonymous id, or a key itself names."""
        for channel in Channel:
            if ("@" in text) if channel is Channel.EMAIL else text.startswith("+"):
                owner = self._find_owner(channel, text)
                if owner is not None:
                    return owner
        for key in (text,) if text[:2] in ("u#", "a#") else (f"u#{text}", f"a#{text}"):
            if self.read_profile(key).version > 0 or self._query("quarantine", key):
                return key
        raise Fault(f"nobody is known as {text}; give an e-mail address, a phone number, a user id or an anonymous id")

    def read_addresses(self, profile: Profile) -> dict[Channel, Address]:
        """Return the rows of the addresses that may be written to."""
        found = {}
        for channel, key in profile.address_keys.items():
            row = self._tables["addresses"].get_item(Key={"address": key}, ConsistentRead=True).get("Item")
            if row is not None:
                found[channel] = _decode(_addresses, row)
        return found

    def read_statements(self, profile: Profile) -> tuple[Statement, ...]:
        """Return what was stated of the addresses that may be written to, the oldest first."""
        rows = [row for key in profile.address_keys.values() for row in self._query("consents", key, name="address")]
        return tuple(sorted(map(decode_statement, rows), key=lambda it: (it.at, it.id)))

    def _find_owner(self, channel: Channel, text: str) -> str | None:
        normalised = normalise(channel, text)
        if normalised is None:
            return None
        secret = json.loads(self._secrets.get_secret_value(SecretId=self._secret)["SecretString"])
        key = derive_key(channel, normalised, derive_secret(secret["root"], "addresses"))
        row = self._tables["identities"].get_item(Key={"identifier": key}, ConsistentRead=True).get("Item")
        return None if row is None else str(row["who"])

    def _find_live(self) -> str:
        """Return the name of the bundle that is live; "" before the first was published."""
        row = self._tables["bundles"].get_item(Key={"name": "live"}, ConsistentRead=True).get("Item")
        return "" if row is None else str(row["hash"])

    def _read_object(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content

    def count_members(self) -> tuple[int, dict[str, int]]:
        """Return how many profiles there are, and how many of them each segment has."""
        members: dict[str, int] = {}
        profiles = 0
        for row in self._scan("profiles"):
            profile = decode_profile(row)
            if profile.kind is Kind.PROFILE:
                profiles += 1
                for name, membership in profile.state.memberships.items():
                    members[name] = members.get(name, 0) + is_member(membership)
        return profiles, members

    def scan_events(self, name: str) -> Iterator[Event]:
        """Yield every stored event of one name; the whole table is read for it."""
        wanted = {"FilterExpression": "#name = :name", "ExpressionAttributeNames": {"#name": "name"}}
        for row in self._scan("events", **wanted, ExpressionAttributeValues={":name": name}):
            yield _decode(_events, row)

    def _query(self, table: str, key: str, *, name: str = "who") -> list[Item]:
        asked = {"KeyConditionExpression": f"{name} = :key", "ExpressionAttributeValues": {":key": key}}
        page = self._tables[table].query(ConsistentRead=True, **asked)
        items: list[Item] = page["Items"]
        while "LastEvaluatedKey" in page:
            page = self._tables[table].query(ConsistentRead=True, **asked, ExclusiveStartKey=page["LastEvaluatedKey"])
            items += page["Items"]
        return items

    def _scan(self, table: str, **options: Any) -> Iterator[Item]:
        page = self._tables[table].scan(**options)
        yield from page["Items"]
        while "LastEvaluatedKey" in page:
            page = self._tables[table].scan(**options, ExclusiveStartKey=page["LastEvaluatedKey"])
            yield from page["Items"]


def decode_profile(row: Item) -> Profile:
    """Return the profile in a row of the profiles table."""
    return Profile(
        who=str(row["who"]),
        kind=Kind(row["kind"]),
        target=str(row.get("target") or ""),
        state=unpack(unsqueeze(_bytes(row["state"]))) if row.get("state") is not None else State(),
        generation=int(row.get("generation", 0)),
        version=int(row["version"]),
        address_keys={channel: str(row[name]) for channel, name in _ADDRESS_KEYS.items() if row.get(name)},
    )


def decode_statement(row: Item) -> Statement:
    """Return the statement in a row of the consents table."""
    return Statement(
        address=str(row["address"]),
        subscribed=bool(row["subscribed"]),
        at=int(row["at"]),
        id=int(row["number"]),
        source=str(row["source"]),
        told=_tolds.decode(unsqueeze(_bytes(row["told"]))) if row.get("told") is not None else Told(),
    )


def decode_event(row: Item) -> Event:
    """Return the event in a row of the events table."""
    return _decode(_events, row)


def decode_slot(row: Item) -> Slot:
    """Return the slot in a row of the slots table."""
    entered_at = row.get("entered_at")
    return Slot(
        who=str(row["who"]),
        journey=str(row["slot"]).partition("#")[0],
        about=str(row["slot"]).partition("#")[2],
        run=str(row.get("run") or ""),
        active=bool(row.get("active")),
        entered_at=None if entered_at is None else int(entered_at),
        refused=NotEntered(row["refused"]) if row.get("refused") else None,
        refused_at=int(row.get("refused_at") or 0),
        running=int(row.get("running") or 0),
    )


def _decode[T](decoder: msgspec.msgpack.Decoder[T], row: Item) -> T:
    return decoder.decode(unsqueeze(_bytes(row["body"])))


def _bytes(value: Any) -> bytes:
    """Return the bytes of what boto3 gives for a binary attribute."""
    return bytes(value.value if hasattr(value, "value") else value)


_ADDRESS_KEYS: Final = {Channel.EMAIL: "email_key", Channel.SMS: "sms_key", Channel.PUSH: "push_key"}
_addresses: Final = msgspec.msgpack.Decoder(Address)
_tolds: Final = msgspec.msgpack.Decoder(Told)
_erasures: Final = msgspec.msgpack.Decoder(Erasure)
_events: Final = msgspec.msgpack.Decoder(Event)
_runs: Final = msgspec.msgpack.Decoder(Run)
_messages: Final = msgspec.msgpack.Decoder(Message)
_participants: Final = msgspec.msgpack.Decoder(Participant)
