"""Worlds in which something was found: each of them is lived through again at every change."""

FOUND_SEEDS: dict[int, str] = {
    1: "a lost answer of DynamoDB made a record poison",
    2: "a lost answer of DynamoDB made `wake` and `run_step` fail",
    3: "a lost answer of DynamoDB made a batch fail",
    631: "an unsubscribe that was pressed again did not count from then on",
}
FOUND_POINTS: dict[str, str] = {
    "cart and reminder/5/every answer lost after effect": "a lost answer of DynamoDB made an event poison",
    "files saved while a run waits/270/throttled": "a throttled count of the profiles made a sweep poison",
}
"""As `story/call/fault`."""
