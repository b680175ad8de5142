"""Who the API server has to be, and the certificate that we show it, as TLS wants to have it.

Next: `client` connects with it.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from podfence.kube.credentials import Credentials
from podfence.kube.kubeconfig import Access, KubeconfigError


def tls(access: Access, credentials: Credentials) -> ssl.SSLContext:
    """The cluster's own authority and no other, where it has one."""
    try:
        context = ssl.create_default_context(cadata=access.authority or None)
        # authorities of clusters rarely name a key usage, which newer Pythons insist on and kubectl does not
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", ssl.VerifyFlags(0))
        if access.cluster.insecure_skip_tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if credentials.certificate:
            _show(context, credentials)
    except ssl.SSLError as wrong:
        raise KubeconfigError(
            f"context {access.name!r} has certificates that cannot be read: {wrong}"
        ) from wrong
    return context


def _show(context: ssl.SSLContext, credentials: Credentials) -> None:
    """OpenSSL reads certificates from files only: nobody else can read this one, and it is gone at once."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "client.pem")
        path.touch(mode=0o600)
        path.write_text(f"{credentials.certificate}\n{credentials.key}")
        context.load_cert_chain(path)
