"""The commands: one module each, found by its name (`deploy_local.py` is `cartwake deploy-local`)."""
