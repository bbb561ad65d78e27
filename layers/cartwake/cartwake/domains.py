"""Domains: names such as żółw.example as mail servers and browsers ask for them, in ASCII."""

from urllib.parse import urlsplit


def encode_domain(domain: str) -> str:
    """Return a domain in ASCII: `xn--w-uga1v8h.example`.

    Raises:
        ValueError: No domain is called so.
    """
    if domain.isascii():
        return domain
    import idna  # noqa: PLC0415  few shops and few shoppers have such a domain, and its tables are large

    return idna.encode(domain, uts46=True).decode()


def encode_url(url: str) -> str:
    """Return an address of a page with its host in ASCII.

    Raises:
        ValueError: It is no address, or no host is called so.
    """
    parts = urlsplit(url)
    if parts.netloc.isascii():
        return url
    login, at, place = parts.netloc.rpartition("@")
    host, colon, port = place.partition(":")
    return parts._replace(netloc=f"{login}{at}{encode_domain(host)}{colon}{port}").geturl()
