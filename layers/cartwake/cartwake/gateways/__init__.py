"""Gateways: the only modules that know boto3."""
