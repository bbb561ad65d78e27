"""The deployed stack that end-to-end tests share: one engine, with every role's rights enforced.

`stack` is a `cartwake_cli.local.world.World`:

    stack.url, .engine.url, .engine.log    the public address; the engine's; its log (functions print there)
    stack.browser_key, .server_key         two write keys; add_key("wk_test_123", "browser") adds one by its text
    stack.post(path, body, key=, headers=) -> Answer(status, headers, body, json()); bytes go as they are, else JSON;
                                           key="" sends none, the default is the browser's
    stack.request(method, path, body=, headers=)   any other request; OPTIONS reaches the function as on AWS
    stack.publish(folder)                  upload marketers' files, wait for publish_rules' status (returned: what
                                           is live and what is wrong), renew the functions
    stack.upload_rules(folder)             only upload; returns the keys
    stack.renew_functions()                end the functions' processes (they keep the rules for 30 s otherwise)
    stack.inbox() / .texts()               mails (to, subject, text, html, sent_at) / SMS (to, text) that went out
    stack.feedback(kind, Sent(id, to, tags), ...)  what SES would tell: send, delivery, bounce, complaint, open, ...
    stack.invoke("wake", {})               call a function by its folder's name; raises FunctionFailed
    stack.scan("events"), .query("runs", who=...)  items of a table by its plain name
    stack.schedules() / .delete_schedules()        names of the waiting one-time schedules / lose all of them
    stack.logs("send_message")             what a function printed
    stack.stack                            outputs, tables, queues, functions, bucket; stack.cloud.client("sqs")

`wait_for(look, timeout, what=)` from the same module waits for real processes: it returns what `look` returns once
that is true. All tests share one stack: use people of your own (a fresh user id and address in each test), and count
only what is theirs.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cartwake_cli.local import places
from cartwake_cli.local.world import World, open_world

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def deployed() -> Iterator[World]:
    """The stack as it is after a deploy, without any rules."""
    with open_world(auth=True, parameters={"ScheduleAfterSeconds": "2"}) as world:
        yield world


@pytest.fixture(scope="session")
def stack(deployed: World) -> World:
    """The stack with the starter files live."""
    status = deployed.publish(places.STARTER)
    assert {each["state"] for each in status["files"].values()} == {"live"}, status
    return deployed
