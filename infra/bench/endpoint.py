"""A DynamoDB that answers at once and keeps nothing, in a process of its own: what is measured is our own work."""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

type Items = Mapping[str, Mapping[str, Any] | list[Mapping[str, Any]]]
"""By table, the item that every GetItem gets, or those that every Query and Scan gets."""


@contextmanager
def run_endpoint(items: Items) -> Iterator[str]:
    """Serve on a free port of this machine; the address holds until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = get_context("fork").Process(target=_serve, args=(listener, items), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.terminate()
        process.join()
        listener.close()


def _serve(listener: socket.socket, items: Items) -> None:
    asyncio.run(_serve_forever(listener, items))


async def _serve_forever(listener: socket.socket, items: Items) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                operation = fields.get("x-amz-target", "").rpartition(".")[2]
                writer.write(_encode(_choose(operation, json.loads(body), items)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, sock=listener)
    await server.serve_forever()


def _choose(operation: str, request: dict[str, Any], items: Items) -> dict[str, Any]:
    match operation:
        case "getitem":
            item = items.get(request["TableName"])
            return {"Item": item} if isinstance(item, Mapping) else {}
        case "query" | "scan":
            listed = items.get(request["TableName"])
            found = listed if isinstance(listed, list) else []
            return {"Items": found, "Count": len(found), "ScannedCount": len(found)}
        case "batchwriteitem":
            return {"UnprocessedItems": {}}
        case _:
            return {}


def _encode(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
