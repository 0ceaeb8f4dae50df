"""The RADIUS servers: wire (codec), process (decisions), listen (sockets), coa, routing, radsec."""
