"""Worlds in which something was found: each of them is lived through again at every change."""

FOUND_SEEDS: dict[int, str] = {
    1: "a lost answer of DynamoDB made a record poison",
    2: "a lost answer of DynamoDB made `wake` and `run_step` fail",
    3: "a lost answer of DynamoDB made a batch fail",
    106: "a visitor's run went on until its next step, though the user had ordered before the two were joined",
    499: "an event whose record came behind the erasure that deleted it began somebody anew",
    525: "a receipt that may have gone out was said to be refused when it was tried once more",
    631: "an unsubscribe that was pressed again did not count from then on",
    956: "a purchase that was told between the decision and the claim did not stop a reminder",
}
FOUND_POINTS: dict[str, str] = {
    "cart and reminder/5/every answer lost after effect": "a lost answer of DynamoDB made an event poison",
    "a webhook that is not taken at first/36/invocation delivered twice": "who was overtaken did not wait as was asked",
    "files saved while a run waits/223/throttled": "a throttled count of the profiles made a sweep poison",
}
"""As `story/call/fault`."""
