"""Secrets that must stand in no error, log or file: found by the names beside them.

A secret that nothing names cannot be recognised; so settings that are named like one are refused
where they are free-form, and these filters are for what comes back from elsewhere, as an address
in the error of a library.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HIDDEN = "…"
_NAMES = (
    r"[\w.-]*(?:api_?-?key|secret|passw(?:or)?d|passphrase|token|private_?-?key|signature"
    r"|credential|authorization)[\w.-]*"
)
_NAME = re.compile(_NAMES, re.IGNORECASE)
_USER = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/?#@'\"]+@", re.IGNORECASE)
_QUERY = re.compile(rf"(?P<name>(?<![\w.-]){_NAMES})=(?P<value>[^\s&#'\",;)]+)", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?P<name>(['\"]){_NAMES}\2\s*:\s*)(?P<value>'[^']*'|\"[^\"]*\"|[^\s,}}]+)", re.IGNORECASE
)
_HEADER = re.compile(r"\b(?P<kind>Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}")


def looks_secret(name: str) -> bool:
    """Whether what is called so is better not shown: `apiKey`, `client_secret`, `auth.token`."""
    return _NAME.search(name) is not None


def redact(text: str) -> str:
    """The text without the users and passwords of addresses, and without values named as secrets.

    `https://me:pw@host/x?apiKey=abc` becomes `https://…@host/x?apiKey=…`.
    """
    text = _USER.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _QUERY.sub(rf"\g<name>={HIDDEN}", text)
    text = _QUOTED.sub(rf"\g<name>{HIDDEN}", text)
    return _HEADER.sub(rf"\g<kind> {HIDDEN}", text)


def secrets_in(settings: Any, path: str = "") -> Iterator[str]:
    """Dotted keys below which a secret seems to stand, in mappings, lists and addresses."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            inner = f"{path}.{name}" if path else str(name)
            if looks_secret(str(name)):
                yield inner
            else:
                yield from secrets_in(value, inner)
    elif isinstance(settings, list | tuple):
        for number, value in enumerate(settings):
            yield from secrets_in(value, f"{path}.{number}")
    elif isinstance(settings, str) and _address_tells(settings):
        yield path


def _address_tells(text: str) -> bool:
    """Whether an address holds a user, a password or a value that is named as a secret."""
    if "://" not in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return "@" in parts.netloc or any(looks_secret(name) for name, _ in parse_qsl(parts.query))
