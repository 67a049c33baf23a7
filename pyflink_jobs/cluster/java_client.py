"""What Flink's own client, in Java, needs to send a job to a REST interface: path, certificates, login.

It has options for the path and for certificates. A login it takes from a variable of its process alone, so that is set
before the JVM starts.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyflink_jobs.errors import ClusterError, ProjectError

if TYPE_CHECKING:
    from pyflink_jobs.cluster.targets import Target

__all__ = ["rest_options", "set_login", "write_certificates"]

_HEADERS = "FLINK_REST_CLIENT_HEADERS"
_STORE, _STORE_PASSWORD = "certificates.p12", "certificates"
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def rest_options(target: Target, folder: Path) -> dict[str, str]:
    """Return Flink's options for a target's REST interface; `write_certificates` writes into the same folder.

    Raises ProjectError for a URL that is not one of HTTP.
    """
    address = urlsplit(target.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ProjectError(
            f"target `{target.name}`: `url` is {target.url}, expected http:// or https:// and a host",
            fixes=("write it as a browser needs it: https://flink.example.com/team",),
        )
    secure, path = address.scheme == "https", address.path.strip("/")
    options = {
        "rest.address": address.hostname,
        "rest.port": str(address.port or (443 if secure else 80)),
        # A few seconds of tries instead of a minute: that it answers was asked just before.
        "rest.retry.max-attempts": "3",
        **({"rest.path": f"/{path}/"} if path else {}),
        **({"security.ssl.rest.enabled": "true"} if secure else {}),
    }
    if secure and target.ca:
        options |= {
            "security.ssl.rest.truststore": str(folder / _STORE),
            "security.ssl.rest.truststore-password": _STORE_PASSWORD,
            "security.ssl.rest.truststore-type": "PKCS12",
        }
    return options


def set_login(target: Target) -> None:
    """Let the JVM that starts next send a target's login. Raises ClusterError for a JVM that was started without."""
    from pyflink.java_gateway import _gateway  # None until the JVM starts

    header = f"Authorization:{target.authorization}" if target.authorization else ""
    if _gateway is None:
        if header:
            os.environ[_HEADERS] = header
        return
    jvm: Any = _gateway.jvm
    if (jvm.java.lang.System.getenv(_HEADERS) or "") != header:
        raise ClusterError(
            f"the login of target `{target.name}` cannot be sent: this process's JVM was started for another",
            facts=(f"Flink's client reads it from {_HEADERS} when the JVM starts",),
            fixes=("submit from a process of its own: millstream submit JOB --target NAME",),
        )


def write_certificates(target: Target, folder: Path) -> None:
    """Write a target's certificates into a folder as Java reads them."""
    if not target.ca:
        return
    from pyflink.java_gateway import get_gateway

    jvm: Any = get_gateway().jvm
    factory = jvm.java.security.cert.CertificateFactory.getInstance("X.509")
    store = jvm.java.security.KeyStore.getInstance("PKCS12")
    store.load(None, None)
    found = _CERTIFICATE.findall(Path(target.ca).read_text(encoding="utf-8"))
    if not found:
        raise ProjectError(f"target `{target.name}`: {target.ca} has no certificate in PEM form")
    for number, text in enumerate(found):
        content = jvm.java.io.ByteArrayInputStream(ssl.PEM_cert_to_DER_cert(text))
        store.setCertificateEntry(str(number), factory.generateCertificate(content))
    stream = jvm.java.io.FileOutputStream(str(folder / _STORE))
    word = jvm.java.io.CharArrayWriter()  # Py4J makes a text of Python's of any other of Java's
    word.write(_STORE_PASSWORD)
    store.store(stream, word.toCharArray())
    stream.close()
