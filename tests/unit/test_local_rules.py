"""How a folder of marketers' files gets into the bucket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cartwake_cli.cloud import Client
from cartwake_cli.local import rules

BUCKET = "shop-rules"
TOLD = {
    "LambdaFunctionConfigurations": [
        {
            "Id": "publish",
            "LambdaFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:publish-rules",
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "segments/"}]}},
        }
    ]
}


class Recorder:
    """Stands before S3 and notes, for each file put, whether anybody is told of it."""

    def __init__(self, s3: Client) -> None:
        self._s3 = s3
        self.told = True
        self.puts: list[tuple[str, bool]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_bucket_notification_configuration(self, **put: Any) -> None:
        assert put["NotificationConfiguration"] in ({}, TOLD)
        self.told = bool(put["NotificationConfiguration"])

    def get_bucket_notification_configuration(self, **_: str) -> dict[str, Any]:
        return {"ResponseMetadata": {}, **TOLD}

    def put_object(self, **put: Any) -> None:
        self.puts.append((put["Key"], self.told))
        self._s3.put_object(**put)


@pytest.fixture
def s3() -> Iterator[Recorder]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Recorder(client)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in ("settings.json", "segments/vip.json", "templates/a.mjml", "schemas/segment.json", ".hidden"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text(f"content of {key}")
    return tmp_path


def test_a_folder_is_published_once(s3: Recorder, folder: Path) -> None:
    """Every file arrives; publish_rules is told of the last one alone, which is not a schema."""
    keys = rules.upload(s3, BUCKET, folder)
    assert sorted(keys) == ["schemas/segment.json", "segments/vip.json", "settings.json", "templates/a.mjml"]
    assert [key for key, told in s3.puts if told] == ["settings.json"]
    assert s3.get_object(Bucket=BUCKET, Key="templates/a.mjml")["Body"].read() == b"content of templates/a.mjml"


def test_who_is_told_is_as_it_was_also_after_a_failure(s3: Recorder, folder: Path) -> None:
    """A failed upload does not leave the bucket silent."""
    with pytest.raises(s3.exceptions.NoSuchBucket), rules.hold_notifications(s3, BUCKET):
        s3.put_object(Bucket="no-such", Key="a", Body=b"")
    assert s3.told


def test_the_status_has_a_version(s3: Recorder) -> None:
    """There is no status before the first publication; each new one has a version of its own."""
    assert rules.read_status(s3, BUCKET) == ("", {})
    s3.put_object(Bucket=BUCKET, Key=rules.STATUS, Body=json.dumps({"files": {}}))
    first, status = rules.read_status(s3, BUCKET)
    s3.put_object(Bucket=BUCKET, Key=rules.STATUS, Body=json.dumps({"files": {}}))
    assert status == {"files": {}}
    assert rules.read_status(s3, BUCKET)[0] != first != ""
