"""The figures of a soak, as docs/soak.md has them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cartwake_cli.local.inbox import Mail
from tests.security.soak.clients import Client
from tests.security.soak.watch import Watch


def write(
    clients: Sequence[Client], watch: Watch, mails: Sequence[Mail], *, minutes: float, settled_seconds: float
) -> str:
    """Return the page."""
    accepted = sum(len(client.report.accepted) for client in clients)
    different = {(mail.to, mail.subject) for mail in mails}
    killed = ", ".join(f"{name} {times}" for name, times in sorted(watch.killed.items()))
    growth = watch.measure_growth()
    grown = [f"| {name} | {it.seconds:.0f} | {it.first:.1f} | {it.last:.1f} |" for name, it in growth.items()]
    return f"""# Soak

`make soak` wrote this on {datetime.now(UTC):%Y-%m-%d}: {minutes:g} minutes of recorded clients and shoppers against the
local engine, every role's rights enforced, a worker killed every {watch.kill_seconds:g} seconds. It ends well only when
every event that was answered 200 is a row and is in its profile once, and no mail went out twice.

| client | requests | repeated after a failure | repeated after a success | events accepted |
|---|---|---|---|---|
{chr(10).join(_write_row(client) for client in clients)}

- Events accepted: {accepted:,}. Mails: {len(mails)}, doubled: {len(mails) - len(different)}.
- Workers killed: {watch.killed.total()} ({killed}).
- All that followed was done {settled_seconds:.0f} seconds after the last request. What a killed worker held comes back
  when its queue shows it again, after three to six minutes.
- The engine itself, which keeps all tables in memory: {watch.engine[0]:.0f} MB at the beginning,
  {watch.engine[-1]:.0f} MB at the end.

What the longest-lived worker of each function held after warming up: workers of every second function are spared in the
first half, the others in the second.

| function | seconds watched | MB in the first third | MB in the last third |
|---|---|---|---|
{chr(10).join(grown)}
"""


def _write_row(client: Client) -> str:
    told = client.report
    return f"| {client.name} | {told.requests} | {told.retries} | {told.again} | {len(told.accepted)} |"
