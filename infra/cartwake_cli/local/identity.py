"""The sender: the engine sends nothing, as SES does, before the identity is verified."""

from cartwake_cli.cloud import Cloud


def verify_sender(cloud: Cloud, identity: str) -> None:
    """Create the identity, a domain or an address; the engine takes it for verified at once."""
    ses = cloud.client("sesv2")
    known = {each["IdentityName"] for each in ses.list_email_identities()["EmailIdentities"]}
    if identity not in known:
        ses.create_email_identity(EmailIdentity=identity)
