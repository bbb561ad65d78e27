"""The tools' own way to AWS, or to the local engine that stands in for it."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3

type Client = Any
"""A boto3 client or resource; boto3 makes them at run time, without types."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the clients go: the account of the environment, or one endpoint with fixed credentials."""

    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)

    def client(self, service: str) -> Client:
        """Return the client of one service, always the same one."""
        return _make_client(self, service)

    def table(self, name: str) -> Client:
        """Return the resource of one DynamoDB table."""
        return _make_tables(self).Table(name)


@cache
def _make_client(cloud: Cloud, service: str) -> Client:
    make: Any = _make_session(cloud).client
    return make(service, endpoint_url=cloud.endpoint)


@cache
def _make_tables(cloud: Cloud) -> Client:
    make: Any = _make_session(cloud).resource
    return make("dynamodb", endpoint_url=cloud.endpoint)


@cache
def _make_session(cloud: Cloud) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=cloud.access_key,
        aws_secret_access_key=cloud.secret_key,
        aws_session_token=cloud.session_token,
        region_name=cloud.region,
    )
