"""Fetch JARs with Ivy, which comes with Spark and knows the public repository by itself."""

from __future__ import annotations

import os
import re
import select
import ssl
import subprocess
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from helpers.runtime.errors import JarsUnavailable
from helpers.runtime.java import Java

PATTERN = "[organisation]_[artifact]-[revision].[ext]"
SILENCE = 120.0  # seconds without a byte before the download counts as stuck
# Guards nothing: it is the format that wants one.
_PASSWORD = "changeit"
_FETCHED = re.compile(r"^\s*\[SUCCESSFUL \]", re.MULTILINE)


def fetch(
    coordinates: Iterable[tuple[str, str, str]],
    target: Path,
    *,
    java: Java,
    classpath: str,
    settings: str | None,
    environ: Mapping[str, str],
    fetched: Callable[[int], None],
) -> None:
    """Put the JARs (organisation, name, revision) into `target`, an empty folder, without what they depend on.

    `fetched` is called with the number of JARs so far. JarsUnavailable when one cannot be had.
    """
    module = target / "ivy.xml"
    module.write_text(_module(coordinates), encoding="utf-8")
    command = [str(java.binary), f"-Divy.default.ivy.user.dir={target / 'user'}", *_proxy(environ)]
    command += _trust(target / "trust.p12", environ)
    command += ["-cp", classpath, "org.apache.ivy.Main", "-ivy", str(module), "-cache", str(target / "cache")]
    command += ["-types", "jar", "-retrieve", str(target / PATTERN)]
    command += ["-settings", settings] if settings else []
    code, said = _run(command, environ=environ, fetched=fetched)
    if code:
        raise JarsUnavailable(_explain(said, settings=settings))


def _run(command: list[str], *, environ: Mapping[str, str], fetched: Callable[[int], None]) -> tuple[int, str]:
    said = b""
    env = {**environ, "LC_ALL": "C"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    ) as process:
        assert process.stdout is not None
        try:
            while select.select([process.stdout], [], [], SILENCE)[0]:
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    return process.wait(), said.decode(errors="replace")
                said += chunk
                if b"SUCCESSFUL" in chunk:
                    fetched(len(_FETCHED.findall(said.decode(errors="replace"))))
            return 1, f"ERROR: no answer for {SILENCE:.0f} s"
        finally:
            process.kill()


def _module(coordinates: Iterable[tuple[str, str, str]]) -> str:
    lines = [
        f"<dependency org={quoteattr(organisation)} name={quoteattr(name)} rev={quoteattr(revision)}"
        ' conf="default->master" transitive="false"/>'
        for organisation, name, revision in coordinates
    ]
    return (
        '<ivy-module version="2.0"><info organisation="lakeprep" module="jars"/><dependencies>'
        + "".join(lines)
        + "</dependencies></ivy-module>"
    )


def _explain(said: str, *, settings: str | None) -> str:
    if "No space left on device" in said:
        return "The disk is full: Delta's JARs do not fit. Free some space and try again."
    lines = (line.strip() for line in said.splitlines())
    failed = [line for line in lines if re.search("failed|Exception|refused|error|ERROR: |not found", line)]
    # That a module is not found only follows from the reason why nobody answered.
    failed.sort(key=lambda line: "not found" in line)
    why = f" ({re.sub(' url=.*', '', failed[0])[:200]})" if failed else ""
    if settings:
        return f"Delta's JARs could not be fetched with LAKEPREP_IVY_SETTINGS={settings}{why}. Check it and try again."
    return (
        f"Delta's JARs could not be fetched{why}. Connect to the network once, or set https_proxy, or name your "
        "company's mirror in an Ivy settings file with LAKEPREP_IVY_SETTINGS, and try again."
    )


def _proxy(environ: Mapping[str, str]) -> list[str]:
    """Turn the proxy variables, which Java does not read, into its own properties."""
    options = []
    for scheme in ("http", "https"):
        named = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY") or ""
        proxy = urlsplit(named if "//" in named else f"//{named}")
        if proxy.hostname:
            options.append(f"-D{scheme}.proxyHost={proxy.hostname}")
            options.append(f"-D{scheme}.proxyPort={proxy.port or (443 if proxy.scheme == 'https' else 80)}")
    without = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [host.strip().lstrip("*.") for host in without.split(",") if host.strip().lstrip("*.")]
    if options and hosts:
        options.append("-Dhttp.nonProxyHosts=" + "|".join(f"{host}|*.{host}" for host in hosts))
    return options or ["-Djava.net.useSystemProxies=true"]


def _trust(store: Path, environ: Mapping[str, str]) -> list[str]:
    """Let Java trust whom Python trusts: the bundled runtime knows no company's own authority."""
    paths = ssl.get_default_verify_paths()
    named = environ.get("SSL_CERT_FILE") or paths.cafile or paths.openssl_cafile
    if not named or not Path(named).is_file():
        return []
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    trusted = _certificates(Path(named))
    found = [pkcs12.PKCS12Certificate(certificate, b"%d" % i) for i, certificate in enumerate(trusted)]
    if not found:
        return []
    store.write_bytes(pkcs12.serialize_java_truststore(found, BestAvailableEncryption(_PASSWORD.encode())))
    return [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={_PASSWORD}"]


def _certificates(bundle: Path) -> list:
    from cryptography import x509

    found = []
    blocks = re.findall(b"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", bundle.read_bytes(), re.DOTALL)
    for block in blocks:
        with warnings.catch_warnings():
            # An authority with an odd serial number or an old signature is left out; the others still count.
            warnings.simplefilter("error")
            try:
                certificate = x509.load_pem_x509_certificate(block)
                if certificate.serial_number > 0:
                    found.append(certificate)
            except (ValueError, Warning):
                continue
    return found
