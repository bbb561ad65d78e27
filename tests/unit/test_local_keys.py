"""Write keys: how they look, how they are kept, how they are revoked."""

import json
import re
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cartwake_cli import keys
from cartwake_cli.cloud import Client
from cartwake_cli.faults import Fault


@pytest.fixture
def table() -> Iterator[Client]:
    with mock_aws():
        yield boto3.resource("dynamodb").create_table(
            TableName="keys",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key_hash", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_hash", "KeyType": "HASH"}],
        )


@pytest.mark.parametrize(("trust", "prefix"), [("browser", "pk_"), ("server", "sk_")])
def test_a_key_says_who_may_hold_it(trust: keys.Trust, prefix: str) -> None:
    """A browser's key begins with pk_, a server's with sk_; 22 URL-safe characters follow."""
    assert re.fullmatch(prefix + r"[A-Za-z0-9_-]{22}", keys.make_text(trust))
    assert keys.make_text(trust) != keys.make_text(trust)


def test_a_key_is_kept_only_as_a_hash(table: Client) -> None:
    """The text of a key is nowhere in the table."""
    text = keys.make_text("server")
    keys.store_key(table, text, trust="server", note="backend", origins=["https://shop.example"])
    (item,) = table.scan()["Items"]
    assert text not in str(item)
    assert item["key_hash"] == keys.hash_key(text)
    assert (item["trust"], item["note"], item["origins"]) == ("server", "backend", ["https://shop.example"])


def test_a_key_is_revoked_by_itself_or_its_hash(table: Client) -> None:
    """Either name marks the one key, and the moment of the first revocation stays."""
    first, second = keys.make_text("browser"), keys.make_text("browser")
    for text in (first, second):
        keys.store_key(table, text, trust="browser")
    keys.revoke_key(table, first)
    keys.revoke_key(table, keys.hash_key(second)[:12])
    revoked = {each.key_hash: each.revoked_at for each in keys.list_keys(table)}
    assert all(revoked.values())
    keys.revoke_key(table, first)
    assert {each.key_hash: each.revoked_at for each in keys.list_keys(table)} == revoked


@pytest.mark.parametrize("named", ["", "a", "pk_nobody"])
def test_revoking_names_exactly_one_key(table: Client, named: str) -> None:
    """A name that fits no key, or several, revokes none."""
    for text in ("pk_first", "pk_second"):
        keys.store_key(table, text, trust="browser")
    with pytest.raises(Fault, match="named"):
        keys.revoke_key(table, named)
    assert not any(each.revoked_at for each in keys.list_keys(table))


@pytest.fixture
def manager() -> Iterator[Client]:
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_rotating_puts_a_key_before_the_others(manager: Client) -> None:
    """The root stays, and so does each key: only what signs is new."""
    arn = manager.create_secret(Name="s", SecretString='{"root": "r"}')["ARN"]
    assert [keys.rotate_links(manager, arn) for _ in range(3)] == [2, 3, 4]
    secret = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
    assert secret["root"] == "r"
    third, second, first = secret["links"]
    assert len({first, second, third}) == 3
    assert min(map(len, secret["links"])) >= 64
    assert keys.rotate_links(manager, arn) == 5
    assert json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])["links"][1:] == [third, second, first]


@pytest.mark.parametrize("stored", ['{"links": []}', "[]", '{"root": "r", "links": ["x"' + ', "x"' * 49 + "]}"])
def test_what_is_no_secret_of_ours_is_left_alone(manager: Client, stored: str) -> None:
    """A wrong secret is not written over, and there is an end to how many keys every link is tried against."""
    arn = manager.create_secret(Name="s", SecretString=stored)["ARN"]
    with pytest.raises(Fault):
        keys.rotate_links(manager, arn)
    assert manager.get_secret_value(SecretId=arn)["SecretString"] == stored


def test_webhook_keys_rotate_by_two() -> None:
    """A host's secrets are shown as receivers take them: the newest and the one before, which signs until the next."""
    with mock_aws():
        manager = boto3.client("secretsmanager")
        arn = manager.create_secret(Name="s", SecretString='{"root": "r", "links": ["l"]}')["ARN"]
        [first] = keys.show_webhook_secrets(manager, arn, "crm.example.com")
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first)
        assert keys.show_webhook_secrets(manager, arn, "erp.example.com") != [first]
        seen = [first]
        for _ in range(4):
            keys.rotate_webhooks(manager, arn)
            newest, before = keys.show_webhook_secrets(manager, arn, "crm.example.com")
            assert before == seen[-1]
            assert newest not in seen
            seen.append(newest)
        secret = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
        assert (secret["root"], secret["links"], len(secret["webhooks"])) == ("r", ["l"], 2)
