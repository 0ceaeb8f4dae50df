"""Slugs that no ISP can have: host names and paths of the installation itself, and names that would mislead."""

RESERVED_SLUGS: frozenset[str] = frozenset(
    """
    aaa abuse account accounts acct admin administrator agency agent agents alert alerts api app apps assets
    auth backup billing blog broadloom callback callbacks captive cdn cell chat cloud cluster community config
    console contact coa dashboard demo-site dev developer dns docs download downloads email errors example
    export faq favicon file files forum ftp git healthz help home host hotspot http https image images imap img
    import info internal invoice invoices legal localhost log login logout logs mail main manage manager me
    media metrics mobile monitor nas net network news noc node nodes ns ns1 ns2 ntp oauth office ops owner
    partner partners pay payment payments platform plan plans policy pop pop3 portal postgres postmaster press
    pricing privacy proxy public radius radsec readyz redis register registry reseller root router sales secure
    security self selfcare server service services settings shop sign-in sign-up signin signup site smtp ssl
    staff stage staging static stats status store sso support sys sysadmin system tenant tenants terms test
    testing tls track upload uploads user users verify vpn web webhook webhooks webmail webmaster work worker
    workers wpad www www1 www2
    """.split()  # noqa: SIM905
)
