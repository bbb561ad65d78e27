"""Secondary indexes that lag: what was just written may be missing, what was just taken out may still be there."""

import json
import random
from typing import Any

from simulation import cloud
from simulation.faults import Mishap, Plan
from simulation.setting import clock

LAG = 3_000_000
SHARD_OF = {"runs": "due_shard", "messages": "retry_shard", "profiles": "wake_shard", "participants": "due_shard"}


class Index:
    """What the sparse indexes show."""

    def __init__(self, plan: Plan, chance: random.Random) -> None:
        self._plan, self._chance = plan, chance
        self._written: dict[tuple[str, str], int] = {}
        self._gone: list[tuple[int, str, str, dict[str, Any]]] = []

    def note(self, table: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        """Remember a change of a table for as long as an index may lag."""
        shard = SHARD_OF.get(table)
        if shard is None:
            return
        self._written[table, _key(new or old or {})] = clock.micros
        if old and shard in old and (new or {}).get(shard) != old[shard]:
            self._gone.append((clock.micros, table, old[shard]["N"], old))

    def show(self, asked: dict[str, Any], answer: cloud.Answer) -> cloud.Answer:
        """Return the answer to a query, perhaps as it would have been a moment ago."""
        status, headers, content = answer
        if status != 200 or not self._plan.happens(Mishap.INDEX_LAG):
            return answer
        told, table, since = json.loads(content), asked["TableName"], clock.micros - LAG
        told["Items"] = [it for it in told["Items"] if self._written.get((table, _key(it)), 0) < since]
        values = {value["N"] for value in asked["ExpressionAttributeValues"].values() if "N" in value}
        for at, of, shard, old in self._gone[-20:]:
            if of == table and at >= since and shard in values:
                keys = {name: old[name] for name in ("who", "run", "message") if name in old}
                if keys not in told["Items"]:
                    told["Items"].append(keys)
        told["Count"] = told["ScannedCount"] = len(told["Items"])
        headers.pop("x-amz-crc32", None)
        return status, headers, json.dumps(told).encode()


def _key(item: dict[str, Any]) -> str:
    return "|".join(item[name]["S"] for name in ("who", "run", "message") if name in item)
