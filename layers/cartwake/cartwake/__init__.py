"""Cartwake's one shared package: pure modules decide, `store` and `gateways` touch the world.

The flow, in the order of the functions: `intake` reads what clients send, `profiles` folds events,
`segments` keeps memberships, `runs` decides a journey's next step, `messages` decides whether a message
may still go out, `deliveries` reads what became of it. Nothing is imported here: cold starts pay for
what they use only.
"""
