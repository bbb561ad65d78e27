"""A running local Cartwake: engine, gateway, stack and keys, and the hands to use and look at it."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartwake.clock import read_clock
from cartwake.times import parse_instant
from cartwake_cli import keys
from cartwake_cli.cloud import Cloud
from cartwake_cli.local import engine as engines
from cartwake_cli.local import gateway as gateways
from cartwake_cli.local import rules
from cartwake_cli.local.deploy import deploy
from cartwake_cli.local.feedback import Kind, Sent, make_event, publish
from cartwake_cli.local.gateway import Answer, Gateway, Json, fetch
from cartwake_cli.local.identity import verify_sender
from cartwake_cli.local.inbox import Mail, Text, read_mails, read_texts
from cartwake_cli.local.routes import add_routes
from cartwake_cli.stack import Stack

SENDER = "example.com"  # of the starter files

type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class World:
    """What runs, and how to reach it; `url` is the public address, which answers as the API does on AWS."""

    engine: engines.Engine
    gateway: Gateway
    stack: Stack
    browser_key: str
    server_key: str

    @property
    def url(self) -> str:
        """The public address: `/v1/...` and `/unsubscribe/...`."""
        return self.gateway.url

    @property
    def cloud(self) -> Cloud:
        """Clients with every right."""
        return self.engine.cloud

    def post(
        self, path: str, body: object, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Post to the public address with a write key (the browser's unless told; "" sends none).

        A body of bytes goes as it is, anything else as JSON.
        """
        sent = {"content-type": "application/json"} | {name.lower(): value for name, value in (headers or {}).items()}
        key = self.browser_key if key is None else key
        if key:
            sent["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, body=data, headers=sent)

    def request(self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send any request through the public address."""
        return fetch(method, self.url + path, body=body, headers=headers or {})

    def upload_rules(self, folder: Path) -> list[str]:
        """Put a folder of marketers' files into the bucket; return the keys. They go live when published."""
        return rules.upload(self.cloud.client("s3"), self.stack.bucket, folder)

    def add_key(self, key: str, trust: keys.Trust) -> str:
        """Accept a key of a given text, such as the one in a recorded request."""
        keys.store_key(self.cloud.table(self.stack.tables["keys"]), key, trust=trust)
        return key

    def inbox(self) -> list[Mail]:
        """Every mail that SES accepted, oldest first."""
        return read_mails(self.engine.url)

    def texts(self) -> list[Text]:
        """Every SMS that SNS accepted."""
        return read_texts(self.engine.url)

    def feedback(self, kind: Kind, sent: Sent, *, at: int | None = None, **details: object) -> None:
        """Tell what became of a mail, as SES would: see `feedback.make_event`."""
        publish(self.cloud, self.stack.feedback_topic, make_event(kind, sent, at=at, **details))

    def invoke(self, function: str, payload: object) -> Json:
        """Call a function by its folder's name and return what it returns.

        Raises:
            FunctionFailed: it raised; with its error.
        """
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.stack.functions[function], Payload=json.dumps(payload).encode()
        )
        result = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise FunctionFailed(f"{function}: {result}")
        return result

    def renew_functions(self) -> None:
        """End the processes of the functions that keep rules, so that the next call reads the live ones at once."""
        client = self.cloud.client("lambda")
        for folder, name in self.stack.functions.items():
            if folder in ("publish_rules", "sweep_profiles"):  # see for themselves what is live, and are at work now
                continue
            # The engine ends processes only when something is set that they depend on; a description is not.
            memory = client.get_function_configuration(FunctionName=name)["MemorySize"]
            client.update_function_configuration(FunctionName=name, MemorySize=memory)

    def publish(self, folder: Path, timeout: float = 60) -> dict[str, Any]:
        """Upload a folder, wait until publish_rules has spoken of it, and renew the functions; return its status.

        Raises:
            TimeoutError: it has not spoken.
        """
        s3, bucket = self.cloud.client("s3"), self.stack.bucket
        rules.place(s3, bucket, folder)
        placed_at = read_clock()
        rules.announce(s3, bucket, folder)

        def is_new() -> dict[str, Any]:
            _, status = rules.read_status(s3, bucket)
            # whoever was still at work when the first file came may speak of some of them
            return status if status and parse_instant(status["looked_at"]) >= placed_at else {}

        status = wait_for(is_new, timeout, what=f"the status of {folder}")
        self.renew_functions()
        return status

    def scan(self, table: str) -> list[dict[str, Any]]:
        """Read all items of a table by its plain name (`events`, `profiles`, ...)."""
        resource = self.cloud.table(self.stack.tables[table])
        page = resource.scan(ConsistentRead=True)
        items: list[dict[str, Any]] = page["Items"]
        while "LastEvaluatedKey" in page:
            page = resource.scan(ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"])
            items += page["Items"]
        return items

    def query(self, table: str, **key: str) -> list[dict[str, Any]]:
        """Read the items of one hash key: `query("runs", who="u#1")`."""
        (name, value), *_ = key.items()
        answer = self.cloud.table(self.stack.tables[table]).query(
            ConsistentRead=True,
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": name},
            ExpressionAttributeValues={":v": value},
        )
        found: list[dict[str, Any]] = answer["Items"]
        return found

    def schedules(self) -> list[str]:
        """The names of the one-time schedules that have not fired."""
        pages = self.cloud.client("scheduler").get_paginator("list_schedules")
        found = pages.paginate(GroupName=self.stack.schedule_group)
        return [each["Name"] for page in found for each in page["Schedules"]]

    def delete_schedules(self) -> list[str]:
        """Delete every one-time schedule, as a fault would lose them; return their names."""
        scheduler = self.cloud.client("scheduler")
        names = self.schedules()
        for name in names:
            scheduler.delete_schedule(Name=name, GroupName=self.stack.schedule_group)
        return names

    def logs(self, function: str) -> str:
        """What a function printed so far."""
        client = self.cloud.client("logs")
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.stack.functions[function]}"
        )
        return "\n".join(event["message"] for page in pages for event in page["events"])


