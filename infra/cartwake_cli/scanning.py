"""Scanning: all profiles of a stack, read in parts by several threads, no faster than the shop's own traffic bears."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from threading import Lock
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from cartwake.backfill import ReadEvents
from cartwake.events import Event
from cartwake.profiles import Profile
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.stack import Stack
from cartwake_cli.tables import decode_event, decode_profile

A_PAGE: Final = 200
_MOST_NAMES: Final = 100
_deserialize: Final = TypeDeserializer().deserialize


class Throttle:
    """Lets several threads together use so many read units a second, on average."""

    def __init__(
        self,
        units_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = units_per_second, clock, sleep
        self._free_at = clock()
        self._lock = Lock()

    def pay(self, units: float) -> None:
        """Wait until what was used before, and not yet waited for, has been made up for."""
        with self._lock:
            wait = self._free_at - self._clock()
            self._free_at = max(self._free_at, self._clock()) + units / self._rate
        if wait > 0:
            self._sleep(wait)


class Scan:
    """Reads the profiles and events of one stack; its methods may be called by several threads at once."""

    def __init__(self, cloud: Cloud, stack: Stack, throttle: Throttle) -> None:
        self._client = cloud.client("dynamodb")
        self._profiles, self._events = stack.tables["profiles"], stack.tables["events"]
        self._throttle = throttle

    def count_rows(self) -> int:
        """Return about how many rows there are; DynamoDB counts them every six hours or so."""
        return int(_ask(self._client.describe_table, TableName=self._profiles)["Table"].get("ItemCount", 0))

    def read_pages(self, part: int, parts: int) -> Iterator[list[Profile]]:
        """Yield the rows of one of several disjoint parts of all, page by page."""
        request = {"TableName": self._profiles, "Segment": part, "TotalSegments": parts, "Limit": A_PAGE}
        for items in self._read(self._client.scan, request):
            yield [decode_profile(_to_row(item)) for item in items]

    def read_events(self, profile: Profile) -> ReadEvents:
        """Return what gives the stored events of a profile, under all its keys."""

        def read(names: Collection[str]) -> Iterable[Event]:
            for who in profile.keys:
                for items in self._read(self._client.query, self._ask_for(who, sorted(names))):
                    yield from (decode_event(_to_row(item)) for item in items if item["name"]["S"] in names)

        return read

    def _ask_for(self, who: str, names: list[str]) -> dict[str, Any]:
        values = {":who": {"S": who}}
        request = {"TableName": self._events, "KeyConditionExpression": "who = :who"}
        if len(names) > _MOST_NAMES:
            return request | {"ExpressionAttributeValues": values}
        values |= {f":n{index}": {"S": name} for index, name in enumerate(names)}
        wanted = ", ".join(f":n{index}" for index in range(len(names)))
        return request | {
            "ExpressionAttributeNames": {"#name": "name"},
            "ExpressionAttributeValues": values,
            "FilterExpression": f"#name IN ({wanted})",
        }

    def _read(self, read: Callable[..., Any], request: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        start: dict[str, Any] = {}
        while True:
            answer = _ask(read, **request, **start, ReturnConsumedCapacity="TOTAL")
            self._throttle.pay(float(answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0)))
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _ask(call: Callable[..., Any], **request: Any) -> Any:
    try:
        return call(**request)
    except (ClientError, BotoCoreError) as error:
        raise Fault(f"the stack's tables cannot be read ({error})") from error


def _to_row(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
