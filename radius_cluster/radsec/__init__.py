"""RADIUS over TLS (RFC 6614): routers connect by TCP, a client certificate or a pre-shared key names them."""
