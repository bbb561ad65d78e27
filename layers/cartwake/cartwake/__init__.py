"""Cartwake's one shared package: pure modules decide, edges touch the world.

The flow, in the order of the functions: `capture` reads what clients send; `profiles`, `conditions` and `segments`
fold events and keep memberships; `entries` and `runs` decide about journeys; `messages` and `sending` decide whether a
message may still go out, and make it; `feedback` reads what became of it; `rules` compiles what marketers write.

The edges are `store` (the only place that knows PynamoDB), `gateways` (the only one that knows boto3), and what stands
on them: `family`, `contacts`, `handovers`, `live`, `batches`. Nothing is imported here: cold starts pay for what they
use only.
"""
