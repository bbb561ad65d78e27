"""The members of vip by SQL over the single lines of the Complete Journey, which shares nothing with what it checks."""

import sqlite3
from datetime import datetime
from functools import cache

import pyarrow.compute as pc
import pyarrow.parquet as pq

from cartwake_cli.households import find_data


@cache
def select_members(at: int) -> frozenset[int]:
    """The members by SQL over the single lines, which shares nothing with the code under test."""
    columns = ["household_id", "basket_id", "sales_value", "transaction_timestamp"]
    recent = pc.field("transaction_timestamp") > datetime(2017, 9, 1)  # noqa: DTZ001  the data name no zone
    table = pq.read_table(find_data() / "transactions.parquet", columns=columns, filters=recent)
    database = sqlite3.connect(":memory:")
    database.execute("create table line (household int, basket int, value real, second int)")
    seconds = (table["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(int)).tolist()
    rows = zip(*(table[column].to_pylist() for column in columns[:3]), seconds, strict=True)
    database.executemany("insert into line values (?, ?, ?, ?)", rows)
    found = database.execute(
        "select household from line where second > ? and second <= ?"
        " group by household having count(distinct basket) >= 3 and round(sum(value), 2) > 200",
        (at // 1_000 - 90 * 86_400, at // 1_000),
    )
    return frozenset(household for (household,) in found)
