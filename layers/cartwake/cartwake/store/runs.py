"""The runs table: where each shopper stands in each journey, and when the next step is due."""

from typing import Final
from zlib import crc32

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.reasons import EndReason
from cartwake.runs import Run
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import DAY, SECOND, Instant

KEEP_ENDED_MS: Final = 30 * DAY


class DueIndex(GlobalSecondaryIndex["RunRow"]):
    """Runs whose next step is due, by when."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = NumberAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class RunRow(Model):
    """A run: what conditions look at readable, the rest packed."""

    class Meta(base.Meta):
        table_name = require("RUNS_TABLE")

    who = UnicodeAttribute(hash_key=True)
    run = UnicodeAttribute(range_key=True)
    seq = NumberAttribute()
    ended = UnicodeAttribute(null=True)
    body = base.packed()
    due_shard = NumberAttribute(null=True)
    due_at = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    due_index = DueIndex()


def get_run(who: str, key: str) -> Run | None:
    """Return a run, read consistently."""
    try:
        return _decoder.decode(base.unsqueeze(RunRow.get(who, key, consistent_read=True).body))
    except RunRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"runs: {base.failed_with(error)}") from error


def list_runs(who: str, *, journey: str = "") -> list[Run]:
    """Return the runs of one key, of one journey or of all, read consistently."""
    try:
        condition = RunRow.run.startswith(f"{journey}#") if journey else None
        rows = RunRow.query(who, condition, consistent_read=True)
        return [_decoder.decode(base.unsqueeze(row.body)) for row in rows]
    except QueryError as error:
        raise TryAgain(f"runs: {base.failed_with(error)}") from error


def start(run: Run) -> base.Put:
    """Return the write of a new run, which only succeeds once."""
    return base.Put(_to_row(run), RunRow.who.does_not_exist())


def move(before: Run, after: Run) -> base.Put:
    """Return the compare-and-advance of a run: it only succeeds if nobody has moved it since it was read."""
    return base.Put(_to_row(after), RunRow.seq == before.seq)


def demand_going_on(run: Run) -> base.Check:
    """Return the demand that the run is active, or ended only because all its steps are done."""
    going_on = RunRow.ended.does_not_exist() | (RunRow.ended == EndReason.COMPLETED.value)
    return base.Check(RunRow(run.who, run.key), going_on)


def list_due(now: Instant, *, limit: int) -> list[tuple[str, str]]:
    """Return the keys of up to *limit* runs in each shard whose next step was due before *now*."""
    try:
        return [
            (row.who, row.run)
            for shard in range(base.SHARDS)
            for row in RunRow.due_index.query(shard, RunRow.due_at <= now, limit=limit)
        ]
    except QueryError as error:
        raise TryAgain(f"runs: {base.failed_with(error)}") from error


def postpone(who: str, key: str, until: Instant) -> None:
    """Have `wake` look at a run later: one that cannot be moved must not stand before all others."""
    base.change(RunRow(who, key), [RunRow.due_at.set(until)], RunRow.due_at.exists())


def list_held(journey: str, *, limit: int) -> list[tuple[str, str]]:
    """Return the keys of up to *limit* runs that a pause of *journey* holds: they stand apart from what is due."""
    try:
        return [(row.who, row.run) for row in RunRow.due_index.query(_held_shard(journey), limit=limit)]
    except QueryError as error:
        raise TryAgain(f"runs: {base.failed_with(error)}") from error


def _held_shard(journey: str) -> int:
    return base.SHARDS + crc32(journey.encode())


def _to_row(run: Run) -> RunRow:
    return RunRow(
        run.who,
        run.key,
        seq=run.seq,
        ended=run.ended.value if run.ended else None,
        body=base.squeeze(_encoder.encode(run)),
        due_shard=None if run.ended else _held_shard(run.journey) if run.held else base.shard_of(run.key),
        due_at=None if run.ended else run.due_at,
        expires_at=(run.ended_at + KEEP_ENDED_MS) // SECOND if run.ended else None,
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Run)
