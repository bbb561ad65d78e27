"""`cartwake campaigns`: how far each campaign is, and what became of its messages."""

import json
from typing import Annotated, Any

import typer

from cartwake.campaigns import FILE
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import tell_faults
from cartwake_cli.stack import read_stack

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def campaigns(
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures, as JSON.")] = False,
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Say how far each campaign is: its recipients, who was left out, and what became of its messages.

    Example: `cartwake campaigns --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        told = read_status(cloud, read_stack(cloud, stack).output("BucketName"))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    typer.echo("\n".join(list_lines(told)) or "No campaign has begun yet.")


def read_status(cloud: Cloud, bucket: str) -> dict[str, Any]:
    """Return what stands in the bucket about campaigns; nothing before the first."""
    client = cloud.client("s3")
    try:
        body = client.get_object(Bucket=bucket, Key=FILE)["Body"].read()
    except client.exceptions.NoSuchKey:
        return {}
    told: dict[str, Any] = json.loads(body)
    return told


def list_lines(told: dict[str, Any]) -> list[str]:
    """Return a line or two for each campaign."""
    lines = []
    for name, each in told.get("campaigns", {}).items():
        lines.append(f"{name} ({each['status']}): {each['message']}")
        out = ", ".join(f"{count} {why}" for why, count in each.get("left_out", {}).items())
        happened = ", ".join(f"{count} {what}" for what, count in each.get("messages", {}).items() if count)
        lines += [f"  {label}: {text}" for label, text in (("left out", out), ("messages", happened)) if text]
    return lines
