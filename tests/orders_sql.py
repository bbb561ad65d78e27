# ruff: noqa: S608  the statements are put together of our own words
"""The members of order-based segments by SQL over the lines of receipts, which shares nothing with what it checks."""

from functools import cache
from typing import Final

import duckdb

from cartwake.times import Instant
from cartwake_cli.households import MOST_PRODUCTS, find_data
from cartwake_cli.local.places import STARTER

_DAY: Final = 86_400_000
_PREPARE: Final = f"""
create table lines as
    select household_id as who, basket_id as basket, product_id as product, quantity, coupon_disc > 0 as coupon,
    round(sales_value * 100)::bigint as cents, epoch_ms(transaction_timestamp) as ms
    from '{{folder}}/transactions.parquet';
create table orders as
    select who, basket, max(ms) as ms, sum(cents)::bigint as cents, bool_or(coupon) as coupon
    from lines group by who, basket;
create table dearest as
    select who, basket, product_category as category from lines
    join '{{folder}}/products.parquet' as products on product = product_id
    qualify row_number() over (partition by who, basket order by cents desc, product, quantity) <= {MOST_PRODUCTS};
set variable now = 0;
create macro ago(days) as getvariable('now') - days * {_DAY}::bigint;
create view past as select * from orders where ms <= getvariable('now');
create view customers as
    select who, count(*) as times, min(ms) as first_ms, max(ms) as last_ms,
    count(*) filter (ms > ago(365)) as times_365, count(*) filter (ms > ago(90)) as times_90,
    coalesce(sum(cents) filter (ms > ago(365)), 0) as cents_365,
    coalesce(sum(cents) filter (ms > ago(90)), 0) as cents_90,
    coalesce(sum(cents) filter (ms > ago(180) and ms <= ago(90)), 0) as cents_before
    from past group by who;
create view latest as select who, ms from past qualify row_number() over (partition by who order by ms desc) <= 200;
create view days as select distinct who, ms // {_DAY} as day from latest;
create view rhythms as
    with gaps as (select who, day - lag(day) over (partition by who order by day) as gap from days)
    select who, last_ms + round(median(gap) * {_DAY})::bigint as next_ms
    from gaps join customers using (who) where gap is not null group by who, last_ms;
create view histories as
    select who, (last_ms - first_ms) / {_DAY} as tx, (getvariable('now') - first_ms) / {_DAY} as t,
    case when times <= 200 then count(*) else greatest(count(*), round(times * count(*) / 200)) end - 1 as x
    from days join customers using (who) group by who, first_ms, last_ms, times;
create table model as select unnest(buying) from '{STARTER}/predictions.json';
create view risks as
    select who, 1 - 1 / (1 + a / (b + x - 1) * pow((alpha + t) / (alpha + tx), r + x)) as risk
    from histories, model where x > 0;
"""
MEMBERS: Final = {
    "at-risk": """
        select who from customers where times >= 2 and last_ms > ago(180)
        and (last_ms <= ago(90) or (last_ms <= ago(40) and times_365 >= 2))""",
    "big-baskets": "select who from past where ms > ago(365) group by who having max(cents) > 15000",
    "big-spenders": "select who from customers where cents_365 > 100000",
    "came-back-quickly": """
        select o.who from past o join past later on later.who = o.who
        and later.ms > o.ms and later.ms < o.ms + 30 * 86400000::bigint where o.ms > ago(365)""",
    "champions": "select who from customers where last_ms > ago(40) and times_365 >= 4",
    "discount-lovers": "select who from past where coupon and ms > ago(365) group by who having count(*) >= 2",
    "due-soon": "select who from rhythms where next_ms > getvariable('now') and next_ms <= ago(-7)",
    "first-time-buyers": "select who from customers where times = 1",
    "high-average-orders": "select who from customers where times_365 >= 3 and cents_365 >= 6000 * times_365",
    "lapsed": "select who from customers where last_ms <= ago(90)",
    "likely-to-churn": "select who from risks where risk > 0.7",
    "lost": "select who from customers where last_ms <= ago(365)",
    "multi-category-buyers": """
        select who from past join dearest using (who, basket) where ms > ago(365) and category is not null
        group by who having count(distinct category) >= 3""",
    "new-customers": "select who from customers where first_ms > ago(30)",
    "overdue": "select who from rhythms join customers using (who) where next_ms <= ago(14) and times >= 3",
    "promising": "select who from customers where last_ms <= ago(40) and last_ms > ago(90) and times_365 <= 1",
    "repeat-customers": "select who from customers where times >= 2",
    "spending-less": "select who from customers where cents_before > 20000 and cents_90 < 10000",
    "vip": "select who from customers where times_90 >= 3 and cents_90 > 20000",
}


@cache
def select_members(now: Instant, segment: str = "vip") -> frozenset[int]:
    """Return the households of which SQL says that they are in *segment*."""
    database = _load()
    database.execute(f"set variable now = {now}")
    return frozenset(who for (who,) in database.execute(MEMBERS[segment]).fetchall())


@cache
def _load() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute(_PREPARE.format(folder=find_data()))
    return database
