"""The tools' own way to AWS, or to the local engine that stands in for it."""

from dataclasses import dataclass, field
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

    def client(self, service: str) -> Client:
        """Make the client of one service."""
        return self._session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
        )

    def table(self, name: str) -> Client:
        """Make the resource of one DynamoDB table."""
        return self._session().resource("dynamodb", endpoint_url=self.endpoint).Table(name)

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region
        )