class FunctionFailed(Exception):
    """A function that was invoked raised an error."""


def wait_for[T](look: Callable[[], T], timeout: float = 30, *, what: str = "") -> T:
    """Look until there is something (a true value) and return it; the processes looked at are real.

    Raises:
        TimeoutError: there was nothing in `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what or look} did not come about in {timeout} s; last seen: {seen!r}")
        time.sleep(0.1)
    return seen


@contextmanager
def open_world(
    *, auth: bool = False, parameters: Mapping[str, str] | None = None, port: int = 0, tell: Tell = lambda _: None
) -> Iterator[World]:
    """Start the engine and the gateway, deploy the stack, make the keys; end all of it on leaving.

    `auth` enforces every role's rights; `parameters` are added to the stack's; `port` is the public address's
    (0: any free one); `tell` hears each step as it begins.
    """
    public = gateways.start(port)
    try:
        tell("Starting the engine")
        engine = engines.start(auth=auth)
        try:
            yield _deploy(engine, public, parameters=parameters or {}, tell=tell)
        finally:
            engines.stop(engine)
    finally:
        public.close()


def _deploy(engine: engines.Engine, public: Gateway, *, parameters: Mapping[str, str], tell: Tell) -> World:
    tell("Building and deploying the stack")
    chosen = {"SenderIdentity": SENDER, "PublicUrl": public.url, **parameters}
    stack = deploy(engine, chosen)
    tell("Adding routes, the sender and the keys")
    public.target = gateways.Target(engine.cloud, add_routes(engine.cloud, stack.name))
    verify_sender(engine.cloud, chosen["SenderIdentity"])
    world = World(engine, public, stack, keys.make_text("browser"), keys.make_text("server"))
    world.add_key(world.browser_key, "browser")
    world.add_key(world.server_key, "server")
    return world
