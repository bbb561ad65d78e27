# ruff: noqa: S608  the statements are put together of our own words
"""The members of behavioural segments by SQL over the plain facts, which shares nothing with what it checks."""

from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from clickstream import DEVICES, Fact, read_facts

from cartwake.times import Instant

SHOP_ZONE: Final = ZoneInfo("Europe/Berlin")
_PLATFORMS: Final = {agent: platform for platform, agent in DEVICES.items()}
_DAY: Final = 86_400_000
_PREPARE: Final = f"""
create or replace temp view past as select * from facts where ms <= getvariable('now') and not bot;
create or replace macro ago(days) as getvariable('now') - days * {_DAY}::bigint;
create or replace temp view consents as
    select who, channel, arg_max(name = 'Subscribed', ms) as yes
    from past where name in ('Subscribed', 'Unsubscribed') group by all;
create or replace temp view mailable as
    select who from past where email group by who
    intersect select who from consents where channel = 'email' and yes
    except select who from past where name = 'Email Bounced' and bounce = 'permanent';
create or replace temp view scores as
    with points(name, each, most) as (values
        ('Page Viewed', 1, 10), ('Product Viewed', 2, 20), ('Product Added', 5, 20), ('Email Opened', 3, 15),
        ('Email Link Clicked', 8, 1e9), ('Order Completed', 25, 1e9)),
    parts as (
        select who,
        least(any_value(most), any_value(each) * sum(pow(0.5, (getvariable('now') - ms) / (18.0 * {_DAY})))) as part
        from past join points using (name) group by who, name
        union all select who, -20 from consents where channel = 'email' and not yes)
    select who, greatest(0, least(100, sum(part))) as score from parts group by who;
"""
_HOW_OFTEN: Final = "select who from past where name = '{}' and ms > ago({}) group by who having count(*) >= {}"


def _did(name: str, days: int, times: int = 1) -> str:
    return _HOW_OFTEN.format(name, days, times)


MEMBERS: Final = {
    "birthday-soon": """
        select who from past, generate_series(0, 7) as ahead(days) where birthday is not null
        and strftime(getvariable('today') + days::int, '%m-%d') = strftime(birthday, '%m-%d')""",
    "came-from-ads": """
        select who from past where medium is not null group by who having arg_min(medium, ms) in ('cpc', 'paid')""",
    "cart-abandoners": """
        select who from past group by who
        having max(ms) filter (name = 'Product Added') > coalesce(max(ms) filter (name = 'Order Completed'), 0)
        and max(ms) filter (name = 'Product Added') <= getvariable('now') - 3600000
        and max(ms) filter (name = 'Product Added') > ago(7)""",
    "category-fans": """
        select who from past where name = 'Order Completed' and ms > ago(365) and list_contains(categories, 'sneakers')
        group by who having count(*) >= 2""",
    "checkout-abandoners": f"""
        select who from past as began where name = 'Checkout Started' and ms > ago(7) and ms <= ago(1)
        except {_did("Order Completed", 7)}""",
    "clickers": _did("Email Link Clicked", 90),
    "engaged": " union ".join(
        _did(name, 30) for name in ("Page Viewed", "Product Added", "Order Completed", "Email Link Clicked")
    ),
    "frequent-returners": """
        select who from past where name = 'Order Refunded' and ms > ago(365)
        group by who having count(distinct order_id) >= 2""",
    "high-score": "select who from scores where score >= 50",
    "mobile-shoppers": f"""
        select who from past where platform is not null group by who having arg_max(platform, ms) = 'mobile'
        intersect {_did("Product Viewed", 90)}""",
    "sleeping-visitors": "select who from past where not own group by who having max(ms) <= ago(30)",
    "sms-only": """
        select who from past where phone intersect select who from consents where channel = 'sms' and yes
        except select who from mailable""",
    "subscribed-not-bought": """
        select who from consents where channel = 'email' and yes
        except select who from past where name = 'Order Completed'""",
    "unengaged": f"""
        select who from consents where channel = 'email' and yes intersect {_did("Email Sent", 60, 4)}
        except ({_did("Email Opened", 60)} union {_did("Email Link Clicked", 60)} union {_did("Page Viewed", 60)})""",
    "wholesale": """
        select who from past where tag = 'wholesale' group by who having arg_max(name, ms) = 'Tag Added'""",
    "window-shoppers": f"""
        {_did("Product Viewed", 14, 3)}
        except ({_did("Product Added", 14)} union {_did("Order Completed", 14)})""",
}


def select_members(segment: str, now: Instant) -> frozenset[str]:
    """Return the users of whom SQL says that they are in *segment*."""
    database = _load()
    today = datetime.fromtimestamp(now / 1_000, SHOP_ZONE).date()
    database.execute(f"set variable now = {now}; set variable today = date '{today}'")
    return frozenset(who for (who,) in database.execute(MEMBERS[segment]).fetchall())


@cache
def _load() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    rows = pa.Table.from_pylist([_flatten(fact) for facts in read_facts().values() for fact in facts])
    database.register("rows", rows)
    database.execute("create table facts as select * replace (birthday::date as birthday) from rows")
    database.execute("set variable now = 0")
    database.execute(_PREPARE)
    return database


def _flatten(fact: Fact) -> dict[str, Any]:
    told, context = fact.properties, fact.context
    products = told.get("products", [])
    return {
        "who": fact.user,
        "name": fact.name,
        "ms": fact.at,
        "bot": fact.bot,
        "own": fact.by == "own",
        "order_id": told.get("order_id"),
        "channel": told.get("channel"),
        "bounce": told.get("bounce"),
        "tag": told.get("tag"),
        "categories": [product["category"] for product in products],
        "medium": context.get("campaign", {}).get("medium"),
        "platform": _PLATFORMS.get(context.get("userAgent", "")),
        "birthday": fact.traits.get("birthday"),
        "email": "email" in fact.traits,
        "phone": "phone" in fact.traits,
    }
